/** How rules do: what was acted upon, what was noise, what woke people. */
import { isDeepStrictEqual } from 'node:util'
import type { AlertRuleStatus, NoiseReport, RuleNoise } from '@pavior/contract'
import { ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { actor, type LookDeps } from './deps.ts'
import type { Alert } from './groups.ts'
import type { AlertRule } from './sources.ts'
import { takeTurn } from './store.ts'

const dayMs = 24 * 3600_000
export const precisionDays = 28
const weekDays = 7
const nightFrom = 22
const nightTo = 6

/** Pure: the worst first, by what woke people for nothing. */
export function noiseOf(alerts: readonly Alert[], from: Date, until: Date): NoiseReport {
  const rules = new Map<string, RuleNoise>()
  for (const { spec, status } of alerts) {
    const since = Date.parse(status?.since ?? '')
    // Of what was quiet nobody was told.
    if (!(since >= from.getTime() && since < until.getTime()) || !status?.escalation) continue
    const source = `${spec.source.kind}/${spec.source.name}`
    const rule = rules.get(source) ?? { source, alerts: 0, pages: 0, actedUpon: 0, noise: 0, atNight: 0 }
    rules.set(source, rule)
    rule.alerts++
    if (status.verdict === 'ActedUpon') rule.actedUpon++
    if (status.verdict === 'Noise') rule.noise++
    if (spec.severity !== 'page') continue
    rule.pages++
    const hour = new Date(since).getUTCHours()
    if (hour >= nightFrom || hour < nightTo) rule.atNight++
  }
  for (const rule of rules.values()) if (rule.actedUpon + rule.noise > 0) rule.precision = Number((rule.actedUpon / (rule.actedUpon + rule.noise)).toFixed(3))
  return { from: from.toISOString(), until: until.toISOString(), rules: [...rules.values()].toSorted((one, other) => other.noise - one.noise || other.atNight - one.atNight || other.alerts - one.alerts) }
}

export async function reportOf(resources: Resources, team: string, days: number, now: Date): Promise<NoiseReport> {
  return noiseOf(await resources.listAll<Alert>(actor, 'Alert', team), new Date(now.getTime() - days * dayMs), now)
}

/** What came of the alerts of every rule stands in its status. */
export async function publishPrecision({ resources, rules, clock, database, events }: Pick<LookDeps, 'resources' | 'rules' | 'clock' | 'database' | 'events'>): Promise<void> {
  const now = clock.now()
  const byTeam = new Map<string, AlertRule[]>()
  for (const rule of rules.values()) byTeam.set(rule.metadata.namespace!, [...(byTeam.get(rule.metadata.namespace!) ?? []), rule])
  for (const [team, own] of byTeam) {
    const { rules: noise } = await reportOf(resources, team, precisionDays, now)
    const by = new Map(noise.map((one) => [one.source, one]))
    for (const rule of own) await publishOne(resources, rule, by.get(`AlertRule/${rule.metadata.name}`))
    await tellWeekly({ resources, database, events }, team, own, now)
  }
}

async function publishOne(resources: Resources, { metadata }: AlertRule, noise: RuleNoise | undefined): Promise<void> {
  const precision: AlertRuleStatus['precision'] = noise && { alerts: noise.alerts, actedUpon: noise.actedUpon, noise: noise.noise }
  const key = { kind: 'AlertRule', namespace: metadata.namespace!, name: metadata.name }
  await resources.mutate<AlertRule>(actor, key, (current) => {
    const { precision: before, ...status } = current!.status ?? {}
    return isDeepStrictEqual(before, precision) ? current! : { ...current!, status: { ...status, ...(precision ? { precision } : {}) } }
  }, { subresource: 'status' }).catch(ignore('NOT_FOUND'))
}

/** On Mondays, at the bell: the rule that made most noise in the week before. */
async function tellWeekly({ resources, database, events }: Pick<LookDeps, 'resources' | 'database' | 'events'>, team: string, own: readonly AlertRule[], now: Date): Promise<void> {
  if (now.getUTCDay() !== 1 || !(await takeTurn(database, `weekly report of ${team}`, 2 * dayMs))) return
  const { rules } = await reportOf(resources, team, weekDays, now)
  const worst = rules.find(({ noise, source }) => noise > 0 && source.startsWith('AlertRule/'))
  const rule = worst && own.find(({ metadata }) => `AlertRule/${metadata.name}` === worst.source)
  if (!worst || !rule) return
  const all = rules.reduce((sum, { alerts, noise, atNight }) => ({ alerts: sum.alerts + alerts, noise: sum.noise + noise, atNight: sum.atNight + atNight }), { alerts: 0, noise: 0, atNight: 0 })
  await events.record(rule as never, 'Normal', 'NoiseReport', `Last week: ${all.alerts} alerts, ${all.noise} of them noise, ${all.atNight} pages at night. ${rule.metadata.name} made most noise: ${worst.noise} of ${worst.alerts}. See pavior alerts report.`, 'reliability')
}
