/** The way in of every point: limits, series, and then one write for what came together. A point is taken when it is on disk. */
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Drops } from '../drops.ts'
import { refusedTime, type DropReason, type Retention } from './plan.ts'
import type { SeriesOwner, SeriesRegistry } from './registry.ts'
import type { MetricMetadata } from './series.ts'
import { addToTotals, insertPoints, noteMetadata, type Addition, type Arrived, type Labels } from './store.ts'

/** One series with some points, as it came. */
export interface Incoming {
  labels: Labels
  /** Milliseconds since the epoch. */
  times: readonly number[]
  values: readonly number[]
  /** The values are differences: beginning of what the first one counts, in milliseconds. */
  deltaFromMs?: number
  /** The values count from here on, in milliseconds. */
  beganMs?: number
}

export interface IngestSettings {
  retention: Retention
  /** How far a clock may be ahead of ours. */
  aheadMs: number
  appPointsPerSecond: number
  /** Most labels of a series. */
  labels: number
  /** Longest name and value of a label, in characters. */
  labelNameLength: number
  labelValueLength: number
  /** What comes within this time is written together. */
  gatherMs: number
  /** A write begins at once with so many points. */
  gatherPoints: number
  /** More wait for no write: who sends more is told to come again. */
  waitingPoints: number
}

export const ingestDefaults: Omit<IngestSettings, 'retention' | 'appPointsPerSecond'> = {
  aheadMs: 600_000,
  labels: 40,
  labelNameLength: 200,
  labelValueLength: 1000,
  gatherMs: 100,
  gatherPoints: 20_000,
  waitingPoints: 400_000,
}

export interface Taken {
  points: number
  dropped: Map<DropReason, number>
}

export interface Ingest extends Part {
  /** Resolves when everything that was taken is on disk. Throws TOO_MANY_REQUESTS and takes nothing when the app sends too fast, or the server cannot follow. */
  take(owner: SeriesOwner, incoming: readonly Incoming[], metadata?: ReadonlyMap<string, MetricMetadata>): Promise<Taken>
  /** The same for what the platform itself measures: without limits. */
  takeOwn(owner: SeriesOwner, incoming: readonly Incoming[], metadata?: ReadonlyMap<string, MetricMetadata>): Promise<void>
}

export interface IngestDeps {
  database: PgDatabase
  registry: SeriesRegistry
  drops: Drops
  clock: Clock
  settings: IngestSettings
  /** Hears how many points were stored, and how old each was then. */
  stored: (points: number, lagSeconds: number) => void
}

interface Waiting {
  points: Arrived[]
  deltas: Addition[]
  resolve: (late: number) => void
  reject: (error: unknown) => void
}

/** A burst of so many seconds is taken whole. */
const burstSeconds = 30
const rememberedMetadata = 20_000

export function createIngest({ database, registry, drops, clock, settings, stored }: IngestDeps): Ingest {
  const rates = new RateLimiter(settings.appPointsPerSecond, settings.appPointsPerSecond * burstSeconds, clock)
  const writer = createWriter(database, settings, clock, stored)
  const noted = new Map<string, string>()
  const beginnings = createBeginnings()

  const describe = async (team: string, metadata: ReadonlyMap<string, MetricMetadata> = new Map()): Promise<void> => {
    const fresh = [...metadata].filter(([name, one]) => noted.get(`${team}/${name}`) !== JSON.stringify(one)).map(([name, one]) => ({ team, name, metadata: one }))
    if (fresh.length === 0) return
    await noteMetadata(database, fresh)
    if (noted.size > rememberedMetadata) noted.clear()
    for (const { name, metadata: one } of fresh) noted.set(`${team}/${name}`, JSON.stringify(one))
  }

  const store = async (owner: SeriesOwner, incoming: readonly Incoming[], own: boolean, drop: (reason: DropReason, points: number) => void): Promise<number> => {
    const ids = await registry.idsOf(owner, incoming.map(({ labels }) => labels), own)
    const name = `${owner.team}/${owner.app}`
    const points: Arrived[] = []
    const deltas: Addition[] = []
    for (const [index, { times, values, deltaFromMs, beganMs }] of incoming.entries()) {
      const series = ids[index]
      if (series === undefined) drop('series_limit', times.length)
      else if (deltaFromMs === undefined) {
        const zeroMs = beginnings.of(series, beganMs, times[0]!)
        if (zeroMs !== undefined) points.push({ owner: name, series, timeMs: zeroMs, value: 0 })
        for (let place = 0; place < times.length; place++) points.push({ owner: name, series, timeMs: times[place]!, value: values[place]! })
      } else for (const [place, timeMs] of times.entries()) deltas.push({ owner: name, series, fromMs: deltaFromMs, timeMs, value: values[place]! })
    }
    if (points.length + deltas.length === 0) return 0
    const late = await writer.write(points, deltas)
    if (late > 0) drop('late_delta', late)
    return points.length + deltas.length - late
  }

  return {
    name: 'metric ingestion',
    start: async () => {},
    stop: () => writer.stop(),
    take: async (owner, incoming, metadata) => {
      const sent = incoming.reduce((sum, { times }) => sum + times.length, 0)
      const dropped = new Map<DropReason, number>()
      const drop = (reason: DropReason, points: number): void => {
        dropped.set(reason, (dropped.get(reason) ?? 0) + points)
      }
      const wait = rates.take(`${owner.team}/${owner.app}`, sent)
      if (wait !== undefined) {
        drops.count(owner, new Map([['rate', sent]]))
        throw tooMany(`${owner.app} sends more than ${settings.appPointsPerSecond} points a second.`, wait)
      }
      if (writer.waiting() > settings.waitingPoints) throw tooMany('More points come than can be stored at this moment.', 1)
      const fit = incoming.map((one) => fitting(one, settings, clock.now().getTime(), drop)).filter(({ times }) => times.length > 0)
      const points = fit.length === 0 ? 0 : await store(owner, fit, false, drop)
      await describe(owner.team, metadata)
      if (dropped.size > 0) {
        drops.count(owner, dropped)
        await drops.settled()
      }
      return { points, dropped }
    },
    takeOwn: async (owner, incoming, metadata) => {
      await store(owner, incoming, true, () => {})
      await describe(owner.team, metadata)
    },
  }
}

/** A beginning longer ago than this is not shown: whatever has been counted since did not happen now. */
const recentBeginningMs = 300_000
const rememberedBeginnings = 200_000

/** A counter that began anew was zero then, which shows its first increase, and a reset that its value alone does not tell. */
function createBeginnings(): { of(series: number, beganMs: number | undefined, firstMs: number): number | undefined } {
  const known = new Map<number, number>()
  return {
    of: (series, beganMs, firstMs) => {
      if (beganMs === undefined || known.get(series) === beganMs) return undefined
      if (known.size >= rememberedBeginnings) known.clear()
      known.set(series, beganMs)
      return beganMs > firstMs - recentBeginningMs ? beganMs : undefined
    },
  }
}

/** What of a series may be stored. */
function fitting(one: Incoming, { labels: mostLabels, labelNameLength, labelValueLength, retention, aheadMs }: IngestSettings, nowMs: number, drop: (reason: DropReason, points: number) => void): Incoming {
  const { labels, times, values } = one
  if (labels.length > mostLabels || labels.some(([name, value]) => name.length > labelNameLength || value.length > labelValueLength)) {
    drop('labels', times.length)
    return { ...one, times: [], values: [] }
  }
  if (times.every((time) => refusedTime(time, nowMs, retention, aheadMs) === undefined)) return one
  const reasons = times.map((time) => refusedTime(time, nowMs, retention, aheadMs))
  for (const reason of reasons) if (reason) drop(reason, 1)
  const kept = (_: unknown, index: number): boolean => reasons[index] === undefined
  return { ...one, times: times.filter(kept), values: values.filter(kept) }
}

/** Gathers what comes within a moment, and while a write is under way, into one write. */
function createWriter(database: PgDatabase, { gatherMs, gatherPoints }: IngestSettings, clock: Clock, stored: IngestDeps['stored']): { write(points: Arrived[], deltas: Addition[]): Promise<number>; waiting(): number; stop(): Promise<void> } {
  let queue: Waiting[] = []
  let points = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    const batch = queue
    queue = []
    points = 0
    try {
      const late = await writeBatch(database, batch)
      const nowMs = clock.now().getTime()
      for (const [index, one] of batch.entries()) {
        one.resolve(late[index]!)
        const newest = one.points.at(-1) ?? one.deltas.at(-1)
        if (newest) stored(one.points.length + one.deltas.length, Math.max(0, nowMs - newest.timeMs) / 1000)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  const begin = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (running || queue.length === 0) return
    running = flush().finally(() => {
      running = undefined
      if (queue.length > 0) begin()
    })
  }

  return {
    waiting: () => points,
    write: (arrived, deltas) =>
      new Promise((resolve, reject) => {
        queue.push({ points: arrived, deltas, resolve, reject })
        points += arrived.length + deltas.length
        if (points >= gatherPoints) begin()
        else if (!running) timer ??= setTimeout(begin, gatherMs)
      }),
    stop: async () => {
      begin()
      while (running) await running
    },
  }
}

/** How many differences of each came too late. */
async function writeBatch(database: PgDatabase, batch: readonly Waiting[]): Promise<number[]> {
  const plain = batch.flatMap(({ points }) => points)
  if (batch.every(({ deltas }) => deltas.length === 0)) {
    await insertPoints(database, plain, (...statement) => database.write(...statement))
    return batch.map(() => 0)
  }
  return database.transaction(async (tx) => {
    const { points, late } = await addToTotals(tx, batch.flatMap(({ deltas }) => deltas), { refuseLate: true })
    await insertPoints(tx, [...plain, ...points])
    return batch.map(({ deltas }) => deltas.filter((one) => late.has(one)).length)
  })
}
