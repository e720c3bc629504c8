/** Which of several alerts is the cause of others: whoever calls what is broken breaks too. Pure. */

export interface Suspect {
  /** Unique among those that are asked about. */
  id: string
  /** `team/app`; undefined for what is about no app. */
  app: string | undefined
  page: boolean
  /** When it began, milliseconds since the epoch. */
  since: number
}

/** A cause begins at most so long before what it causes, and is noticed at most so long after it. */
export const causeBeforeMs = 3600_000
export const causeAfterMs = 600_000

/**
 * The cause of each alert by its id, for those that have one. `calls`: apps that an app calls. Where apps call each other
 * in a circle, what began first is the cause of the rest.
 */
export function causesOf(alerts: readonly Suspect[], calls: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const pagesOf = new Map<string, Suspect>()
  for (const alert of alerts.filter(({ app, page }) => app !== undefined && page).toSorted(byAge)) if (!pagesOf.has(alert.app!)) pagesOf.set(alert.app!, alert)
  const found = new Map<string, string>()
  for (const alert of alerts) {
    if (alert.app === undefined) continue
    const cause = rootFor(alert, pagesOf, calls)
    if (cause) found.set(alert.id, cause.id)
  }
  return found
}

function byAge(one: Suspect, other: Suspect): number {
  return one.since - other.since || (one.id < other.id ? -1 : 1)
}

/** The oldest page among broken apps that the way of calls ends at. */
function rootFor(alert: Suspect, pagesOf: ReadonlyMap<string, Suspect>, calls: ReadonlyMap<string, readonly string[]>): Suspect | undefined {
  const broken = (app: string): string[] => (calls.get(app) ?? []).filter((called) => called !== app && pagesOf.has(called) && couldCause(pagesOf.get(called)!, alert))
  const known = new Map<string, Set<string>>()
  const reachedFrom = (start: string): Set<string> => {
    const reached = known.get(start) ?? new Set<string>()
    if (known.has(start)) return reached
    known.set(start, reached)
    const open = broken(start)
    for (let app = open.pop(); app !== undefined; app = open.pop()) {
      if (reached.has(app)) continue
      reached.add(app)
      open.push(...broken(app))
    }
    return reached
  }
  const reached = reachedFrom(alert.app!)
  // An end of the way: whatever it calls that is broken calls it as well.
  const ends = [...reached].filter((app) => [...reachedFrom(app)].every((next) => next === app || reachedFrom(next).has(app)))
  const root = ends.map((app) => pagesOf.get(app)!).toSorted(byAge)[0]
  // In a circle with the alert itself the oldest stands for all of it.
  const circle = reached.has(alert.app!) || (root !== undefined && reachedFrom(root.app!).has(alert.app!))
  if (!root || root.id === alert.id) return undefined
  return circle && byAge(alert, root) < 0 && alert.page ? undefined : root
}

function couldCause(cause: Suspect, effect: Suspect): boolean {
  return cause.since >= effect.since - causeBeforeMs && cause.since <= effect.since + causeAfterMs
}
