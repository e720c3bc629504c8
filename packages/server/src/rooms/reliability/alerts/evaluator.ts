/** Looks every few seconds; of several servers one does. */
import type { Resource } from '@pavior/contract'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { recurring } from '../../../kernel/lifecycle/recurring.ts'
import { pruneNotifications } from '../notify/store.ts'
import { actor, type LookDeps } from './deps.ts'
import type { Alert } from './groups.ts'
import { lookOnce } from './look.ts'
import { publishPrecision } from './report.ts'
import { pruneGroups, pruneMembers, takeTurn } from './store.ts'

/** What fires is found within this and the time of a look. */
export const lookIntervalMs = 5000
const longestPauseMs = 60_000
/** The pause is so many times as long as the look before it: with many rules looks are rarer. */
const pausePerWork = 4
const upkeepIntervalMs = 600_000
/** Longer than precision is reckoned over. */
const keepMs = 35 * 24 * 3600_000
/** Alerts that are over, of one team. */
const mostKept = 1000
const groupIdleMs = 7 * 24 * 3600_000

/** Until the next look, after one that took so long. */
export function pauseAfter(tookMs: number): number {
  return Math.min(longestPauseMs, Math.max(lookIntervalMs - tookMs, tookMs * pausePerWork))
}

export function createAlertEvaluator(deps: LookDeps): Part {
  const once = async (signal: AbortSignal): Promise<void> => {
    if (!(await takeTurn(deps.database, 'look', lookIntervalMs))) return
    await lookOnce(deps, signal)
    if (await takeTurn(deps.database, 'upkeep', upkeepIntervalMs)) await upkeep(deps)
  }
  return recurring({
    name: 'alerts',
    pauseMs: pauseAfter,
    once,
    failed: ({ message }) => deps.log.warn({ err: message }, 'alerts could not be looked at; what fires is found at the next look'),
  })
}

async function upkeep(deps: LookDeps): Promise<void> {
  const live = [...deps.rules.values(), ...deps.slos.values()].map(({ metadata }) => metadata.uid)
  await pruneMembers(deps.database, live, upkeepIntervalMs)
  await pruneGroups(deps.database, groupIdleMs)
  await pruneNotifications(deps.database, keepMs)
  await pruneAlerts(deps)
  await publishPrecision(deps)
}

async function pruneAlerts({ resources, clock }: LookDeps): Promise<void> {
  const over = (await resources.listAll<Alert>(actor, 'Alert', undefined, { fields: [{ path: 'status.state', operator: '=', value: 'Resolved' }] })).toSorted((one, other) => Date.parse(other.status!.resolvedAt!) - Date.parse(one.status!.resolvedAt!))
  const kept = new Map<string, number>()
  for (const { metadata, status } of over) {
    const count = (kept.get(metadata.namespace!) ?? 0) + 1
    kept.set(metadata.namespace!, count)
    if (count <= mostKept && clock.now().getTime() - Date.parse(status!.resolvedAt!) < keepMs) continue
    await resources.delete<Resource>(actor, { kind: 'Alert', namespace: metadata.namespace!, name: metadata.name }, { preconditions: { uid: metadata.uid } }).catch(() => undefined)
  }
}
