/**
 * The protocol between server and agent: HTTP over a unix socket.
 *
 * The server gives the whole desired state; the agent converges to it, persists it and goes on by itself when the
 * server is gone. Tasks (build steps, the release process, one-off commands) are started one by one and are idempotent
 * by id, so a server that comes back after a crash finds what it had started.
 *
 * | call | meaning |
 * |---|---|
 * | `PUT /desired` (DesiredState) | replace the desired state; 409 when its generation is older than the one in force |
 * | `GET /observed` → ObservedState | everything as it is now |
 * | `GET /observed?watch=1` → NDJSON of AgentEvent | first one `state` event, then every change as it happens |
 * | `PUT /tasks/:id` (TaskSpec) → TaskStatus | start the task unless one of this id exists |
 * | `GET /tasks/:id` → TaskStatus | 404 when unknown |
 * | `POST /tasks/:id/cancel?graceMs=` → TaskStatus | SIGTERM, then SIGKILL for the whole process tree; idempotent |
 * | `DELETE /tasks/:id` | forget a finished task and its log |
 * | `POST /tasks/:id/attach` + `Upgrade: pavior-attach` | raw stream: bytes in go to stdin, bytes out are the output; ends with the task |
 * | `GET /logs/:id?follow=1&offset=&tail=&since=` → NDJSON of LogLine | log of an instance or a task; `offset` bytes to start at, or the last `tail` lines |
 * | `POST /logs` (LogsWanted) → LogsCollected | lines of all instances behind what was taken; waits for one when there is none |
 * | `POST /sets/:id/requests?path=&count=` → SyntheticAnswers | GETs `path` of the healthy instances of a set in turn |
 * | `POST /sets/:id/sleep`, `POST /sets/:id/wake` | freeze or thaw every instance of the app in the environment of a set; sleep is refused while one starts or has requests |
 * | `PUT /faults` (WantedFaults) → FaultReports | faults of game days, whole; 409 when older than what is in force |
 * | `GET /faults` → FaultReports | what they reached |
 * | `GET /requests?after=` → RequestRecords | aggregated request records with a sequence above `after`; older ones are dropped as acknowledged |
 * | `GET /spans?after=` → RequestSpans | single requests, in the same way: every bad or slow one and some of the others, within limits |
 * | `GET /healthz`, `GET /metrics` | liveness; Prometheus text |
 * | `POST /stop?instances=true|false` | end the agent, with or without stopping what it runs |
 *
 * Errors are `{ error: ErrorObject }` with the code's HTTP status.
 */
import type { ErrorObject } from './errors.ts'

/** Resources that a process tree may use. Enforced by cgroup where the host permits it. */
export interface Limits {
  /** Bytes of memory before the kernel kills the instance. */
  memoryBytes: number
  /** CPU cores, may be a fraction. */
  cpu: number
  /** Processes and threads. */
  pids: number
  /** Bytes that may be written to `directory` and `/tmp` together, by an image builder to its mounts too; unlimited when absent. Tasks only. */
  diskBytes?: number
}

export interface Mount {
  /** Absolute path on the host. */
  source: string
  /** Absolute path that the process sees; the same as `source` where no sandbox is available. */
  target: string
  readOnly: boolean
}

/** How the files of a container image are run. */
export interface WorkloadImage {
  /** Absolute path inside the image that it runs in. */
  directory: string
  /** Name that the user id gets in the image's passwd file. */
  user: string
  /** Home of that user, an absolute path inside the image. */
  home: string
  /** What the command gets instead of SIGTERM, for example `SIGQUIT`. */
  stopSignal?: string
}

/** Opened secrets. They exist in memory, in the agent's sealed state and in the process that they are for. */
export interface SecretValues {
  /** Variables. */
  env: Record<string, string>
  /** Contents in base64 by the name of the variable; `<NAME>_FILE` tells the process where the file is. */
  files: Record<string, string>
}

/** What to execute, the same for instances and tasks. */
export interface Workload {
  team: string
  app: string
  /**
   * Host directory of the app's files. The process sees it as `/app` inside a sandbox and runs there;
   * without a sandbox it runs in the directory itself.
   */
  directory: string
  /** Whether the process may change `directory` (builds) or not (instances: artifacts are immutable). */
  writable: boolean
  /** Run in a copy of `directory` that may be changed and is gone with the run: release processes and one-off commands. */
  ownCopy?: boolean
  /**
   * `directory` is the root of everything that the process sees, with a layer over it that it may write and that is gone with
   * the run. Needs `HostCapabilities.imageProblem` to be absent.
   */
  image?: WorkloadImage
  /** Root over a range of user ids of its own that owns nothing on the machine: what builds images. Tasks only. */
  imageBuilder?: boolean
  /** Argument array. `argv[0]` is looked up in `env.PATH`. */
  command: string[]
  /** The whole environment; nothing is inherited from the agent. `HOME`, `TMPDIR`, `PORT` and `APP_DIR` are set by the agent. */
  env: Record<string, string>
  /**
   * What it gets beside `env` and what nobody else may see. `kept`: the server cannot open the values now, and they are those
   * that the agent has of this set.
   */
  secrets?: SecretValues | 'kept'
  limits: Limits
  /** Further host paths that it needs: toolchains, caches. */
  mounts?: Mount[]
}

/** How the agent decides that an instance serves. */
export interface Probe {
  /** HTTP path that must answer 2xx or 3xx; when absent, an open port is enough. */
  path?: string
  /** Between two checks of a healthy instance. */
  intervalMs: number
  /** For one check. */
  timeoutMs: number
  /** Failures in a row until the instance counts as unhealthy (liveness: it is restarted). */
  failureThreshold: number
}

export interface DesiredSet {
  /** Uid of the InstanceSet. */
  id: string
  environment: string
  /** Number of the Release. */
  release: number
  process: string
  replicas: number
  workload: Workload
  /** Ports that the image of the process says it listens on: a hint for who looks why it does not listen on PORT. */
  exposedPorts?: number[]
  /** Whether the process listens on PORT. A worker does not: it is healthy once it has run for `minReadyMs`. */
  listens: boolean
  probe: Probe
  /** From start to first healthy; after it the instance has a `problem`. */
  startTimeoutMs: number
  /** A process that does not listen counts as healthy after this long without exiting. */
  minReadyMs: number
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: number
  /** Longest wait for requests in flight before SIGTERM. */
  drainTimeoutMs: number
  /** Changes of this token make the agent replace instances one by one (`pavior restart`). */
  restartToken?: string
  /**
   * Every instance of the app in its environment is frozen after so long without a request, and thawed by the next one; never
   * when absent, or when no process of it listens.
   */
  sleepAfterMs?: number
}

export interface DesiredBackend {
  /** Id of a DesiredSet. */
  set: string
  /** 0 … 100; relative to the sum. */
  weight: number
}

export interface DesiredRoute {
  /** Uid of the Route. */
  id: string
  team: string
  app: string
  environment: string
  /** Lower-case host without port, or `*.suffix`. */
  host: string
  /** Path prefix, beginning with `/`. The longest that fits wins. */
  path: string
  backends: DesiredBackend[]
  /** Requests that bear this header or cookie go to this set while it has instances. */
  testers?: { set: string; header?: string; cookie?: string; value: string }
  /** Until response headers arrive. */
  requestTimeoutMs: number
}

/** What instances answered to requests of the platform itself. An answer of 500 and above, or none, is an error. */
export interface SyntheticAnswers {
  requests: number
  errors: number
  p95Ms: number | null
  p99Ms: number | null
}

/** A GET that the agent makes every so often, server or no server, and counts as a request to `app` of `team`. */
export interface DesiredProbe {
  team: string
  app: string
  environment: string
  /** `http://127.0.0.1:<port>/<path>`. */
  url: string
  /** Status of the right answer. Any other one counts as 500. */
  expects: number
  intervalMs: number
  /** For the whole answer; what takes longer counts as 504, and what does not answer at all as 502. */
  timeoutMs: number
}

export interface DesiredState {
  /** Rises with every change; given out by the server's database, so it goes on over server restarts. */
  generation: number
  sets: DesiredSet[]
  routes: DesiredRoute[]
  /** What is asked from outside of whoever answers. */
  probes?: DesiredProbe[]
}

/** How a process ended. */
export interface Exit {
  /** Exit code, when it exited by itself. */
  code?: number
  /** Name of the signal that ended it, for example `SIGKILL`. */
  signal?: string
  /** It was killed because it reached its memory limit. */
  outOfMemory?: boolean
  /** ISO 8601. */
  at: string
}

/**
 * `starting` not yet healthy · `healthy` gets traffic · `unhealthy` was healthy, fails its probe · `draining` gets no new
 * requests · `stopping` has SIGTERM · `backoff` exited, waits for its next start (`problem` tells why; several restarts
 * in a row make it a crash loop) · `stopped` ended as wanted.
 */
export type InstanceState = 'starting' | 'healthy' | 'unhealthy' | 'draining' | 'stopping' | 'backoff' | 'stopped'

export interface InstanceStatus {
  /** Unique over all time, `<app>-<process>-<release>-<random>`; also the id of its log. */
  id: string
  set: string
  state: InstanceState
  pid?: number
  port?: number
  startedAt?: string
  healthyAt?: string
  /** Starts after the first. */
  restarts: number
  /** More than three exits within a minute. */
  crashLoop: boolean
  lastExit?: Exit
  /** How often it ended because it reached its memory limit. */
  outOfMemoryKills?: number
  /** Why it is not healthy: PORT_NOT_BOUND, PROCESS_EXITED, OUT_OF_MEMORY, HEALTH_CHECK_FAILED, START_FAILED. */
  problem?: ErrorObject
  /** Sum over its process tree since start. */
  cpuSeconds?: number
  memoryBytes?: number
  /** Frozen since, ISO 8601. It counts as healthy all the while. */
  asleepSince?: string
  /** What it used since it was created, apart from CPU time. */
  use?: InstanceUse
}

/** Time and memory of an instance: bytes of memory times the seconds that they were held. */
export interface InstanceUse {
  awakeSeconds: number
  asleepSeconds: number
  awakeByteSeconds: number
  asleepByteSeconds: number
}

export interface TaskSpec {
  workload: Workload
  /** Killed after this long. */
  timeoutMs: number
  /** Keep stdin open for an attached client. */
  interactive?: boolean
  /** Run on a pseudo terminal of this size. */
  terminal?: { columns: number; rows: number }
}

export interface TaskStatus {
  id: string
  state: 'running' | 'exited'
  startedAt: string
  finishedAt?: string
  exit?: Exit
  /** BUILD_TIMEOUT, OUT_OF_MEMORY, BUILD_DISK_FULL, START_FAILED, CANCELED. */
  problem?: ErrorObject
  cpuSeconds?: number
  maxMemoryBytes?: number
}

/** What this host can do. */
export interface HostCapabilities {
  sandbox: 'bubblewrap' | 'none'
  cgroup: 'v1' | 'v2' | 'none'
  /** A separate unprivileged user id per app. */
  users: boolean
  /** Why container images cannot be built and run here; absent when they can. */
  imageProblem?: string
  /** Plain sentences: what is missing here and what that means. */
  notes: string[]
}

export interface AgentProcess {
  role: 'agent' | 'router'
  pid: number
  startedAt: string
  memoryBytes: number
}

export interface ObservedState {
  /** New with every start of the agent process. */
  runId: string
  version: string
  /** Generation of the DesiredState in force. */
  generation: number
  /** Newest generation whose routes every router worker serves. */
  routedGeneration: number
  routerPort: number
  instances: InstanceStatus[]
  tasks: TaskStatus[]
  host: HostCapabilities
  processes: AgentProcess[]
}

export type AgentEvent =
  | { type: 'state'; state: ObservedState }
  | { type: 'instance'; instance: InstanceStatus }
  /** The instance is gone for good and will not be listed again. */
  | { type: 'removed'; id: string; set: string }
  | { type: 'task'; task: TaskStatus }
  | { type: 'routed'; generation: number }
  /** Sent every few seconds, so that a dead connection is noticed. */
  | { type: 'alive' }
