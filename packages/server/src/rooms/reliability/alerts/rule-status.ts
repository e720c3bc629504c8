/** What a rule says of itself: state, members, what is wrong with it. */
import { isDeepStrictEqual } from 'node:util'
import type { AlertRuleStatus } from '@pavior/contract'
import { ignore } from '../../../kernel/errors.ts'
import { toldText } from '../notify/telling.ts'
import type { Measured } from './conditions.ts'
import { actor, type LookDeps } from './deps.ts'
import type { MemberPlan } from './plan.ts'
import type { AlertRule } from './sources.ts'

/** That nothing changed is told this often. */
const toldEveryMs = 3600_000

function stateOf({ spec }: AlertRule, problem: string | undefined, firing: number, pending: number): NonNullable<AlertRuleStatus['state']> {
  if (spec.enabled === false) return 'Disabled'
  if (problem !== undefined) return 'Broken'
  return firing > 0 ? 'Firing' : pending > 0 ? 'Pending' : 'Inactive'
}

/** Pure; who is told is added where it is written. */
export function ruleStatus(rule: AlertRule, { problem }: Pick<Measured, 'problem'>, { members, leftOut }: Pick<MemberPlan, 'members' | 'leftOut'>, now: Date): AlertRuleStatus {
  const firing = members.filter(({ state }) => state === 'Firing').length
  const state = stateOf(rule, problem, firing, members.length - firing)
  const { status: before } = rule
  const same = before?.state === state
  return {
    state,
    since: same && before.since !== undefined ? before.since : now.toISOString(),
    firing,
    pending: members.length - firing,
    ...(leftOut > 0 ? { leftOut } : {}),
    ...(problem === undefined ? {} : { problem: problem.slice(0, 500) }),
    evaluatedAt: now.toISOString(),
    ...(before?.told === undefined ? {} : { told: before.told }),
    ...(before?.precision ? { precision: before.precision } : {}),
    observedGeneration: rule.metadata.generation ?? 0,
  }
}

function isNews(before: AlertRuleStatus | undefined, next: AlertRuleStatus): boolean {
  if (!before?.evaluatedAt) return true
  const { evaluatedAt: _, ...told } = before
  const { evaluatedAt: at, ...now } = next
  const age = Date.parse(at!) - Date.parse(before.evaluatedAt)
  return age >= toldEveryMs || age < 0 || !isDeepStrictEqual(told, now)
}

export async function publishRule({ database, resources, events }: Pick<LookDeps, 'database' | 'resources' | 'events'>, rule: AlertRule, measured: Measured, plan: Pick<MemberPlan, 'members' | 'leftOut'>, now: Date): Promise<void> {
  const proposed = ruleStatus(rule, measured, plan, now)
  if (!isNews(rule.status, proposed)) return
  const told = await toldText(resources, rule.metadata.namespace!, rule.spec.escalationPolicy)
  const key = { kind: 'AlertRule', namespace: rule.metadata.namespace!, name: rule.metadata.name }
  await database.transaction(async (tx) => {
    let broke = false
    const written = await resources.mutate<AlertRule>(actor, key, (current) => {
      const status = { ...ruleStatus(current!, measured, plan, now), told }
      broke = status.state === 'Broken' && current!.status?.state !== 'Broken'
      return current!.metadata.uid === rule.metadata.uid ? { ...current!, status } : current!
    }, { subresource: 'status', tx })
    if (broke) await events.record(written as never, 'Warning', 'RuleBroken', `It cannot be told whether ${rule.metadata.name} holds: ${measured.problem}`, 'reliability', tx)
  }).catch(ignore('NOT_FOUND'))
}
