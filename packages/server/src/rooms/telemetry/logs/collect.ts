/** Takes what instances wrote from the agent, each line once: lines and how far they go commit together. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { CollectedLog, LogsCollected } from '@pavior/contract'
import { fail } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Drops } from '../drops.ts'
import type { LogSource } from '../ports.ts'
import { entriesOf } from './entries.ts'
import { aheadMs, type LogIngest } from './ingest.ts'
import type { Line } from './line.ts'
import { becomeTaker, holdTaker, notePositions, prunePositions } from './store.ts'

const retryMs = 1000
const answerBytes = 4 * 1024 * 1024
const waitMs = 20_000
/** What comes within this time is written together. */
const gatherMs = 100
/** An answer with so many lines means that there is more. */
const backlogLines = 5000
/** One server takes from an agent. */
const takerLock = 7_220_026

export interface CollectDeps {
  database: PgDatabase
  source: LogSource
  ingest: LogIngest
  drops: Drops
  /** Hears when the oldest line was written that was taken and is not stored yet; undefined when there is none. */
  waiting: (sinceMs: number | undefined) => void
  clock: Clock
  log: Logger
}

export function createLogCollector(deps: CollectDeps): Part {
  const { log } = deps
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'logs could not be taken from the agent; they wait there')
  return recurring({ name: 'log collection', pauseMs: () => retryMs, once: (signal) => takeWhileMine(deps, signal), failed })
}

/** Takes as long as no other server does, and nothing fails. */
async function takeWhileMine(deps: CollectDeps, signal: AbortSignal): Promise<void> {
  const lost = new AbortController()
  const session = await deps.database.session((error) => lost.abort(error))
  try {
    const { rows } = await session.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [takerLock])
    if (!rows[0]!.mine) deps.waiting(undefined)
    else await takeAll(deps, AbortSignal.any([signal, lost.signal]))
  } finally {
    await session.end()
  }
}

export async function takeAll({ database, source, ingest, drops, waiting, clock }: Omit<CollectDeps, 'log'>, signal: AbortSignal): Promise<void> {
  const taker = randomUUID()
  const positions = await becomeTaker(database, source.name, taker)
  let [changed, whole] = [positions, true]
  while (!signal.aborted) {
    const answer: LogsCollected = await source.collectLogs({ session: taker, whole, taken: Object.fromEntries(changed), bytes: answerBytes, waitMs }, signal)
    if (answer.resend) {
      ;[changed, whole] = [positions, true]
      continue
    }
    if (answer.known) await prunePositions(database, source.name, answer.known)
    whole = false
    waiting(oldestIn(answer))
    changed = await takeAnswer({ database, source, ingest, drops, clock }, taker, positions, answer.logs)
    waiting(undefined)
    for (const [log, next] of changed) positions.set(log, next)
    // Whoever has a backlog is not kept waiting.
    if (answer.logs.length > 0 && linesIn(answer) < backlogLines) await setTimeout(gatherMs, undefined, { signal }).catch(() => {})
  }
}

function oldestIn({ logs }: LogsCollected): number | undefined {
  const first = logs.flatMap(({ lines }) => (lines[0] ? [Date.parse(lines[0].time)] : []))
  return first.length === 0 ? undefined : Math.min(...first)
}

function linesIn({ logs }: LogsCollected): number {
  return logs.reduce((sum, { lines }) => sum + lines.length, 0)
}

/** Gives how far each log was taken. */
async function takeAnswer({ database, source, ingest, drops, clock }: Omit<CollectDeps, 'log' | 'waiting'>, taker: string, positions: ReadonlyMap<string, number>, logs: readonly CollectedLog[]): Promise<Map<string, number>> {
  const bounds = { nowMs: clock.now().getTime(), oldestMs: ingest.oldestMs(), aheadMs }
  const next = new Map<string, number>()
  const all: Line[] = []
  for (const collected of logs) {
    const { writer, log, lost } = collected
    const taken = positions.get(log) ?? 0
    const entries = entriesOf(collected, { ...writer, instance: log }, taken, bounds)
    for (const line of entries.lines) all.push(line)
    next.set(log, entries.next)
    // What is held is given again, and so is what it says of losses.
    if (entries.next > taken) drops.count(writer, new Map([['log_spool', lost], ['log_length', entries.cutOff]]))
  }
  if (all.length === 0 && [...next].every(([log, offset]) => offset === positions.get(log))) return next
  const lines = ingest.fitting(all, 'written')
  await ingest.prepare(lines)
  await database.transaction(async (tx) => {
    if (!(await holdTaker(tx, source.name, taker))) throw fail('CONFLICT', { message: 'Another server takes the logs now.' })
    await ingest.write(tx, lines)
    await notePositions(tx, source.name, next)
  })
  ingest.stored(lines)
  return next
}
