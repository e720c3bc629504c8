/** Values of OpenTelemetry's messages, whether they were read from JSON or from protobuf. Pure; throws BAD_REQUEST for what does not fit. */
import { fail } from '@pavior/contract'

/** Undefined when it is not there; JSON has null for that too. */
export function field(message: unknown, name: string): unknown {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, name)) return undefined
  return (message as Record<string, unknown>)[name] ?? undefined
}

export function entriesOf(value: unknown): unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw fail('BAD_REQUEST', { message: 'The body is not a request of OTLP: a list is expected where there is none.' })
  return value as unknown[]
}

export function listOf(message: unknown, name: string): unknown[] {
  return entriesOf(field(message, name))
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Integers of 64 bits come as text in JSON and in two halves from protobuf. Nothing is 0. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (value === undefined || value === '') return 0
  if (typeof value === 'string') {
    const number = value === 'Infinity' || value === '-Infinity' || value === 'NaN' || /^[-+0-9.eE]+$/.test(value) ? Number(value) : undefined
    if (number !== undefined && (value === 'NaN' || !Number.isNaN(number))) return number
  }
  const { high, low } = value as { high?: unknown; low?: unknown }
  if (typeof high === 'number' && typeof low === 'number') return high * 2 ** 32 + (low >>> 0)
  throw fail('BAD_REQUEST', { message: `The body is not a request of OTLP: ${JSON.stringify(value)?.slice(0, 50)} is no number.` })
}

/** Nanoseconds of today are whole numbers to within 128 only: what lies that little before a millisecond is that millisecond. */
const roundingMs = 0.0003

export function millisecondsOf(nanoseconds: unknown): number {
  return Math.floor(numberOf(nanoseconds) / 1e6 + roundingMs)
}

export function attributesOf(message: unknown): [name: string, value: string][] {
  const out: [string, string][] = []
  for (const attribute of listOf(message, 'attributes')) {
    const key = textOf(field(attribute, 'key'))
    if (key !== '') out.push([key, valueText(field(attribute, 'value'))])
  }
  return out
}

const mostAttributes = 128
const longestAttributeName = 200
const longestAttributeValue = 4000

/** Attributes with their types, cut where they are too many or too long. */
export function valuesOf(message: unknown): Record<string, unknown> {
  const out: [string, unknown][] = []
  for (const attribute of listOf(message, 'attributes').slice(0, mostAttributes)) {
    const key = textOf(field(attribute, 'key')).slice(0, longestAttributeName)
    if (key !== '') out.push([key, cutValue(plainValue(field(attribute, 'value'), 0))])
  }
  return Object.fromEntries(out)
}

function cutValue(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, longestAttributeValue)
  if (typeof value !== 'object' || value === null) return value
  const text = JSON.stringify(value)
  return text.length > longestAttributeValue ? text.slice(0, longestAttributeValue) : value
}

/** An id in lower-case hexadecimal digits, from bytes or, in JSON, from digits; undefined when it is none, or all zeros. */
export function idOf(given: unknown, digits: number): string | undefined {
  const text = given instanceof Uint8Array ? Buffer.from(given).toString('hex') : textOf(given).toLowerCase()
  return text.length === digits && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : undefined
}

/** Whatever sent, with its attributes: each may be of another app. `list`: where the request has them. */
export function resourcesOf(request: unknown, list: string): { attributes: Map<string, string>; content: unknown }[] {
  return listOf(request, list).map((content) => ({ content, attributes: new Map(attributesOf(field(content, 'resource'))) }))
}

const deepest = 5

/** A value of any kind as text: what is no text itself as JSON. */
export function valueText(value: unknown, depth = 0): string {
  const text = field(value, 'stringValue')
  if (typeof text === 'string') return text
  const given = plainValue(value, depth)
  return typeof given === 'string' ? given : given === undefined ? '' : JSON.stringify(given)
}

function plainValue(value: unknown, depth: number): unknown {
  if (depth > deepest) return undefined
  const text = field(value, 'stringValue')
  if (text !== undefined) return textOf(text)
  const flag = field(value, 'boolValue')
  if (flag !== undefined) return flag === true
  const number = field(value, 'intValue') ?? field(value, 'doubleValue')
  if (number !== undefined) return numberOf(number)
  const list = field(value, 'arrayValue')
  if (list !== undefined) return listOf(list, 'values').map((one) => plainValue(one, depth + 1))
  const map = field(value, 'kvlistValue')
  if (map !== undefined) return Object.fromEntries(listOf(map, 'values').map((one) => [textOf(field(one, 'key')), plainValue(field(one, 'value'), depth + 1)]))
  const bytes = field(value, 'bytesValue')
  return typeof bytes === 'string' ? bytes : bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : undefined
}
