import { durationBucketsMs, type CallerCounts, type RequestRecord } from '@pavior/contract'
import { escaped, outsider } from './callers.ts'

/** Whose requests a counter counts. `instance` is empty for what the router answered because there was none. */
export type CounterLabels = Pick<RequestRecord, 'team' | 'app' | 'environment' | 'release' | 'instance'>

/** Counts of one interval, without the interval itself. */
export type Counts = Pick<
  RequestRecord, 'statusClasses' | 'routerErrors' | 'durationBuckets' | 'durationSumMs' | 'bytesIn' | 'bytesOut'
> & {
  /** By `team/app`, `outsider` or `escaped`. */
  calls?: Record<string, CallTally>
}

export interface CallTally {
  requests: number
  errors: number
}

export type CountedRequests = CounterLabels & Counts

const emptyCounts = (): Counts => ({
  statusClasses: [0, 0, 0, 0, 0], routerErrors: 0, durationBuckets: [...durationBucketsMs, 0].map(() => 0),
  durationSumMs: 0, bytesIn: 0, bytesOut: 0,
})

/** Index of the bucket that a duration falls into; bounds are inclusive. */
export function bucketOf(durationMs: number): number {
  let index = 0
  while (index < durationBucketsMs.length && durationMs > durationBucketsMs[index]!) index++
  return index
}

/** Counts requests in place; nothing is allocated for a request. */
export class RequestCounter {
  readonly labels: CounterLabels
  private readonly changed: RequestCounter[]
  private counts = emptyCounts()
  private dirty = false

  constructor(labels: CounterLabels, changed: RequestCounter[]) {
    this.labels = labels
    this.changed = changed
  }

  /** Counts one request. `routerError`: the router answered it with an error of its own. */
  add(status: number, durationMs: number, bytesIn: number, bytesOut: number, routerError: boolean): void {
    this.touch()
    const counts = this.counts
    counts.statusClasses[(Math.min(599, status) / 100 | 0) - 1]!++
    if (routerError) counts.routerErrors++
    counts.durationBuckets[bucketOf(durationMs)]!++
    counts.durationSumMs += durationMs
    counts.bytesIn += bytesIn
    counts.bytesOut += bytesOut
  }

  /** Counts requests of a known caller; they are counted by `add` too. */
  addCall(caller: string, requests: number, errors: number): void {
    this.touch()
    const calls = (this.counts.calls ??= {})
    const tally = (calls[caller] ??= { requests: 0, errors: 0 })
    tally.requests += requests
    tally.errors += errors
  }

  private touch(): void {
    if (this.dirty) return
    this.dirty = true
    this.changed.push(this)
  }

  /** Hands out what was counted and begins anew. */
  take(): CountedRequests {
    const taken = { ...this.labels, ...this.counts }
    this.counts = emptyCounts()
    this.dirty = false
    return taken
  }
}

/** Adds `more` to `counts`. */
export function addCounts(counts: Counts, more: Counts): void {
  more.statusClasses.forEach((count, index) => { counts.statusClasses[index]! += count })
  more.durationBuckets.forEach((count, index) => { counts.durationBuckets[index]! += count })
  counts.routerErrors += more.routerErrors
  counts.durationSumMs += more.durationSumMs
  counts.bytesIn += more.bytesIn
  counts.bytesOut += more.bytesOut
  for (const [caller, tally] of Object.entries(more.calls ?? {})) {
    const sum = ((counts.calls ??= {})[caller] ??= { requests: 0, errors: 0 })
    sum.requests += tally.requests
    sum.errors += tally.errors
  }
}

/** Merges what several workers counted, by instance. */
export function mergeCounted(lists: readonly (readonly CountedRequests[])[]): CountedRequests[] {
  const merged = new Map<string, CountedRequests>()
  for (const counted of lists.flat()) {
    const key = [counted.team, counted.app, counted.environment, counted.release, counted.instance].join('\n')
    const before = merged.get(key)
    if (before) addCounts(before, counted)
    else merged.set(key, structuredClone(counted))
  }
  return [...merged.values()]
}

/** Requests by app; those of which nobody knows the app have no name. What comes from elsewhere is left out. */
export function callersOf(calls: Record<string, CallTally> = {}): CallerCounts[] {
  return Object.entries(calls).flatMap(([caller, tally]) => {
    if (caller === outsider || tally.requests === 0) return []
    const [team = '', app = ''] = caller === escaped ? [] : caller.split('/')
    return [{ team, app, ...tally }]
  })
}
