import type { Condition } from '@pavior/contract'

/** A condition whose time changes only when its status does. */
export function withTransition(condition: Omit<Condition, 'lastTransitionTime'>, previous: Condition[] | undefined, now: string): Condition {
  const before = previous?.find(({ type }) => type === condition.type)
  return { ...condition, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now }
}
