/** Door of room telemetry: what the router counted, as series. */
import type { Clock } from '../../kernel/clock.ts'
import type { PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { calledBy, callsOf, type AppName, type CallCounts } from './calls.ts'
import { createCollector, trafficChannel } from './collect.ts'
import type { TrafficSource } from './ports.ts'
import { telemetryRoutes } from './routes.ts'

export interface TelemetryDeps {
  database: PgDatabase
  resources: Resources
  source: TrafficSource
  defaultEnvironment: (team: string) => string
  /** Hears of apps that called one which they never called before. */
  newCallers: (callers: AppName[]) => Promise<void>
  /** How long it is remembered that one app called another. */
  keepCallersMs: number
  clock: Clock
  log: Logger
}

export interface TelemetryReads {
  /** Apps that this one has called since then. */
  calledBy: (app: AppName, since: Date) => Promise<AppName[]>
  /** Every pair that one of these apps is in, with its requests since then. */
  callsOf: (apps: AppName[], since: Date) => Promise<CallCounts[]>
}

export function createTelemetry({ database, resources, source, defaultEnvironment, newCallers, keepCallersMs, clock, log }: TelemetryDeps): Room<TelemetryReads> {
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
    parts: [relay, createCollector({ database, source, newCallers, keepCallersMs, log })],
    reads: { calledBy: (app, since) => calledBy(database, app, since), callsOf: (apps, since) => callsOf(database, apps, since) },
  }
}
