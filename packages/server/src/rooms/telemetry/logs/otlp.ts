/** OpenTelemetry's log records as lines. Pure. What comes was read from JSON or protobuf, and may be anything. */
import type { OwnedResource } from '../otlp/intake.ts'
import { attributesOf, field, listOf, millisecondsOf, numberOf, textOf, valueText } from '../otlp/values.ts'
import { levelNumber, storable, traceIdOf, type LevelNumber, type Line, type LineSource } from './line.ts'
import { logLevelNamed } from '@pavior/contract'

export interface Bounds {
  nowMs: number
  /** Older records are kept as of now. */
  oldestMs: number
  /** How far a clock may be ahead of ours. */
  aheadMs: number
  /** Of the first line; it rises by one. */
  seq: number
}

const requestKeys = ['request_id', 'request.id', 'requestId', 'http.request.id', 'http.request.header.x-request-id', 'req.id', 'x-request-id']
/** Longest text of all attributes. */
const attributesLength = 16 * 1024
const longestRequestId = 200

/** Throws BAD_REQUEST for what is no request of OTLP. */
export function linesOf({ owner, attributes, content }: OwnedResource, bounds: Bounds): Line[] {
  const source = sourceOf(owner, attributes)
  let seq = bounds.seq
  return listOf(content, 'scopeLogs').flatMap((scope) => {
    const scopeName = textOf(field(field(scope, 'scope'), 'name'))
    return listOf(scope, 'logRecords').map((record) => lineOf(record, source, scopeName, seq++, bounds))
  })
}

/** What an instance sends is told apart from what it writes. */
const ofInstance = 'OpenTelemetry'

function sourceOf(owner: OwnedResource['owner'], attributes: ReadonlyMap<string, string>): LineSource {
  const { team, app, environment, instance, release, process } = owner
  if (instance !== undefined) return { team, app, environment, release: Number(release), process, instance, sender: ofInstance }
  const sender = attributes.get('service.instance.id') ?? attributes.get('service.name')
  return { team, app, environment, ...(sender ? { sender: storable(sender).slice(0, 200) } : {}) }
}

function lineOf(record: unknown, source: LineSource, scope: string, seq: number, { nowMs, oldestMs, aheadMs }: Bounds): Line {
  const saidMs = millisecondsOf(field(record, 'timeUnixNano')) || millisecondsOf(field(record, 'observedTimeUnixNano'))
  const believed = saidMs > oldestMs && saidMs <= nowMs + aheadMs
  const own = attributesOf(record)
  const traceId = traceIdOf(hexOf(field(record, 'traceId')))
  const spanId = hexOf(field(record, 'spanId'))
  const event = textOf(field(record, 'eventName'))
  const given: [string, string][] = [
    ...own,
    ...(spanId && !/^0*$/.test(spanId) ? ([['span_id', spanId]] as [string, string][]) : []),
    ...(scope ? ([['scope', scope]] as [string, string][]) : []),
    ...(event ? ([['event_name', event]] as [string, string][]) : []),
    // Its own time is not lost when it is of a time that is not kept, or has not come.
    ...(believed || saidMs === 0 ? [] : ([['said_time', new Date(Math.min(saidMs, 8.64e15)).toISOString()]] as [string, string][])),
  ]
  const requestId = requestKeys.map((key) => own.find(([name]) => name === key)?.[1]).find((value) => value !== undefined && value !== '')
  return {
    source,
    seq,
    atMs: believed ? saidMs : nowMs,
    level: levelOf(record),
    body: storable(valueText(field(record, 'body')) || event),
    ...(traceId ? { traceId } : {}),
    ...(requestId && requestId.length <= longestRequestId ? { requestId: storable(requestId) } : {}),
    ...(given.length > 0 ? { attributes: bounded(given) } : {}),
  }
}

/** Ranges of numbers as the specification has them. */
function levelOf(record: unknown): LevelNumber {
  const severity = field(record, 'severityNumber')
  const number = typeof severity === 'string' && severity.startsWith('SEVERITY_NUMBER_') ? undefined : numberOf(severity)
  if (number) return number >= 17 ? 4 : number >= 13 ? 3 : number >= 9 ? 2 : 1
  const word = number === undefined ? String(severity).replace('SEVERITY_NUMBER_', '').replace(/\d$/, '') : textOf(field(record, 'severityText'))
  return levelNumber(logLevelNamed(word))
}

/** Ids are hexadecimal in JSON and bytes in protobuf. */
function hexOf(given: unknown): string | undefined {
  if (given instanceof Uint8Array) return Buffer.from(given.subarray(0, 16)).toString('hex')
  return typeof given === 'string' && /^[0-9a-fA-F]{1,32}$/.test(given) ? given.toLowerCase() : undefined
}

/** What is beyond the bound is left out, and said. */
function bounded(given: readonly [string, string][]): Record<string, string> {
  const out: [string, string][] = []
  let left = attributesLength
  for (const [name, value] of given) {
    left -= name.length + value.length
    if (left < 0) {
      out.push(['attributes_left_out', String(given.length - out.length)])
      break
    }
    out.push([storable(name), storable(value)])
  }
  return Object.fromEntries(out)
}
