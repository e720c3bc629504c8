/** What a condition gives now: members that hold, or why it cannot be told. */
import type { AlertRuleSpec } from '@pavior/contract'
import type { Query, QueryResult } from '../slo/ports.ts'
import type { LogCounts, Probe } from './ports.ts'
import { figure, lengthMs, placeOf, sloSamples, type AlertRule, type Slo, type Source } from './sources.ts'
import type { Sample } from './plan.ts'

const minuteMs = 60_000
const usualProbeEvery = '30s'
const usualTimeoutSeconds = 5
/** Members that a query may give at all; a rule follows fewer. */
const mostSeries = 20_000
/** Addresses whose last answer is remembered. */
const mostProbed = 2000

export interface Measured {
  samples: Sample[]
  /** Why it cannot be told; what was known before stands. */
  problem?: string
}

export interface MeasureDeps {
  query: Query | undefined
  logs: LogCounts | undefined
  probe: Probe | undefined
  /** Address of an app in an environment, as users know it. */
  urlOf: (team: string, app: string, environment: string) => Promise<string | undefined>
  slo: (team: string, name: string) => Slo | undefined
  rules: () => Iterable<AlertRule>
}

interface Probed {
  at: number
  samples: Sample[]
  asking: boolean
}

/** Addresses are asked beside the looks, so that a slow one holds up nobody; what they answered last counts. */
export function createMeasure(deps: MeasureDeps): (source: Source, ask: Query, now: Date, signal: AbortSignal) => Promise<Measured> {
  const probed = new Map<string, Probed>()
  const askAddress = async (kept: Probed, probe: Probe, source: Source, signal: AbortSignal): Promise<void> => {
    const { app, condition } = source.rule!.spec
    const { path, url, timeoutSeconds = usualTimeoutSeconds, status } = condition.synthetic!
    const base = url ?? (await deps.urlOf(source.team, app!, placeOf(source).environment!))
    const { ok, text } = base === undefined ? { ok: false, text: 'has no address' } : await probe({ url: url ?? new URL(path!, base).href, throughRouter: url === undefined, timeoutMs: timeoutSeconds * 1000, status }, signal)
    kept.samples = ok ? [] : [{ labels: { address: url ?? path! }, text: `${url ?? `${app}${path}`} ${text}.`, holds: true }]
  }
  const synthetic = (source: Source, now: Date, signal: AbortSignal): Measured => {
    if (!deps.probe) return { samples: [], problem: 'Its condition is about an address, and this installation asks none.' }
    const { metadata, spec } = source.rule!
    const key = `${source.uid}/${metadata.generation}`
    const kept = probed.get(key) ?? { at: 0, samples: [], asking: false }
    const everyMs = lengthMs(spec.condition.synthetic!.every ?? usualProbeEvery)
    if (!kept.asking && Math.abs(now.getTime() - kept.at) >= everyMs) {
      Object.assign(kept, { at: now.getTime(), asking: true })
      void askAddress(kept, deps.probe, source, signal).catch(() => undefined).finally(() => (kept.asking = false))
    }
    // Those that nobody asks for any more go first.
    probed.delete(key)
    probed.set(key, kept)
    for (const [oldest] of probed) {
      if (probed.size <= mostProbed) break
      probed.delete(oldest)
    }
    return { samples: kept.samples }
  }
  return async (source, ask, now, signal) => {
    if (source.slo) return { samples: sloSamples(source.slo, deps.rules()) }
    const { spec } = source.rule!
    if (spec.enabled === false) return { samples: [] }
    try {
      if (spec.condition.slo) return ofSlo(deps, source)
      if (spec.condition.log) return await countLines(deps, source, now)
      if (spec.condition.synthetic) return synthetic(source, now, signal)
      return await askMetrics(deps, source, ask, now)
    } catch (error) {
      return { samples: [], problem: (error as Error).message }
    }
  }
}

async function askMetrics({ query }: MeasureDeps, source: Source, ask: Query, now: Date): Promise<Measured> {
  if (!query) return { samples: [], problem: 'Its condition is PromQL, and this installation answers no queries.' }
  const { metric, absence } = source.rule!.spec.condition
  const results = await ask(source.team, filledQuery((metric ?? absence)!.query, source), now, (metric ?? absence)!.source)
  if (results.length > mostSeries) return { samples: [], problem: `Its query gives ${results.length} series, and ${mostSeries} are the most; aggregate them.` }
  if (absence) return { samples: results.length === 0 ? [{ labels: {}, holds: true }] : [] }
  return { samples: results.flatMap((result) => sampleOf(result, metric!)) }
}

export function filledQuery(query: string, source: Pick<Source, 'team' | 'rule' | 'slo'>): string {
  const { app = '', environment = '' } = placeOf(source as Source)
  const values: Record<string, string> = { team: source.team, app, environment }
  return query.replace(/\$(team|app|environment)\b/g, (_, name: string) => values[name]!)
}

/** None where the value is fine; what is no number says nothing. */
export function sampleOf({ labels, value }: QueryResult, { above, below, clearBelow, clearAbove }: NonNullable<AlertRuleSpec['condition']['metric']>): Sample[] {
  const holds = above === undefined ? value < below! : value > above
  const keeps = above === undefined ? clearAbove !== undefined && value <= clearAbove : clearBelow !== undefined && value >= clearBelow
  return holds || keeps ? [{ labels, value, holds }] : []
}

async function countLines({ logs }: MeasureDeps, source: Source, now: Date): Promise<Measured> {
  if (!logs) return { samples: [], problem: 'Its condition is about logs, and this installation keeps none.' }
  const { match, level, overPerMinute } = source.rule!.spec.condition.log!
  const { app, environment } = placeOf(source)
  const value = await logs.count({ team: source.team, app: app!, environment: environment!, match, level, from: new Date(now.getTime() - minuteMs), until: now })
  return { samples: value > overPerMinute ? [{ labels: {}, value, text: `${figure(value)} lines of ${app} with "${match}" in a minute, ${overPerMinute} are fine.`, holds: true }] : [] }
}

function ofSlo({ slo }: MeasureDeps, { team, rule }: Source): Measured {
  const { name, alert } = rule!.spec.condition.slo!
  const found = slo(team, name)
  if (!found) return { samples: [], problem: `There is no objective ${name} in this team.` }
  return { samples: (found.status?.alerts ?? []).filter((one) => one.alert === alert).map(({ text }) => ({ labels: { slo: name, severity: alert }, text, holds: true })) }
}
