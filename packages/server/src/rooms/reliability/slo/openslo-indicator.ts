/** Indicators of OpenSLO: ratios and thresholds of PromQL, and the golden signals as they are exported. Pure. */
import type { SloSpec } from '@pavior/contract'
import type { Known } from './openslo.ts'
import type { Fields, Reading } from './openslo-reading.ts'

type Indicator = NonNullable<SloSpec['indicator']>

/** Sources whose query is PromQL. */
const queried = new Set(['prometheus', 'any', 'thanos', 'mimir', 'cortex', 'victoriametrics'])
/** As they are exported. */
export const ownSource = 'Pavior'
const plainSelector = /^[a-zA-Z_:][\w:]*(\{[^{}]*\})?$/

export function indicatorOf(spec: Fields, objective: Fields, path: string, reading: Reading, known: Known): Indicator | undefined {
  const metric = metricOf(spec, reading, known)
  if (!metric) return undefined
  if (metric.thresholdMetric !== undefined) {
    if (metric.ratioMetric !== undefined) reading.wrong('spec.indicator.spec', 'has ratioMetric and thresholdMetric; give one of them.')
    const op = reading.oneOf(objective.op, `${path}.op`, ['lt', 'lte', 'gt', 'gte'] as const)
    const source = sourceOf(metric.thresholdMetric, 'spec.indicator.spec.thresholdMetric', reading)
    return source && { ...elsewhere(source), threshold: { query: queryOf(source, reading, 'spec.indicator.spec.thresholdMetric', false), op, value: reading.number(objective.value, `${path}.value`) } }
  }
  if (objective.op !== undefined && objective.op !== 'gt' && objective.op !== 'gte') reading.wrong(`${path}.op`, `${String(objective.op).slice(0, 20)} has no counterpart for a ratio: good is what there shall be more of.`)
  if (objective.value !== undefined) reading.wrong(`${path}.value`, 'has no counterpart for a ratio.')
  return ratioOf(metric.ratioMetric, reading)
}

function metricOf({ indicator, indicatorRef }: Fields, reading: Reading, { indicators }: Known): Fields | undefined {
  if ((indicator === undefined) === (indicatorRef === undefined)) {
    reading.wrong('spec.indicator', 'give indicator or indicatorRef, one of them.')
    return undefined
  }
  const referred = indicatorRef === undefined ? undefined : indicators.get(String(indicatorRef))
  if (indicatorRef !== undefined && !referred) {
    reading.wrong('spec.indicatorRef', `there is no SLI "${String(indicatorRef).slice(0, 80)}" among these documents.`)
    return undefined
  }
  const path = referred ? `SLI ${String(indicatorRef)}` : 'spec.indicator'
  const one = reading.map(referred ?? indicator, path, ['apiVersion', 'kind', 'metadata', 'spec'])
  return one && reading.map(one.spec, `${path}.spec`, ['description', 'ratioMetric', 'thresholdMetric'])
}

interface Source {
  own: boolean
  spec: Fields
  /** Name of a MetricSource. */
  ref: string | undefined
}

function sourceOf(given: unknown, path: string, reading: Reading): Source | undefined {
  const metric = reading.map(given, path, ['metricSource'])
  const source = metric && reading.map(metric.metricSource, `${path}.metricSource`, ['metricSourceRef', 'type', 'spec'])
  if (!source) return undefined
  const type = reading.text(source.type, `${path}.metricSource.type`)
  const own = type === ownSource
  if (!own && !queried.has(type.toLowerCase())) reading.wrong(`${path}.metricSource.type`, `"${type.slice(0, 60)}" cannot be asked from here; PromQL can.`)
  const spec = reading.map(source.spec, `${path}.metricSource.spec`, own ? ['signal', 'thresholdMs', 'of'] : ['query'])
  const ref = source.metricSourceRef === undefined ? undefined : reading.text(source.metricSourceRef, `${path}.metricSource.metricSourceRef`)
  return spec && { own, spec, ref }
}

function elsewhere({ ref }: Source): Pick<Indicator, 'source'> {
  return ref === undefined ? {} : { source: ref }
}

function ratioOf(given: unknown, reading: Reading): Indicator | undefined {
  const path = 'spec.indicator.spec.ratioMetric'
  const ratio = reading.map(given, path, ['counter', 'good', 'bad', 'total'])
  if (!ratio) return undefined
  if ((ratio.good === undefined) === (ratio.bad === undefined)) reading.wrong(path, 'give good or bad, one of them.')
  const side = ratio.good === undefined ? 'bad' : 'good'
  const part = sourceOf(ratio[side], `${path}.${side}`, reading)
  const total = sourceOf(ratio.total, `${path}.total`, reading)
  if (!part || !total) return undefined
  if (total.own) return goldenOf(total.spec, path, reading)
  const counter = ratio.counter === true
  if (part.ref !== total.ref) reading.wrong(path, 'asks two sources; both sides have to come from one.')
  return { ...elsewhere(total), ratio: { [side]: queryOf(part, reading, `${path}.${side}`, counter), total: queryOf(total, reading, `${path}.total`, counter) } as NonNullable<Indicator['ratio']> }
}

function goldenOf({ signal, thresholdMs }: Fields, path: string, reading: Reading): Indicator {
  const golden = reading.oneOf(signal, `${path}.total.metricSource.spec.signal`, ['requests', 'latency'] as const)
  return golden === 'requests' ? { golden } : { golden, thresholdMs: reading.number(thresholdMs, `${path}.total.metricSource.spec.thresholdMs`) }
}

/** A counter is asked for what it rose by in the minute; of an expression nobody can tell. */
function queryOf({ own, spec }: Source, reading: Reading, path: string, counter: boolean): string {
  if (own) reading.wrong(`${path}.metricSource.type`, `${ownSource} stands for both sides of a ratio.`)
  const query = reading.text(spec.query, `${path}.metricSource.spec.query`).trim()
  if (!counter) return query
  if (!plainSelector.test(query)) reading.wrong(`${path}.metricSource.spec.query`, 'is a counter that is no plain selector: write what it rose by in a minute, and leave counter out.')
  return `sum(increase(${query}[1m]))`
}
