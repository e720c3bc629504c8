/** The log of an app as one reads it: what is stored, what the agent has that was not taken yet, and then as it comes. No line comes twice. */
import { setTimeout } from 'node:timers/promises'
import type { LogEntry, LogLine } from '@pavior/contract'
import { stepWhenMore, type OnMore, type WriteLine } from '../../../kernel/api/lines.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { hasCode } from '../../../kernel/errors.ts'
import type { InstanceLogs, LoggingInstance } from '../ports.ts'
import { factsOf, storable } from './line.ts'
import { entryOf, type LogReads, type LogSearch } from './reads.ts'
import { anyCase, type StoredLine } from './select.ts'
import { readPositions } from './store.ts'

/** New instances of the app are looked for this often while following. */
const followCheckMs = 1000
/** What was sent may be this late and is shown nevertheless. */
const sentWithinMs = 300_000
const sentAtOnce = 500

export interface FollowDeps {
  database: Database
  reads: LogReads
  instanceLogs: Pick<InstanceLogs, 'lines'>
  /** Of the agent, as positions are kept. */
  agent: string
  /** Tells of apps that sent lines, as `team/app`; without a name of any. */
  onSent: (listener: (about?: string) => void) => () => void
  clock: Clock
}

export interface Reading {
  search: LogSearch
  /** Lines of the past. */
  limit: number
  follow: boolean
  /** Instances that fit, asked anew at each call. */
  instances: () => LoggingInstance[]
}

export async function readLog(deps: FollowDeps, reading: Reading, write: WriteLine, signal: AbortSignal): Promise<void> {
  const { search, follow, instances } = reading
  const there = instances()
  const shown = new Shown()
  if (follow) for (const line of await sentLately(deps, search)) shown.add(line)
  const { entries, offsets } = await past(deps, reading, there, shown, signal)
  for (const entry of entries) await write(entry)
  if (!follow) return
  await Promise.all([followInstances(deps, reading, offsets, write, signal), followSent(deps, search, shown, write, signal)])
}

/** Lines of the store up to where files were taken, then those of the files. */
async function past({ database, reads, instanceLogs, agent }: FollowDeps, { search, limit }: Reading, there: LoggingInstance[], shown: Shown, signal: AbortSignal): Promise<{ entries: LogEntry[]; offsets: Map<string, number> }> {
  const positions = await readPositions(database, agent, there.map(({ id }) => id))
  const stored = limit === 0 ? [] : await reads.stored(search, limit)
  const all: { atMs: number; entry: LogEntry }[] = []
  for (const line of stored.toReversed()) {
    const position = line.from.sender === undefined && line.from.instance !== undefined ? positions.get(line.from.instance) : undefined
    if (line.from.sender !== undefined) shown.add(line)
    // What was taken since the positions were read comes from the file.
    if (position === undefined || line.seq <= position) all.push({ atMs: line.atMs, entry: entryOf(line) })
  }
  const offsets = new Map(positions)
  for (const instance of there) {
    try {
      for await (const line of instanceLogs.lines(instance.id, untaken(positions.get(instance.id), search, limit), signal)) {
        offsets.set(instance.id, line.next)
        const entry = entryIfWanted(instance, line, search)
        if (entry) all.push({ atMs: Date.parse(line.time), entry })
      }
    } catch (error) {
      // Gone meanwhile, or the agent is away: what is stored can be read all the same.
      if (!hasCode(error, 'NOT_FOUND') && !hasCode(error, 'AGENT_UNAVAILABLE')) throw error
    }
  }
  all.sort((one, other) => one.atMs - other.atMs)
  return { entries: limit === 0 ? [] : all.slice(-limit).map(({ entry }) => entry), offsets }
}

/** What to ask of a file: what is behind what was taken; of one that nobody has taken, as much as is asked for. */
function untaken(position: number | undefined, { fromMs }: LogSearch, limit: number): Parameters<InstanceLogs['lines']>[1] {
  const since = fromMs > 0 ? { since: new Date(fromMs).toISOString() } : {}
  return position === undefined ? { tail: limit, ...since } : { offset: position, tail: Math.max(limit, 1), ...since }
}

async function followInstances({ instanceLogs }: FollowDeps, { search, instances }: Reading, offsets: ReadonlyMap<string, number>, write: WriteLine, signal: AbortSignal): Promise<void> {
  const followed = new Set<string>()
  const one = async (instance: LoggingInstance): Promise<void> => {
    for await (const line of instanceLogs.lines(instance.id, { follow: true, offset: offsets.get(instance.id) ?? 0 }, signal)) {
      const entry = entryIfWanted(instance, line, search)
      if (entry) await write(entry)
    }
  }
  while (!signal.aborted) {
    for (const instance of instances().filter(({ id }) => !followed.has(id))) {
      followed.add(instance.id)
      one(instance).catch(() => {})
    }
    await setTimeout(followCheckMs, undefined, { signal }).catch(() => {})
  }
}

/** Lines that came by OpenTelemetry are nowhere but in the store. */
async function followSent(deps: FollowDeps, search: LogSearch, shown: Shown, write: WriteLine, signal: AbortSignal): Promise<void> {
  const name = `${search.team}/${search.app}`
  const onMore: OnMore = (listener) => deps.onSent((about) => {
    if (about === undefined || about === name) listener()
  })
  await stepWhenMore(onMore, async () => {
    for (const line of await sentLately(deps, search)) if (shown.add(line)) await write(entryOf(line))
  }, signal)
}

async function sentLately({ reads, clock }: FollowDeps, search: LogSearch): Promise<StoredLine[]> {
  const nowMs = clock.now().getTime()
  const lines = await reads.stored({ ...search, fromMs: nowMs - sentWithinMs, untilMs: Math.min(search.untilMs, nowMs + sentWithinMs) }, sentAtOnce)
  return lines.filter(({ from }) => from.sender !== undefined).toReversed()
}

const rememberedLines = 20_000

/** Lines that the reader has. */
class Shown {
  readonly #keys = new Set<string>()

  /** False when it was there. */
  add({ source, seq }: StoredLine): boolean {
    const key = `${source}/${seq}`
    if (this.#keys.has(key)) return false
    if (this.#keys.size >= rememberedLines) this.#keys.delete(this.#keys.values().next().value!)
    this.#keys.add(key)
    return true
  }
}

/** A line of a file as an entry, if it fits. */
export function entryIfWanted({ id, process, release, environment }: LoggingInstance, { time, line }: LogLine, search: LogSearch): LogEntry | undefined {
  const body = storable(line)
  const facts = factsOf(body)
  const atMs = Date.parse(time)
  const { fromMs, untilMs, level = 0, text, pattern, requestId, traceId } = search
  if (atMs < fromMs || atMs >= untilMs || facts.level < level) return undefined
  if (text !== undefined && !(anyCase(text) ? body.toLowerCase() : body).includes(text)) return undefined
  if (pattern && !pattern.matches(body)) return undefined
  if ((requestId !== undefined && facts.requestId !== requestId) || (traceId !== undefined && facts.traceId !== traceId)) return undefined
  return entryOf({ atMs, body, ...facts, from: { team: search.team, app: search.app, environment, release, process, instance: id } })
}
