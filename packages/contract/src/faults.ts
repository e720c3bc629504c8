/**
 * Faults that a game day injects, as the server tells them to the agent. They are given whole, beside the desired state, so that
 * ending one depends on nothing else; the agent keeps them in memory only, and ends each by itself at its `until`.
 */

/** One start of an instance: what has been started again since is another one, and is left alone. */
export interface FaultTarget {
  instance: string
  /** `startedAt` of its status. */
  startedAt: string
}

interface RequestShare {
  /** Share of the requests, in percent. */
  percent: number
  /** Only requests that bear this header. */
  match?: { header: string; value: string }
}

/** What is done; exactly one of them. */
export interface FaultEffect {
  /** Requests wait before they go to an instance, `ms` more or less `jitterMs`. */
  latency?: RequestShare & { ms: number; jitterMs?: number }
  /** Requests are answered with this status in place of the instance. */
  errors?: RequestShare & { status: number }
  /** Instances get this signal, once. */
  kill?: { signal: 'SIGKILL' | 'SIGTERM'; targets: FaultTarget[] }
  /** So many cores are kept busy within the limits of each instance. */
  cpu?: { cores: number; targets: FaultTarget[] }
  /** Memory is taken until this share of the limit of each instance is in use. */
  memory?: { percent: number; targets: FaultTarget[] }
}

export interface Fault extends FaultEffect {
  /** Unique over all time. */
  id: string
  /** What people know it by; answers of the fault bear it in `x-pavior-fault`. */
  gameDay: string
  team: string
  app: string
  environment: string
  /** ISO 8601. The agent ends it then, whatever became of the server. */
  until: string
}

export interface WantedFaults {
  /** Given out by the server's database as that of the desired state is; an older one is refused. */
  generation: number
  faults: Fault[]
}

/** What faults reached since the agent began; those of the last hours. */
export interface FaultReport {
  id: string
  /** Whether it is at work now. */
  active: boolean
  /** Requests that it could have reached. */
  seen: number
  delayed: number
  failed: number
  /** Instances that were killed or burdened. */
  instances: string[]
  /** Why it could not be done to some of them. */
  problem?: string
}

export interface FaultReports {
  /** Of the last state that was given; 0 after a start. */
  generation: number
  faults: FaultReport[]
}

/** Header of answers that a fault made. */
export const faultHeader = 'x-pavior-fault'
/** No fault is at work for longer, whatever it says. */
export const longestFaultMs = 3600_000
