/** OpenTelemetry's way in for spans. */
import { RateLimiter } from '../../../kernel/api/limits.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Drops } from '../drops.ts'
import { dropReasons, type DropReason } from '../metrics/plan.ts'
import type { OwnedResource, Rejected, Signal } from '../otlp/intake.ts'
import type { SendOn } from './collect.ts'
import { convertSpans } from './otlp.ts'
import { insertSpans } from './store.ts'
import type { Span } from '@pavior/contract'

/** A burst of so many seconds is taken whole. */
const burstSeconds = 10
/** What failed gets this share of the limit on top, so that it is dropped last. */
const failedShare = 0.5

export interface SpanIntakeDeps {
  database: Database
  drops: Drops
  /** Spans that one app may send a second, over time. */
  appSpansPerSecond: number
  clock: Clock
  sendOn: SendOn
}

export function spanSignal(deps: SpanIntakeDeps): Signal {
  const usual = new RateLimiter(deps.appSpansPerSecond, deps.appSpansPerSecond * burstSeconds, deps.clock)
  const failed = new RateLimiter(deps.appSpansPerSecond * failedShare, deps.appSpansPerSecond * failedShare * burstSeconds, deps.clock)
  const hasRoom = ({ team, app, failed: bad }: Span): boolean => usual.take(`${team}/${app}`) === undefined || (bad && failed.take(`${team}/${app}`) === undefined)
  return {
    name: 'traces', request: 'ExportTraceServiceRequest', response: 'ExportTraceServiceResponse', list: 'resourceSpans', rejected: 'rejectedSpans',
    take: async (resources) => {
      const { spans, lost } = convert(resources, deps.drops, hasRoom)
      if (spans.length > 0) await deps.database.transaction((tx) => insertSpans(tx, spans).then(() => deps.sendOn(tx, spans)))
      return rejectedOf(lost)
    },
  }
}

function convert(resources: readonly OwnedResource[], drops: Drops, hasRoom: (span: Span) => boolean): { spans: Span[]; lost: Map<DropReason, number> } {
  const taken: Span[] = []
  const lost = new Map<DropReason, number>()
  for (const { owner, content } of resources) {
    const { spans, broken } = convertSpans(content, owner)
    // What failed goes first, as long as there is room.
    const chosen = spans.toSorted((one, other) => Number(other.failed) - Number(one.failed)).filter(hasRoom)
    const dropped = new Map<DropReason, number>([['span_rate', spans.length - chosen.length], ['broken_span', broken]].filter(([, count]) => (count as number) > 0) as [DropReason, number][])
    if (dropped.size > 0) drops.count(owner, dropped)
    for (const [reason, count] of dropped) lost.set(reason, (lost.get(reason) ?? 0) + count)
    taken.push(...chosen)
  }
  return { spans: taken, lost }
}

function rejectedOf(lost: ReadonlyMap<DropReason, number>): Rejected {
  return { count: [...lost.values()].reduce((sum, count) => sum + count, 0), why: [...lost].map(([reason, count]) => `${count} spans were dropped (${reason}): ${dropReasons[reason]}`).join(' ') }
}
