/** OpenTelemetry's metrics as series. Pure. What comes was read from JSON or protobuf, and may be anything. */
import type { Incoming } from './ingest.ts'
import { staleInput } from './encoding.ts'
import { explicitBuckets, exponentialBuckets, type Bucket } from './histograms.ts'
import { incomingName, labelsOf, metricName, type OwnLabels } from './names.ts'
import { attributesOf, entriesOf, field, listOf, millisecondsOf, numberOf, textOf } from '../otlp/values.ts'
import type { MetricMetadata } from './series.ts'

export interface Converted {
  incoming: Incoming[]
  metadata: Map<string, MetricMetadata>
  /** Points of a kind that is not known, or without a value. */
  unsupported: number
}

const [delta, cumulative] = [1, 2]
/** Flag of a point: the series ended. */
const noRecordedValue = 1

/** `own`: what the platform knows of who sent it. */
export function convertResource({ attributes, content }: { attributes: ReadonlyMap<string, string>; content: unknown }, own: OwnLabels): Converted {
  const out: Converted = { incoming: [], metadata: new Map(), unsupported: 0 }
  const job = [attributes.get('service.namespace'), attributes.get('service.name')].filter(Boolean).join('/')
  const base: [string, string][] = job === '' ? [] : [['job', job]]
  const instance = attributes.get('service.instance.id')
  if (instance && instance !== own.instance) base.push(['instance', instance])
  for (const scope of listOf(content, 'scopeMetrics')) for (const metric of listOf(scope, 'metrics')) new MetricReader(metric, base, own, out).read()
  describeTarget(attributes, base, own, out)
  return out
}

const identifying = new Set(['service.name', 'service.namespace', 'service.instance.id'])

/** What else is known of the sender is a series of its own, to be joined with others: `target_info`. */
function describeTarget(attributes: ReadonlyMap<string, string>, base: [string, string][], own: OwnLabels, out: Converted): void {
  const more = [...attributes].filter(([name]) => !identifying.has(name))
  const newest = out.incoming.reduce((latest, { times }) => Math.max(latest, times[0]!), 0)
  if (more.length === 0 || newest === 0) return
  out.incoming.push({ labels: labelsOf('target_info', [...base, ...more], own), times: [newest], values: [1] })
  out.metadata.set('target_info', { type: 'gauge', help: 'What is known of whoever sends.', unit: '' })
}

interface Moment {
  labels: [string, string][]
  timeMs: number
  startMs: number
  stale: boolean
  isDelta: boolean
}

class MetricReader {
  readonly #metric: unknown
  readonly #base: [string, string][]
  readonly #own: OwnLabels
  readonly #out: Converted
  readonly #unit: string

  constructor(metric: unknown, base: [string, string][], own: OwnLabels, out: Converted) {
    this.#metric = metric
    this.#base = base
    this.#own = own
    this.#out = out
    this.#unit = textOf(field(metric, 'unit'))
  }

  read(): void {
    const metric = this.#metric
    const [gauge, sum, histogram, exponential, summary] = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'].map((kind) => field(metric, kind))
    if (gauge) this.#numbers(gauge, this.#named('gauge', 'gauge'), false)
    else if (sum) {
      const counts = field(sum, 'isMonotonic') === true
      this.#numbers(sum, counts ? this.#named('counter', 'counter') : this.#named('gauge', 'other'), temporalityOf(sum) === delta)
    } else if (histogram) this.#histograms(histogram, (point) => explicitBuckets(numbersOf(point, 'explicitBounds'), numbersOf(point, 'bucketCounts')))
    else if (exponential) this.#histograms(exponential, (point, isDelta) => exponentialBuckets(exponentialOf(point), isDelta))
    else if (summary) this.#summaries(summary)
    else this.#out.unsupported++
  }

  #named(type: MetricMetadata['type'], shape: 'counter' | 'gauge' | 'other'): string {
    const name = incomingName(metricName(textOf(field(this.#metric, 'name')), this.#unit, shape))
    this.#out.metadata.set(name, { type, help: textOf(field(this.#metric, 'description')).slice(0, 500), unit: this.#unit.slice(0, 50) })
    return name
  }

  #moment(point: unknown, isDelta: boolean): Moment {
    return {
      labels: this.#base.length === 0 ? attributesOf(point) : [...this.#base, ...attributesOf(point)],
      timeMs: millisecondsOf(field(point, 'timeUnixNano')),
      startMs: millisecondsOf(field(point, 'startTimeUnixNano')),
      stale: (numberOf(field(point, 'flags')) & noRecordedValue) !== 0,
      isDelta,
    }
  }

  #add(name: string, { labels, timeMs, startMs, stale, isDelta }: Moment, value: number, more: [string, string][] = [], counts = true): void {
    const beginning = startMs > 0 && startMs < timeMs ? startMs : undefined
    if (stale && isDelta) return
    this.#out.incoming.push({
      labels: labelsOf(name, more.length === 0 ? labels : [...labels, ...more], this.#own),
      times: [timeMs],
      values: [stale ? staleInput : value],
      ...(isDelta ? { deltaFromMs: beginning ?? timeMs - 1 } : counts && beginning !== undefined && !stale ? { beganMs: beginning } : {}),
    })
  }

  #numbers(data: unknown, name: string, isDelta: boolean): void {
    const counts = temporalityOf(data) === cumulative && field(data, 'isMonotonic') === true
    for (const point of listOf(data, 'dataPoints')) {
      const moment = this.#moment(point, isDelta)
      const value = field(point, 'asInt') ?? field(point, 'asDouble')
      if (value === undefined && !moment.stale) this.#out.unsupported++
      else this.#add(name, moment, numberOf(value), [], counts)
    }
  }

  #histograms(data: unknown, bucketsOf: (point: unknown, isDelta: boolean) => Bucket[] | undefined): void {
    const isDelta = temporalityOf(data) === delta
    const name = this.#named('histogram', 'other')
    for (const point of listOf(data, 'dataPoints')) {
      const moment = this.#moment(point, isDelta)
      const count = numberOf(field(point, 'count'))
      const buckets = bucketsOf(point, isDelta)
      if (!buckets) {
        this.#out.unsupported++
        continue
      }
      for (const { le, count: below } of buckets) this.#add(`${name}_bucket`, moment, below, [['le', boundText(le)]])
      this.#add(`${name}_bucket`, moment, count, [['le', '+Inf']])
      this.#add(`${name}_count`, moment, count)
      if (field(point, 'sum') !== undefined) this.#add(`${name}_sum`, moment, numberOf(field(point, 'sum')))
    }
  }

  #summaries(data: unknown): void {
    const name = this.#named('summary', 'other')
    for (const point of listOf(data, 'dataPoints')) {
      const moment = this.#moment(point, false)
      for (const quantile of listOf(point, 'quantileValues')) this.#add(name, moment, numberOf(field(quantile, 'value')), [['quantile', boundText(numberOf(field(quantile, 'quantile')))]], false)
      this.#add(`${name}_count`, moment, numberOf(field(point, 'count')))
      this.#add(`${name}_sum`, moment, numberOf(field(point, 'sum')))
    }
  }
}

function temporalityOf(data: unknown): number {
  const given = field(data, 'aggregationTemporality')
  if (typeof given === 'string') return given.endsWith('_DELTA') ? delta : given.endsWith('_CUMULATIVE') ? cumulative : 0
  return numberOf(given)
}

function numbersOf(point: unknown, name: string): number[] {
  return entriesOf(field(point, name)).map(numberOf)
}

function exponentialOf(point: unknown): Parameters<typeof exponentialBuckets>[0] {
  const side = (name: string): { offset: number; counts: number[] } => ({ offset: numberOf(field(field(point, name), 'offset')), counts: numbersOf(field(point, name), 'bucketCounts') })
  return { scale: numberOf(field(point, 'scale')), zeroCount: numberOf(field(point, 'zeroCount')), zeroThreshold: numberOf(field(point, 'zeroThreshold')), positive: side('positive'), negative: side('negative') }
}

/** As Go prints it, so that `le="0.005"` is the same text wherever it comes from. */
export function boundText(bound: number): string {
  if (bound === Infinity) return '+Inf'
  if (bound === -Infinity) return '-Inf'
  const size = Math.abs(bound)
  if (size !== 0 && (size >= 1e21 || size < 1e-4)) return bound.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return String(bound)
}
