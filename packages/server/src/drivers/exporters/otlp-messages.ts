/** What is stored, as messages of OTLP. Pure. Ids are bytes and integers of 64 bits are halves, as protobuf has them; `jsonOf` writes them as JSON has them. */
import { spanKinds, type Span } from '@pavior/contract'
import { isStale, type SentLine, type SentSeries } from '../../rooms/telemetry/exports/ports.ts'

const cumulative = 2
const noRecordedValue = 1
/** Of levels 0 … 4: unspecified, DEBUG, INFO, WARN, ERROR. */
const severities = [0, 5, 9, 13, 17]
const severityTexts = ['', 'DEBUG', 'INFO', 'WARN', 'ERROR']
const [statusUnset, statusError] = [0, 2]
const scope = { name: 'pavior' }

interface Of {
  team: string
  app: string
  environment: string
  release?: number | string
  instance?: string
  process?: string
}

interface KeyValue {
  key: string
  value: Record<string, unknown>
}

/** A whole number of 64 bits, in halves. */
class Whole {
  readonly low: number
  readonly high: number
  readonly unsigned = true
  readonly #value: bigint

  constructor(value: bigint) {
    this.#value = value
    this.low = Number(BigInt.asIntN(32, value))
    this.high = Number(BigInt.asIntN(32, value >> 32n))
  }

  toJSON(): string {
    return String(this.#value)
  }
}

function nanoseconds(ms: number): Whole {
  return new Whole(BigInt(Math.round(ms * 1000)) * 1000n)
}

class Id extends Uint8Array {
  toJSON(): string {
    return Buffer.from(this).toString('hex')
  }
}

function idOf(hex: string): Id {
  return new Id(Buffer.from(hex, 'hex'))
}

/** Numbers that JSON does not have are texts there. */
export function jsonOf(message: object): string {
  return JSON.stringify(message, (_key, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))
}

/** By https://opentelemetry.io/docs/specs/semconv/resource/ */
function resourceOf({ team, app, environment, release, instance, process }: Of): { attributes: KeyValue[] } {
  const given = { 'service.namespace': team, 'service.name': app, 'service.version': release, 'service.instance.id': instance, 'deployment.environment.name': environment, 'pavior.process': process }
  return { attributes: Object.entries(given).flatMap(([key, value]) => (value === undefined || value === '' ? [] : [{ key, value: { stringValue: String(value) } }])) }
}

function grouped<T>(items: readonly T[], of: (item: T) => Of): { resource: ReturnType<typeof resourceOf>; items: T[] }[] {
  const groups = new Map<string, { resource: ReturnType<typeof resourceOf>; items: T[] }>()
  for (const item of items) {
    const own = of(item)
    const key = `${own.app}\n${own.environment}\n${own.release}\n${own.process}\n${own.instance}`
    const group = groups.get(key)
    if (group) group.items.push(item)
    else groups.set(key, { resource: resourceOf(own), items: [item] })
  }
  return [...groups.values()]
}

function attributesOf(given: Record<string, unknown>): KeyValue[] {
  return Object.entries(given).map(([key, value]) => ({ key, value: valueOf(value) }))
}

function valueOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: new Whole(BigInt(value)) } : { doubleValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } }
  return typeof value === 'object' && value !== null ? { kvlistValue: { values: attributesOf(value as Record<string, unknown>) } } : { stringValue: '' }
}

export function resourceLogs(lines: readonly SentLine[]): object[] {
  return grouped(lines, ({ from: { sender, ...from } }) => ({ ...from, instance: from.instance ?? sender })).map(({ resource, items }) => ({ resource, scopeLogs: [{ scope, logRecords: items.map(logRecord) }] }))
}

function logRecord({ atMs, level, body, requestId, traceId, attributes = {} }: SentLine): object {
  const { span_id: spanId, ...rest } = attributes
  return {
    timeUnixNano: nanoseconds(atMs), observedTimeUnixNano: nanoseconds(atMs), severityNumber: severities[level], severityText: severityTexts[level], body: { stringValue: body },
    attributes: attributesOf({ ...rest, ...(requestId === undefined ? {} : { request_id: requestId }) }),
    ...(traceId === undefined ? {} : { traceId: idOf(traceId) }), ...(typeof spanId === 'string' && /^[0-9a-f]{16}$/.test(spanId) ? { spanId: idOf(spanId) } : {}),
  }
}

export function resourceSpans(spans: readonly Span[]): object[] {
  return grouped(spans, ({ team, app, environment, release, instance }) => ({ team, app, environment, release, instance })).map(({ resource, items }) => ({ resource, scopeSpans: [{ scope, spans: items.map(spanMessage) }] }))
}

function spanMessage({ traceId, spanId, parentId, name, kind, atMs, durationMs, failed, message, attributes, events, links, request }: Span): object {
  return {
    traceId: idOf(traceId), spanId: idOf(spanId), ...(parentId === undefined ? {} : { parentSpanId: idOf(parentId) }), name, kind: spanKinds.indexOf(kind),
    startTimeUnixNano: nanoseconds(atMs), endTimeUnixNano: nanoseconds(atMs + durationMs),
    attributes: attributesOf({ ...attributes, ...(request ? requestAttributes(request) : {}) }),
    events: events.map((event) => ({ timeUnixNano: nanoseconds(event.atMs), name: event.name, attributes: attributesOf(event.attributes) })),
    links: links.map((link) => ({ traceId: idOf(link.traceId), spanId: idOf(link.spanId) })),
    status: { code: failed ? statusError : statusUnset, ...(message === undefined ? {} : { message }) },
  }
}

/** By https://opentelemetry.io/docs/specs/semconv/http/http-spans/ */
function requestAttributes({ requestId, method, host, path, status, error, bytesIn, bytesOut }: NonNullable<Span['request']>): Record<string, unknown> {
  return { 'http.request.method': method, 'server.address': host, 'url.path': path, 'http.response.status_code': status, 'http.request.id': requestId, 'http.request.size': bytesIn, 'http.response.size': bytesOut, ...(error === undefined ? {} : { 'error.type': error }) }
}

/** Counters are sums; everything else is a gauge of its name, with the parts of histograms and summaries as they are stored. */
export function resourceMetrics(series: readonly SentSeries[]): object[] {
  return grouped(series, ({ labels: { team = '', app = '', environment = '', release, instance } }) => ({ team, app, environment, release, instance })).map(({ resource, items }) => ({ resource, scopeMetrics: [{ scope, metrics: metricsOf(items) }] }))
}

function metricsOf(series: readonly SentSeries[]): object[] {
  const metrics = new Map<string, { name: string; description: string; counts: boolean; dataPoints: object[] }>()
  for (const { labels, metadata, times, values } of series) {
    const { __name__: name = '', team: _, app: __, environment: ___, release: ____, instance: _____, ...rest } = labels
    const metric = metrics.get(name) ?? { name, description: metadata?.help ?? '', counts: isCounter(name, metadata), dataPoints: [] }
    metrics.set(name, metric)
    const attributes = attributesOf(rest)
    for (const [index, timeMs] of times.entries()) metric.dataPoints.push({ timeUnixNano: nanoseconds(timeMs), attributes, ...(isStale(values, index) ? { flags: noRecordedValue } : { asDouble: values[index] }) })
  }
  return [...metrics.values()].map(({ name, description, counts, dataPoints }) => ({ name, description, ...(counts ? { sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } } : { gauge: { dataPoints } }) }))
}

/** A receiver puts `_total` behind the name of every sum, so that one without it keeps its name only as a gauge. */
function isCounter(name: string, metadata: SentSeries['metadata']): boolean {
  return name.endsWith('_total') && (metadata === undefined || metadata.type === 'counter' || metadata.type === 'unknown')
}
