/** Which requests are told one by one, and what is told of them. */
import type { RequestSpan } from '@pavior/contract'
import type { RequestIds } from './forward.ts'
import { isTraceparent, pathOf } from './plan.ts'
import type { CounterLabels } from './records.ts'
import type { RequestHead } from './request-head.ts'
import type { RouterSettings } from './settings.ts'

const longestPath = 300
const longestHost = 255

/** A request that is over. Times are of the router's own clock, 0 for what did not happen. */
export interface EndedRequest {
  head: RequestHead
  ids: RequestIds
  labels: CounterLabels
  startedAt: number
  until: number
  sentAt: number
  respondedAt: number
  status: number
  error: string | undefined
  tries: number
  woke: boolean
  struckBy: string | undefined
  bytesIn: number
  bytesOut: number
}

interface Share {
  second: number
  usual: number
  bad: number
}

type Settings = Pick<RouterSettings, 'slowRequestMs' | 'usualSpansPerSecond' | 'badSpansPerSecond'>

/**
 * Keeps what failed or was slow, and the first few others of each instance in every second. One that fails is worth more than many
 * that do not, so they have shares of their own; with few requests all of them are kept.
 */
export class SpanRecorder {
  private readonly settings: Settings
  private readonly now: () => number
  private readonly wallClock: () => number
  private readonly onFirst: () => void
  private readonly shares = new WeakMap<CounterLabels, Share>()
  private kept: RequestSpan[] = []

  constructor(settings: Settings, now: () => number, wallClock: () => number, onFirst: () => void) {
    this.settings = settings
    this.now = now
    this.wallClock = wallClock
    this.onFirst = onFirst
  }

  /** Whether there is room for a request. Asked for each one, so it makes nothing. `error`: the router answered in place of the instance. */
  wants(labels: CounterLabels, status: number, error: string | undefined, durationMs: number): boolean {
    const share = this.shareOf(labels)
    const { slowRequestMs, badSpansPerSecond, usualSpansPerSecond } = this.settings
    const isBad = status >= 500 || error !== undefined || durationMs >= slowRequestMs
    return isBad ? ++share.bad <= badSpansPerSecond : ++share.usual <= usualSpansPerSecond
  }

  add(request: EndedRequest): void {
    if (this.kept.length === 0) this.onFirst()
    this.kept.push(spanOf(request, this.wallClock() - this.now()))
  }

  /** Hands out what was kept and begins anew. */
  take(): RequestSpan[] {
    const taken = this.kept
    this.kept = []
    return taken
  }

  private shareOf(labels: CounterLabels): Share {
    const second = Math.floor(this.now() / 1_000)
    let share = this.shares.get(labels)
    if (!share) this.shares.set(labels, (share = { second, usual: 0, bad: 0 }))
    else if (share.second !== second) {
      share.second = second
      share.usual = share.bad = 0
    }
    return share
  }
}

function spanOf({ head, ids, labels, startedAt, until, sentAt, respondedAt, status, error, tries, woke, struckBy, bytesIn, bytesOut }: EndedRequest, epochMs: number): RequestSpan {
  return {
    sequence: 0,
    at: new Date(epochMs + startedAt).toISOString(),
    durationMs: rounded(until - startedAt),
    ...(sentAt > 0 ? { sentMs: rounded(sentAt - startedAt) } : {}),
    ...(respondedAt > 0 ? { answeredMs: rounded(respondedAt - startedAt) } : {}),
    traceId: ids.traceparent.slice(3, 35),
    spanId: ids.traceparent.slice(36, 52),
    ...(isTraceparent(head.traceparent) ? { parentId: head.traceparent.slice(36, 52) } : {}),
    requestId: ids.requestId,
    method: head.method,
    host: head.host.slice(0, longestHost),
    path: pathOf(head.target).slice(0, longestPath),
    status,
    ...(error === undefined ? {} : { error }),
    ...labels,
    tries,
    ...(woke ? { woke: true as const } : {}),
    ...(struckBy === undefined ? {} : { fault: struckBy }),
    bytesIn,
    bytesOut,
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
