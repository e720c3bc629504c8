/** What room release needs from whatever runs its releases, counts their requests and keeps their sources. */
import type { Duplex } from 'node:stream'
import type { Sample } from './judge.ts'
import type { Image, InstanceStatus, Limits, Revision, SecretRef, TaskSpec, TaskStatus } from '@pavior/contract'

/** A command in the files and environment of a release. */
export interface ArtifactTask {
  team: string
  app: string
  artifact: string
  command: string[]
  env: Record<string, string>
  /** Opened when it starts, and never kept beside it. */
  secrets: SecretRef[]
  environment: string
  mounts: string[]
  /** How the artifact is run when it is the root of a container image. */
  image?: Image
  limits: Limits
  timeoutMs: number
  interactive?: boolean
  terminal?: TaskSpec['terminal']
}

export interface ArtifactTasks {
  task: (id: string) => Promise<TaskStatus | undefined>
  cancelTask: (id: string, graceMs: number) => Promise<void>
  /** Idempotent by id. */
  run: (id: string, task: ArtifactTask) => Promise<TaskStatus>
  /** Input and output of a running task. */
  attach: (id: string) => Promise<Duplex>
}

/** What changed between two revisions of an app. */
export interface SourceHistory {
  changes: (team: string, app: string, from: Revision, to: Revision) => Promise<object>
}

/** What the router counted. */
export interface TrafficReadings {
  /** By number of the release, of requests since each of these moments. */
  since: (of: { team: string; app: string; environment: string }, moments: Date[]) => Promise<Map<number, Sample>[]>
  /** When the counts were last asked for with success. */
  takenAt: () => Date
}

/** Metrics of a team. */
export interface MetricReadings {
  /** The one value of a query, undefined when nothing was measured. Throws coded when it cannot be asked or gives more than one. */
  value: (team: string, query: string, at: Date) => Promise<number | undefined>
  /** Throws coded what is wrong with the text of a query. */
  check: (query: string) => Promise<void>
}

/** Who wrote a resource, as the audit has it; parts of the platform left out. */
export interface Writers {
  /** Since this moment: the audit is long, and found by its time. `verb`: only those who did this. */
  of: (resource: { kind: string; team: string; name: string }, since: Date, verb?: 'create') => Promise<string[]>
}

/** What runs, as whatever runs it sees it. */
export interface Observations {
  instances: () => Promise<InstanceStatus[]>
}

/** Requests that the platform makes itself. */
export interface Prober {
  /** GETs `path` of the healthy instances of a set in turn. An answer of 500 and above, or none, is an error. */
  ask: (set: string, path: string, requests: number) => Promise<Sample>
}
