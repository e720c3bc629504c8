/** Door of room telemetry: what the router counted, as series. */
import { trafficIntervalMs } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createCollector, trafficChannel } from './collect.ts'
import { samplesOf, type ReleaseSample } from './plan.ts'
import type { TrafficSource } from './ports.ts'
import { telemetryRoutes } from './routes.ts'
import { readTraffic } from './store.ts'

export interface TelemetryDeps {
  database: PgDatabase
  resources: Resources
  source: TrafficSource
  defaultEnvironment: (team: string) => string
  clock: Clock
  log: Logger
}

export interface TelemetryReads {
  /** What every release of an app did since then, by its number; the interval of the router that `since` falls into counts whole. */
  since: (of: { team: string; app: string; environment: string }, since: Date) => Promise<Map<number, ReleaseSample>>
}

export function createTelemetry({ database, resources, source, defaultEnvironment, clock, log }: TelemetryDeps): Room<TelemetryReads> {
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const relay: Part = { name: 'traffic news', start: () => database.listen(trafficChannel, tell, tell), stop: async () => listeners.clear() }
  const onMore = (listener: () => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  return {
    reconcilers: [],
    routes: [telemetryRoutes({ database, resources, defaultEnvironment, onMore, clock })],
    parts: [relay, createCollector({ database, source, log })],
    reads: { since: async (of, since) => samplesOf(await readTraffic(database, { ...of, from: new Date(since.getTime() - trafficIntervalMs), until: clock.now() })) },
  }
}
