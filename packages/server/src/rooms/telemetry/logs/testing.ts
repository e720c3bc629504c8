/** The ways in and out of logs, over a kernel of its own, for tests. */
import { Counter, Registry } from 'prom-client'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { createLog } from '../../../kernel/log.ts'
import type { InstanceLogs, LogSource } from '../ports.ts'
import { createDrops, type Drops } from '../drops.ts'
import type { LogIngestDeps } from './ingest.ts'
import { createLogs, type Logs, type LogSettings } from './index.ts'

export const shop = { team: 'blue', app: 'shop', environment: 'production' }
const log = createLog('silent', 'test')

const none: InstanceLogs = { of: async () => () => [], lines: async function* () {} }
const nowhere: LogSource = { name: 'nowhere', collectLogs: async () => ({ resend: false, logs: [] }) }

export interface TestLogs {
  database: PgDatabase
  logs: Logs
  drops: Drops
  registry: Registry
  /** Bodies of an app of team blue, oldest first. */
  bodies(app?: string): Promise<string[]>
}

export function logsOn(database: PgDatabase, over: Partial<LogSettings> = {}, clock = systemClock, source: LogSource = nowhere, sendOn: LogIngestDeps['sendOn'] = async () => {}): TestLogs {
  const registry = new Registry()
  const counter = new Counter({ name: 'dropped', help: 'dropped', labelNames: ['reason'] as const, registers: [registry] })
  const drops = createDrops({ database, resources: { get: async () => undefined }, events: { record: async () => {} }, counter, clock, log })
  const settings = { keepMs: 7 * 24 * 3600_000, bytes: 1e12, linesPerSecond: 100_000, bytesPerSecond: 1e9, ...over }
  const logs = createLogs({ database, source, instanceLogs: none, resources: { mustGet: async () => undefined as never }, drops, settings, registry, clock, log, sendOn })
  const bodies = async (app = 'shop'): Promise<string[]> => (await logs.reads.stored({ team: 'blue', app, fromMs: 0, untilMs: Date.now() + 3600_000 }, 100_000)).map(({ body }) => body).reverse()
  return { database, logs, drops, registry, bodies }
}
