/** OpenTelemetry's spans as ours. Pure. What comes was read from JSON or protobuf, and may be anything. */
import { spanKinds, type Span, type SpanEvent, type SpanKind } from '@pavior/contract'
import type { Owner } from '../otlp/owner.ts'
import { field, idOf, listOf, numberOf, textOf, valuesOf } from '../otlp/values.ts'

const traceIdLength = 32
const spanIdLength = 16
/** Of SpanStatus. */
const errorCode = 2
const longestName = 200
const longestMessage = 1000
const mostEvents = 32
const mostLinks = 32
const longestDays = 1

export interface ConvertedSpans {
  spans: Span[]
  /** Spans without a trace, an id or a time. */
  broken: number
}

/** `owner`: what the platform knows of who sent it; it is believed before what the resource says. */
export function convertSpans(content: unknown, owner: Owner): ConvertedSpans {
  const out: ConvertedSpans = { spans: [], broken: 0 }
  for (const scope of listOf(content, 'scopeSpans')) {
    const library = textOf(field(field(scope, 'scope'), 'name'))
    for (const given of listOf(scope, 'spans')) {
      const span = convertSpan(given, library, owner)
      if (span) out.spans.push(span)
      else out.broken++
    }
  }
  return out
}

function convertSpan(given: unknown, library: string, { team, app, environment, release, instance }: Owner): Span | undefined {
  const [traceId, spanId, parentId] = [idOf(field(given, 'traceId'), traceIdLength), idOf(field(given, 'spanId'), spanIdLength), idOf(field(given, 'parentSpanId'), spanIdLength)]
  const [beganMs, endedMs] = [exactMilliseconds(field(given, 'startTimeUnixNano')), exactMilliseconds(field(given, 'endTimeUnixNano'))]
  if (traceId === undefined || spanId === undefined || !(beganMs > 0)) return undefined
  const status = field(given, 'status')
  const message = textOf(field(status, 'message')).slice(0, longestMessage)
  const attributes = valuesOf(given)
  return {
    traceId, spanId, ...(parentId === undefined ? {} : { parentId }), team, app, environment, ...(release === undefined ? {} : { release: Number(release) }), ...(instance === undefined ? {} : { instance }),
    name: textOf(field(given, 'name')).slice(0, longestName) || 'unnamed',
    kind: kindOf(field(given, 'kind')),
    atMs: beganMs,
    durationMs: Math.min(Math.max(0, endedMs - beganMs), longestDays * 86_400_000),
    failed: isError(field(status, 'code')),
    ...(message === '' ? {} : { message }),
    attributes: library === '' ? attributes : { 'otel.scope.name': library.slice(0, longestName), ...attributes },
    events: listOf(given, 'events').slice(0, mostEvents).map((event): SpanEvent => ({ atMs: exactMilliseconds(field(event, 'timeUnixNano')), name: textOf(field(event, 'name')).slice(0, longestName), attributes: valuesOf(event) })),
    links: listOf(given, 'links').slice(0, mostLinks).flatMap((link) => {
      const [trace, span] = [idOf(field(link, 'traceId'), traceIdLength), idOf(field(link, 'spanId'), spanIdLength)]
      return trace && span ? [{ traceId: trace, spanId: span }] : []
    }),
  }
}

/** A microsecond counts, and a number of nanoseconds since the epoch is too large to be exact. */
function exactMilliseconds(nanoseconds: unknown): number {
  if (typeof nanoseconds === 'string' && /^[0-9]{1,20}$/.test(nanoseconds)) return Number(BigInt(nanoseconds) / 1000n) / 1000
  const { high, low } = (nanoseconds ?? {}) as { high?: unknown; low?: unknown }
  if (typeof high === 'number' && typeof low === 'number') return Number(((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) / 1000n) / 1000
  return Math.floor(numberOf(nanoseconds) / 1000) / 1000
}

/** JSON may have the number or the name, as every enumeration of protobuf. */
function kindOf(given: unknown): SpanKind {
  if (typeof given === 'string') return spanKinds.find((kind) => given === `SPAN_KIND_${kind.toUpperCase()}`) ?? 'unspecified'
  return spanKinds[numberOf(given)] ?? 'unspecified'
}

function isError(code: unknown): boolean {
  return code === 'STATUS_CODE_ERROR' || (code !== undefined && typeof code !== 'string' && numberOf(code) === errorCode)
}
