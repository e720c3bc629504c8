/** Alert policies of OpenSLO: burn rates over the times that are kept here. Pure. */
import { burnWindows, type SloSpec } from '@pavior/contract'
import type { Known } from './openslo.ts'
import { annotationNames, type Fields, type Reading } from './openslo-reading.ts'

type Alerting = NonNullable<SloSpec['alerting']>
type PageRule = NonNullable<Alerting['page']>[number]

const longs = Object.keys(burnWindows).filter((name) => name !== '5m')
const shorts = Object.keys(burnWindows).filter((name) => name !== '3d')

export function alertingOf(given: unknown, annotations: Record<string, string>, reading: Reading, known: Known): Alerting | undefined {
  const page = reading.list(given, 'spec.alertPolicies').flatMap((policy, index) => rulesOf(policy, `spec.alertPolicies[${index}]`, reading, known))
  const number = (name: string): number | undefined => (annotations[name] === undefined ? undefined : reading.number(Number(annotations[name]), `metadata.annotations.${name}`))
  const [ticketAt, minimumBad] = [number(annotationNames.ticketAt), number(annotationNames.minimumBad)]
  const alerting = { ...(page.length > 0 ? { page } : {}), ...(ticketAt === undefined ? {} : { ticketAt }), ...(minimumBad === undefined ? {} : { minimumBad }) }
  return Object.keys(alerting).length > 0 ? alerting : undefined
}

/** Inline, or by name. */
function follow(given: unknown, path: string, reference: string, among: Map<string, Fields>, reading: Reading): Fields | undefined {
  const one = reading.map(given, path, [reference, 'apiVersion', 'kind', 'metadata', 'spec'])
  if (!one || one[reference] === undefined) return one
  const found = among.get(String(one[reference]))
  if (!found) reading.wrong(`${path}.${reference}`, `there is no "${String(one[reference]).slice(0, 80)}" among these documents.`)
  return found
}

function rulesOf(given: unknown, path: string, reading: Reading, { policies, conditions }: Known): PageRule[] {
  const policy = follow(given, path, 'alertPolicyRef', policies, reading)
  const spec = policy && reading.map(policy.spec, `${path}.spec`, ['description', 'alertWhenNoData', 'alertWhenBreaching', 'alertWhenResolved', 'conditions', 'notificationTargets'])
  if (!spec) return []
  if (spec.alertWhenNoData === true) reading.wrong(`${path}.spec.alertWhenNoData`, 'has no counterpart here.')
  if (reading.list(spec.notificationTargets, `${path}.spec.notificationTargets`).length > 0) reading.wrong(`${path}.spec.notificationTargets`, 'has no counterpart here: who is told is not a matter of the objective.')
  return reading.list(spec.conditions, `${path}.spec.conditions`).flatMap((condition, index) => ruleOf(follow(condition, `${path}.spec.conditions[${index}]`, 'conditionRef', conditions, reading), `${path}.spec.conditions[${index}]`, reading))
}

function ruleOf(condition: Fields | undefined, path: string, reading: Reading): PageRule[] {
  const spec = condition && reading.map(condition.spec, `${path}.spec`, ['description', 'severity', 'condition'])
  const burn = spec && reading.map(spec.condition, `${path}.spec.condition`, ['kind', 'op', 'threshold', 'lookbackWindow', 'alertAfter'])
  if (!spec || !burn) return []
  if (spec.severity !== 'page') return reading.wrong(`${path}.spec.severity`, `${String(spec.severity).slice(0, 40)} has no counterpart: burn rates page, and the ticket comes by the share of the budget that is used.`)
  if (burn.kind !== 'burnrate') return reading.wrong(`${path}.spec.condition.kind`, 'must be burnrate.')
  if (burn.op !== 'gt' && burn.op !== 'gte') return reading.wrong(`${path}.spec.condition.op`, 'must be gt or gte.')
  const over = reading.oneOf(burn.lookbackWindow, `${path}.spec.condition.lookbackWindow`, longs) as PageRule['over']
  const short = burn.alertAfter === undefined ? undefined : (reading.oneOf(burn.alertAfter, `${path}.spec.condition.alertAfter`, shorts) as NonNullable<PageRule['short']>)
  return [{ burn: reading.number(burn.threshold, `${path}.spec.condition.threshold`), over, ...(short === undefined ? {} : { short }) }]
}
