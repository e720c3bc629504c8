/** What the agent process and the router's worker processes say to each other. */
import type { DesiredRoute, Fault, RequestSpan } from '@pavior/contract'
import type { FoundCallers } from './callers.ts'
import type { FaultCounts } from './faults.ts'
import type { CountedRequests } from './records.ts'
import type { RouterSettings } from './settings.ts'

/** A healthy instance. */
export interface Endpoint {
  /** Id of the instance. */
  instance: string
  host: '127.0.0.1'
  port: number
}

/** One process of one release in one environment, with the instances that may get its requests. */
export interface RouterSet {
  /** Uid of the InstanceSet. */
  id: string
  team: string
  app: string
  environment: string
  /** Number of the Release. */
  release: number
  process: string
  endpoints: Endpoint[]
  /** Why there is no endpoint: one sentence that strangers may read, for the 503 page. */
  reason?: string
  /** Its instances are frozen: requests wait until they are thawed. */
  asleep?: boolean
}

/** Everything that the router routes by. It is given whole. */
export interface RouterTable {
  generation: number
  routes: DesiredRoute[]
  sets: RouterSet[]
  /** Of game days, as far as they are for requests. */
  faults?: Fault[]
}

/** Counters of one worker since its start. */
export interface WorkerStats {
  connections: number
  connectionsTotal: number
  tunnels: number
  inFlight: number
  /** 1xx … 5xx. */
  responses: [number, number, number, number, number]
  /** Answers of the router itself, by error code. */
  errors: Record<string, number>
  connectFailures: number
  retries: number
  ejections: number
  canceled: number
  /** What game days did, by fault. */
  faults: Record<string, FaultCounts>
}

export type ToWorker =
  /** Sent first, with the listening handle. */
  | { type: 'start'; settings: RouterSettings; table: RouterTable | null }
  | { type: 'table'; table: RouterTable }
  | { type: 'drain'; id: number; instance: string; timeoutMs: number }
  | { type: 'flush'; id: number }
  | { type: 'callers'; found: FoundCallers }
  /** These sets, asked for or not, can be reached again. */
  | { type: 'awake'; sets: string[] }
  | { type: 'close' }

export type FromWorker =
  | { type: 'listening' }
  /** It could not listen; `code` is that of the system. */
  | { type: 'failed'; code: string; message: string }
  | { type: 'applied'; generation: number }
  | { type: 'drained'; id: number; inFlight: number }
  | { type: 'records'; intervalStart: number; counted: CountedRequests[] }
  | { type: 'spans'; spans: RequestSpan[] }
  | { type: 'stats'; stats: WorkerStats }
  | { type: 'flushed'; id: number }
  /** Asks who has the connections with these ports; answered with `callers`. */
  | { type: 'look'; ports: number[] }
  /** Requests wait for a set that is asleep; answered with `awake`. */
  | { type: 'wake'; set: string }
  | { type: 'log'; level: 'warn' | 'error'; message: string; detail?: string }
