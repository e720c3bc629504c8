import { addFaultCounts } from './faults.ts'
import type { WorkerStats } from './protocol.ts'

const plainCounters = [
  'connections', 'connectionsTotal', 'tunnels', 'inFlight', 'connectFailures', 'retries', 'ejections', 'canceled',
] as const

/** Sums the counters of workers. */
export function sumStats(all: readonly WorkerStats[]): WorkerStats {
  const sum: WorkerStats = {
    connections: 0, connectionsTotal: 0, tunnels: 0, inFlight: 0, responses: [0, 0, 0, 0, 0], errors: {}, connectFailures: 0, retries: 0,
    ejections: 0, canceled: 0, faults: {},
  }
  for (const stats of all) {
    for (const key of plainCounters) sum[key] += stats[key]
    stats.responses.forEach((count, index) => { sum.responses[index]! += count })
    for (const [code, count] of Object.entries(stats.errors)) sum.errors[code] = (sum.errors[code] ?? 0) + count
    addFaultCounts(sum.faults, stats.faults)
  }
  return sum
}

interface Metric {
  name: string
  type: 'counter' | 'gauge'
  help: string
  samples: [labels: string, value: number][]
}

/** Prometheus text of the router. `restarts` counts workers that had to be replaced. */
export function metricsText(stats: WorkerStats, workers: number, restarts: number, generation: number): string {
  const plain = (name: string, type: Metric['type'], help: string, value: number): Metric => ({ name, type, help, samples: [['', value]] })
  const metrics: Metric[] = [
    plain('pavior_router_workers', 'gauge', 'Worker processes that serve.', workers),
    plain('pavior_router_worker_restarts_total', 'counter', 'Worker processes that ended and were replaced.', restarts),
    plain('pavior_router_generation', 'gauge', 'Newest routing table that was given to the workers.', generation),
    plain('pavior_router_connections', 'gauge', 'Client connections that are open.', stats.connections),
    plain('pavior_router_connections_total', 'counter', 'Client connections accepted.', stats.connectionsTotal),
    plain('pavior_router_requests_in_flight', 'gauge', 'Requests and upgraded connections under way to instances.', stats.inFlight),
    plain('pavior_router_upgraded_connections', 'gauge', 'Connections that were upgraded, for example WebSockets.', stats.tunnels),
    plain('pavior_router_connect_failures_total', 'counter', 'Connections that instances refused.', stats.connectFailures),
    plain('pavior_router_retries_total', 'counter', 'Requests that were sent a second time.', stats.retries),
    plain('pavior_router_ejections_total', 'counter', 'Times that an instance was passed over for a while.', stats.ejections),
    plain('pavior_router_requests_canceled_total', 'counter', 'Requests whose client went away.', stats.canceled),
    {
      name: 'pavior_router_responses_total', type: 'counter', help: 'Answers by status class.',
      samples: stats.responses.map((count, index): [string, number] => [`{class="${index + 1}xx"}`, count]),
    },
    {
      name: 'pavior_router_errors_total', type: 'counter', help: 'Answers that the router gave by itself, by error code.',
      samples: Object.entries(stats.errors).map(([code, count]): [string, number] => [`{code="${code}"}`, count]),
    },
  ]
  return metrics.filter(({ samples }) => samples.length > 0).map(textOf).join('')
}

function textOf({ name, type, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}
