/** CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md) as changes. Pure; throws BAD_REQUEST. */
import { fail, type ChangeEvent } from '@pavior/contract'

const longestName = 255
const longestText = 300
/** Of the data, as JSON. */
const largestData = 8192
/** One request has at most so many. */
export const mostEvents = 100

export interface CloudEvent {
  id: string
  source: string
  type: string
  subject?: string
  /** Milliseconds since the epoch. */
  atMs: number
  text: string
  data?: unknown
}

type Headers = Record<string, string | string[] | undefined>

/** Whatever mode it came in: one event as JSON, several of them, or one whose attributes are header fields. */
export function readCloudEvents(headers: Headers, body: Buffer, nowMs: number): CloudEvent[] {
  const type = (headers['content-type'] as string | undefined)?.split(';', 1)[0]!.trim().toLowerCase() ?? ''
  if (type === 'application/cloudevents-batch+json') {
    const given = parse(body)
    if (!Array.isArray(given)) throw fail('BAD_REQUEST', { message: 'A batch of CloudEvents is a list.' })
    if (given.length > mostEvents) throw fail('BAD_REQUEST', { message: `A batch has at most ${mostEvents} events.` })
    return given.map((each) => structured(each as unknown, nowMs))
  }
  if (type === 'application/cloudevents+json') return [structured(parse(body), nowMs)]
  if (headers['ce-specversion'] === undefined) throw fail('BAD_REQUEST', { message: 'The body is no CloudEvent.', why: 'It is neither application/cloudevents+json nor does it have the field ce-specversion.' })
  return [binary(headers, type, body, nowMs)]
}

function structured(given: unknown, nowMs: number): CloudEvent {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw fail('BAD_REQUEST', { message: 'A CloudEvent is an object.' })
  const { data, data_base64: packed, ...attributes } = given as Record<string, unknown>
  return event(attributes, data ?? (typeof packed === 'string' ? packed : undefined), nowMs)
}

function binary(headers: Headers, type: string, body: Buffer, nowMs: number): CloudEvent {
  const attributes = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-')).map(([name, value]) => [name.slice(3), decoded(String(value))]))
  const isJson = type === 'application/json' || type.endsWith('+json')
  return event(attributes, body.length === 0 ? undefined : isJson ? parse(body) : body.toString('utf8'), nowMs)
}

/** Header fields have what is not printable ASCII as percent signs. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function event(attributes: Record<string, unknown>, data: unknown, nowMs: number): CloudEvent {
  if (attributes.specversion !== '1.0') throw fail('BAD_REQUEST', { message: 'Only CloudEvents of version 1.0 are taken.', why: `specversion is ${JSON.stringify(attributes.specversion)?.slice(0, 20) ?? 'missing'}.` })
  const [id, source, type] = [required(attributes, 'id'), required(attributes, 'source'), required(attributes, 'type')]
  const subject = typeof attributes.subject === 'string' ? attributes.subject.slice(0, longestName) : undefined
  return { id, source, type, ...(subject ? { subject } : {}), atMs: timeOf(attributes.time, nowMs), text: textOf(data, subject, type), ...(data === undefined || JSON.stringify(data).length > largestData ? {} : { data }) }
}

function required(attributes: Record<string, unknown>, name: string): string {
  const value = attributes[name]
  if (typeof value !== 'string' || value === '' || value.length > longestName) throw fail('BAD_REQUEST', { message: `The CloudEvent has no ${name} of 1 to ${longestName} characters.` })
  return value
}

/** Nothing has changed yet in the future: a clock that is ahead means now. */
function timeOf(given: unknown, nowMs: number): number {
  if (given === undefined) return nowMs
  const at = typeof given === 'string' ? Date.parse(given) : NaN
  if (Number.isNaN(at)) throw fail('BAD_REQUEST', { message: `time is no time such as 2026-01-31T12:00:00Z.` })
  return Math.min(at, nowMs)
}

/** What people wrote into it comes first. */
function textOf(data: unknown, subject: string | undefined, type: string): string {
  const said = (typeof data === 'object' && data !== null ? ['message', 'title', 'summary', 'description', 'name'].map((name) => (data as Record<string, unknown>)[name]) : [data]).find((each) => typeof each === 'string' && each.trim() !== '') as string | undefined
  return (said ?? [type, subject].filter(Boolean).join(': ')).replaceAll(/\s+/g, ' ').trim().slice(0, longestText)
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw fail('BAD_REQUEST', { message: 'The body is not valid JSON.', why: (error as Error).message.slice(0, 200) })
  }
}

export function changeOf({ atMs, ...event }: CloudEvent, { team, app, environment }: Pick<ChangeEvent, 'team' | 'app' | 'environment'>): ChangeEvent {
  return { ...event, at: new Date(atMs).toISOString(), team, app, environment }
}
