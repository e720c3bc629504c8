/** The platform's own measurements on their way into the store. */
import type { RequestRecord } from '@pavior/contract'
import type { Registry } from 'prom-client'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { hasCode } from '../../../kernel/errors.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Instances, RunningInstance } from '../ports.ts'
import { endOf, goldenMetadata, increasesOf, noIncreasesOf, useOf, type Increase } from './golden.ts'
import type { Ingest } from './ingest.ts'
import { labelsOf } from './names.ts'
import type { SeriesRegistry } from './registry.ts'
import type { MetricMetadata } from './series.ts'
import { addToTotals, insertPoints, takeTurns, type Addition } from './store.ts'

const everyMs = 15_000
/** The router's records of an interval are here by then. */
const settledMs = 10_000
const types = ['counter', 'gauge', 'histogram', 'summary'] as const

/** As prom-client gives it; parts of a histogram have names of their own. */
interface Counted {
  name: string
  help: string
  type: string
  values: { metricName?: string; labels: Record<string, string | number>; value: number }[]
}

interface Taken {
  team: string
  app: string
  fromMs: number
  timeMs: number
  increases: Increase[]
}

/** Counters rise in the transaction that takes the records, so each request counts once whatever happens. */
export async function countTraffic(tx: Tx, registry: SeriesRegistry, records: readonly RequestRecord[]): Promise<void> {
  const counted = records.map((record) => {
    const fromMs = Date.parse(record.from)
    return { team: record.team, app: record.app, fromMs, timeMs: fromMs + record.intervalMs, increases: increasesOf(record) }
  })
  const { points } = await addToTotals(tx, await additionsOf(registry, counted), { refuseLate: false })
  await insertPoints(tx, points)
}

async function additionsOf(registry: SeriesRegistry, counted: readonly Taken[]): Promise<Addition[]> {
  const all: Addition[] = []
  for (const { team, app, fromMs, timeMs, increases } of counted) {
    const ids = await registry.idsOf({ team, app }, increases.map(({ labels }) => labels), true)
    for (const [index, { value }] of increases.entries()) all.push({ owner: `${team}/${app}`, series: ids[index]!, fromMs, timeMs, value })
  }
  return all
}

export interface OwnMetricsDeps {
  database: Database
  ingest: Ingest
  registry: SeriesRegistry
  instances: Instances
  /** What this server counts about itself. */
  metrics: Registry
  serverName: () => string
  clock: Clock
  log: Logger
}

/** What earlier looks saw. */
export interface Seen {
  instances: RunningInstance[]
  /** From when on each of this server's own counters counts, by its name and labels. */
  began: Map<string, number>
  /** When the server's own were looked at, in ms since the epoch. */
  lookedMs: number
}

export function nothingSeen(nowMs: number): Seen {
  return { instances: [], began: new Map(), lookedMs: nowMs }
}

/** What this server counts about itself, and, on one of several servers, what instances use. */
export async function storeOwn(deps: OwnMetricsDeps, seen: Seen = nothingSeen(deps.clock.now().getTime() - everyMs)): Promise<void> {
  await storeServer(deps, seen)
  if ((await takeTurns(deps.database, [{ name: 'instances', everyMs }])).size > 0) await storeInstances(deps, seen)
}

/** What is of an app belongs to its team; everything else is the platform's. */
async function storeServer({ ingest, metrics, serverName, clock }: OwnMetricsDeps, seen: Seen): Promise<void> {
  const instance = serverName()
  const nowMs = clock.now().getTime()
  // Its types say that the kind is a number; it is a word.
  const counted = (await metrics.getMetricsAsJSON()) as unknown as Counted[]
  const incoming = counted.flatMap(({ name, type, values }) =>
    values.map(({ metricName = name, labels: { team = '', app = '', environment, ...labels }, value }) => {
      const own = { instance, ...(team === '' ? {} : { team: String(team), app: String(app) }), ...(environment ? { environment: String(environment) } : {}) }
      const all = labelsOf(metricName, Object.entries(labels).map(([label, text]) => [label, String(text)] as const), own)
      return { name, team: String(team), app: String(app), labels: all, times: [nowMs], values: [value], ...(type === 'counter' || type === 'histogram' ? { beganMs: beganOf(JSON.stringify(all), seen) } : {}) }
    }),
  )
  const metadata = new Map<string, MetricMetadata>(counted.map(({ name, type, help }) => [name, { type: types.find((known) => known === type) ?? 'unknown', help, unit: '' }]))
  for (const [owner, own] of byApp(incoming)) await ingest.takeOwn(owner, own, new Map(own.map(({ name }) => [name, metadata.get(name)!])))
  seen.lookedMs = nowMs
}

/** A counter that was not there at the last look began after it: its first events are a rise too. */
function beganOf(key: string, seen: Seen): number {
  const began = seen.began.get(key) ?? seen.lookedMs
  seen.began.set(key, began)
  return began
}

async function storeInstances({ database, ingest, registry, instances, clock }: OwnMetricsDeps, seen: Seen): Promise<void> {
  const running = await instances.current()
  const nowMs = clock.now().getTime()
  const gone = seen.instances.filter(({ id }) => running.every((one) => one.id !== id))
  // Sums would go on counting what they used for as long as a point is looked back for.
  for (const [owner, own] of byApp(gone)) await ingest.takeOwn(owner, own.flatMap((instance) => endOf(instance, nowMs)), goldenMetadata)
  seen.instances = running
  for (const [owner, own] of byApp(running)) await ingest.takeOwn(owner, own.flatMap((instance) => useOf(instance, nowMs)), goldenMetadata)
  const idle = running.filter(({ port }) => port !== undefined).map((instance) => ({ ...instance, fromMs: nowMs - settledMs - 1, timeMs: nowMs - settledMs, increases: noIncreasesOf(instance) }))
  const additions = await additionsOf(registry, idle)
  if (additions.length > 0) await database.transaction(async (tx) => insertPoints(tx, (await addToTotals(tx, additions, { refuseLate: true })).points))
}

export function createOwnMetrics(deps: OwnMetricsDeps): Part {
  const seen = nothingSeen(deps.clock.now().getTime())
  const failed = (error: Error): void => {
    if (!hasCode(error, 'AGENT_UNAVAILABLE')) deps.log.warn({ err: error.message }, 'the measurements of the platform itself could not be stored; trying again')
  }
  return recurring({ name: 'own metrics', pauseMs: every(everyMs), once: () => storeOwn(deps, seen), failed })
}

function byApp<T extends { team: string; app: string }>(items: readonly T[]): [{ team: string; app: string }, T[]][] {
  const groups = new Map<string, [{ team: string; app: string }, T[]]>()
  for (const item of items) {
    const key = `${item.team}/${item.app}`
    const group = groups.get(key)
    if (group) group[1].push(item)
    else groups.set(key, [{ team: item.team, app: item.app }, [item]])
  }
  return [...groups.values()]
}
