/** What differs between releases and between environments, as the API gives it. */
import type { ErrorObject } from './errors.ts'
import type { Gate, ResolvedStrategy } from './kinds/index.ts'

export interface ValueChange {
  name: string
  /** Absent when it was added. */
  before?: string
  /** Absent when it was removed. */
  after?: string
}

export interface ReleaseChanges {
  artifact: { before: string; after: string; same: boolean }
  configuration: ValueChange[]
  /** Secrets by key, as `shop-api-key v3`. */
  secrets: ValueChange[]
  /** Settings of processes as `web.memory`. */
  processes: ValueChange[]
}

/** What serves in two environments, or would. Values of configuration are left out. */
export interface EnvironmentComparison {
  app: string
  from: { environment: string; release: number; artifact: string }
  /** `release` is what serves there now; absent when nothing does. */
  to: { environment: string; release?: number; artifact?: string }
  /** Absent when nothing serves there. */
  changes?: ReleaseChanges
}

export interface PromotionPlan extends EnvironmentComparison {
  strategy: ResolvedStrategy
  /** What it would wait for now. */
  gates: Gate[]
  /** What does not hold it, and is worth knowing. */
  notes?: string[]
  /** Why it would be refused. */
  refusal?: ErrorObject
}

/** One way in which what runs is not what is declared. */
export interface Difference {
  /** `release` configuration that is not released yet · `set`, `instances`, `route` what runs · `repository` what a repository declares. */
  what: 'release' | 'set' | 'instances' | 'route' | 'repository'
  /** Process, route or file. */
  name: string
  field: string
  declared: string
  running: string
}

export interface EnvironmentDrift {
  environment: string
  /** Release that serves. */
  release: number
  /** Deployment that is on its way, so that differences are what it is for. */
  changing?: string
  differences: Difference[]
}

export interface AppDrift {
  app: string
  environments: EnvironmentDrift[]
}
