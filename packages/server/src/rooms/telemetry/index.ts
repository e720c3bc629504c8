/** Door of room telemetry: what the router counted, as series. */
import type { Clock } from '../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createCollector, trafficChannel } from './collect.ts'
import type { TrafficSource } from './ports.ts'
import { telemetryRoutes } from './routes.ts'

export interface TelemetryDeps {
  database: PgDatabase
  resources: Resources
  source: TrafficSource
  defaultEnvironment: (team: string) => string
  clock: Clock
  log: Logger
}

export function createTelemetry({ database, resources, source, defaultEnvironment, clock, log }: TelemetryDeps): Room<undefined> {
  const news = listenTo(database, trafficChannel, 'traffic news')
  return {
    reconcilers: [],
    routes: [telemetryRoutes({ database, resources, defaultEnvironment, onMore: news.onMore, clock })],
    parts: [news.part, createCollector({ database, source, log })],
    reads: undefined,
  }
}
