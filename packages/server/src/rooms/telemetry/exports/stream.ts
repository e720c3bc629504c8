/** One signal of one export: reads what comes next, sends it, and notes how far it came once the other side has answered. */
import { isPaviorError, type ExportSignal } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { afterFailure, larger, mostItems } from './plan.ts'
import type { UnsentFacts } from './ports.ts'
import { readNext, type Next } from './read.ts'
import type { Sender, TelemetryExport } from './send.ts'
import type { SeriesNames } from './series-names.ts'
import { leaveTurn, noteFailure, settle, takeTurn, type Position, type Settled } from './store.ts'

/** Longer than any attempt takes, so that nobody else sends what is being sent. */
const leaseMs = 30_000
/** Then others have their turn, too. */
const batchesAtOnce = 100
const usualMaxLagMinutes = 60
const longestMessage = 300

export interface StreamDeps {
  database: Database
  sender: Sender
  names: SeriesNames
  /** Which server this is. */
  me: string
  clock: Clock
  /** From 0 to 1. */
  lot: () => number
  /** Hears of what was sent. */
  sent: (signal: ExportSignal, items: number) => void
}

/** As long as there is something and it goes well. `atMost` is kept by whoever calls. */
export async function runStream(deps: StreamDeps, of: TelemetryExport, signal: ExportSignal, sizes: Map<string, number>, stopped: AbortSignal): Promise<void> {
  const { database, me } = deps
  const stream = { uid: of.metadata.uid, signal, me, leaseMs }
  const turn = await takeTurn(database, stream)
  if (!turn) return
  let { position, failures } = turn
  try {
    for (let count = 0; count < batchesAtOnce && !stopped.aborted; count++) {
      const went = await sendNext(deps, of, stream, position, failures, sizes, stopped)
      if (!went) return
      ;({ position } = went)
      failures = 0
      if (went.isAll) return
    }
  } finally {
    await leaveTurn(database, stream)
  }
}

interface Stream {
  uid: string
  signal: ExportSignal
  me: string
  leaseMs: number
}

/** Undefined: it is not gone on with now. */
async function sendNext(deps: StreamDeps, of: TelemetryExport, stream: Stream, position: Position, failures: number, sizes: Map<string, number>, stopped: AbortSignal): Promise<{ position: Position; isAll: boolean } | undefined> {
  const { database, names, clock } = deps
  const key = `${stream.uid}/${stream.signal}`
  const oldest = new Date(clock.now().getTime() - (of.spec.maxLagMinutes ?? usualMaxLagMinutes) * 60_000)
  const next = await readNext(database, names, { spec: of.spec, team: of.metadata.namespace!, signal: stream.signal, position, atMost: sizes.get(key) ?? mostItems[stream.signal], oldest })
  const settled: Settled = { position: next.position, behindSince: next.isAll ? undefined : next.storedAt, sent: 0, refused: 0, tooOld: next.tooOld, gone: next.gone, success: false }
  if (next.items > 0) {
    const outcome = await attempt(deps, of, stream, next, failures, sizes, stopped)
    // Sent again in parts: nothing is noted of it, and the position stays.
    if (outcome === 'again') return { position, isAll: false }
    if (outcome === undefined) return undefined
    Object.assign(settled, outcome)
  } else if (samePlace(next.position, position) && next.tooOld === 0) return undefined
  if (!(await settle(database, stream, settled))) return undefined
  return next
}

function samePlace(one: Position, other: Position): boolean {
  return one.tx === other.tx && one.id === other.id && one.done === other.done
}

async function attempt(deps: StreamDeps, of: TelemetryExport, stream: Stream, next: Next, failures: number, sizes: Map<string, number>, stopped: AbortSignal): Promise<Pick<Settled, 'sent' | 'refused' | 'success'> | 'again' | undefined> {
  const key = `${stream.uid}/${stream.signal}`
  try {
    const { rejected } = await deps.sender.send(of, next.batch, stopped)
    const atMost = sizes.get(key)
    if (atMost !== undefined) setSize(sizes, key, larger(atMost, stream.signal), stream.signal)
    deps.sent(stream.signal, next.items - rejected)
    return { sent: next.items - rejected, refused: rejected, success: true }
  } catch (error) {
    // Stopping is no failure: whoever comes next sends it.
    if (stopped.aborted) return undefined
    if (!isPaviorError(error)) throw error
    const { message, facts = {} } = error.details
    const then = afterFailure(facts as UnsentFacts, next.items, failures, deps.lot())
    if (then.do === 'drop') return { sent: 0, refused: next.items, success: false }
    if (then.do === 'split') {
      setSize(sizes, key, then.atMost, stream.signal)
      return 'again'
    }
    await noteFailure(deps.database, stream, { message: message.slice(0, longestMessage), waitMs: then.ms, behindSince: next.storedAt })
    return undefined
  }
}

/** Remembered only while it is smaller than usual. */
function setSize(sizes: Map<string, number>, key: string, atMost: number, signal: ExportSignal): void {
  if (atMost >= mostItems[signal]) sizes.delete(key)
  else sizes.set(key, atMost)
}
