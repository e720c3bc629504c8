/** Objectives whose events come from PromQL: what each minute gave. */
import type { SloSpec } from '@pavior/contract'
import type { Counted } from './plan.ts'
import type { Query, QueryResult } from './ports.ts'

const minuteMs = 60_000
/** Metrics of a minute are all there so long after its end. */
export const settleMs = 30_000
/** Minutes of one objective that are asked for at once, when some were missed. */
const mostMinutes = 60

export interface Queried {
  counted: Map<number, Counted>
  /** Newest minute that was asked for. */
  through: number
  /** Why it stopped early. */
  problem: string | undefined
}

/** Minutes above `after` that have ended and settled. Those too far back are gaps, so that it catches up. */
export async function askMinutes(query: Query | undefined, team: string, indicator: NonNullable<SloSpec['indicator']>, after: number, now: Date): Promise<Queried> {
  const last = Math.floor((now.getTime() - settleMs) / minuteMs) - 1
  const counted = new Map<number, Counted>()
  if (!query) return { counted, through: after, problem: 'Its indicator is PromQL, and this installation answers no queries.' }
  let minute = after + 1
  for (; minute <= last - mostMinutes; minute++) counted.set(minute, { good: 0, total: 0, gap: 1 })
  for (; minute <= last; minute++) {
    const at = new Date((minute + 1) * minuteMs)
    try {
      counted.set(minute, await countMinute((text) => query(team, text, at, indicator.source), indicator))
    } catch (error) {
      return { counted, through: minute - 1, problem: `Its query failed: ${(error as Error).message}` }
    }
  }
  return { counted, through: Math.max(after, last), problem: undefined }
}

async function countMinute(ask: (text: string) => Promise<QueryResult[]>, { ratio, threshold }: NonNullable<SloSpec['indicator']>): Promise<Counted> {
  if (threshold) {
    const values = (await ask(threshold.query)).map(({ value }) => value).filter(Number.isFinite)
    const good = values.filter((value) => holds(value, threshold)).length
    return { good, total: values.length, gap: values.length === 0 ? 1 : 0 }
  }
  const total = sum(await ask(ratio!.total))
  if (total === undefined) return { good: 0, total: 0, gap: 1 }
  const part = sum(await ask((ratio!.good ?? ratio!.bad)!)) ?? 0
  return { good: Math.min(total, Math.max(0, ratio!.good === undefined ? total - part : part)), total, gap: 0 }
}

function holds(value: number, { op, value: limit }: NonNullable<NonNullable<SloSpec['indicator']>['threshold']>): boolean {
  return { lt: value < limit, lte: value <= limit, gt: value > limit, gte: value >= limit }[op]
}

/** Undefined where there is no series at all: nobody knows. */
function sum(results: QueryResult[]): number | undefined {
  const values = results.map(({ value }) => value).filter(Number.isFinite)
  return values.length === 0 ? undefined : Math.max(0, values.reduce((total, value) => total + value, 0))
}
