/** What the control plane measures of itself: its database, its queue, and how far watchers are behind. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Database } from './db/index.ts'

/** All gauges of one collection are answered by one statement. */
const sharedMs = 1000
const lagBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

interface Standing {
  connections: number
  connection_limit: number
  due: number
  waited: number
}

const names: [keyof Standing, name: string, help: string][] = [
  ['connections', 'pavior_database_connections', 'Connections to the database, of everybody.'],
  ['connection_limit', 'pavior_database_connections_limit', 'Connections that the database allows to ordinary users.'],
  ['due', 'pavior_queue_due', 'Runs of reconcilers that are due and that nobody has begun.'],
  ['waited', 'pavior_queue_oldest_seconds', 'How long the oldest of them is due.'],
]

/** Gauges of the database and the queue; they are left out while the database does not answer. */
export function measureDatabase(database: Database, registry: Registry): void {
  let shared: { until: number; standing: Promise<Standing | undefined> } | undefined
  const latest = (): Promise<Standing | undefined> => {
    if (!shared || performance.now() > shared.until) shared = { until: performance.now() + sharedMs, standing: readStanding(database).catch(() => undefined) }
    return shared.standing
  }
  for (const [key, name, help] of names) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: async () => {
        const standing = await latest()
        gauge.remove()
        if (standing) gauge.set(standing[key])
      },
    })
  }
}

async function readStanding(database: Database): Promise<Standing> {
  const { rows } = await database.query<{ connections: number; connection_limit: number; due: number; waited: number }>(
    `select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connection_limit,
       count(*)::int as due, coalesce(extract(epoch from now() - min(run_at)), 0)::float8 as waited
     from queue where worker is null and run_at <= now()`,
    [],
    'standing-of-database',
  )
  return rows[0]!
}

/** Hears how old the oldest change of each batch is when watchers get it. */
export function measureWatchLag(registry: Registry): (seconds: number) => void {
  const lag = new Histogram({ name: 'pavior_watch_lag_seconds', help: 'From the beginning of the transaction of a change until watchers get it, of the oldest of each batch.', buckets: lagBucketsSeconds, registers: [registry] })
  return (seconds) => lag.observe(seconds)
}

/** Of the loop that runs reconcilers. */
export function reconcileMetrics(registry: Registry): { runs: Counter<'controller' | 'outcome'>; seconds: Histogram<'controller'> } {
  return {
    runs: new Counter({ name: 'pavior_reconcile_total', help: 'Runs of reconcilers by how they ended.', labelNames: ['controller', 'outcome'] as const, registers: [registry] }),
    seconds: new Histogram({
      name: 'pavior_reconcile_duration_seconds',
      help: 'Duration of a run.',
      labelNames: ['controller'] as const,
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
      registers: [registry],
    }),
  }
}
