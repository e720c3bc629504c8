/** The catalogue and scorecards as the API gives them. */
import type { RuleAction } from './kinds/index.ts'

/** An entity as Backstage's catalogue has it (backstage.io/docs/features/software-catalog/descriptor-format). */
export interface CatalogEntity {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    title?: string
    description?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    tags?: string[]
    links?: { url: string; title?: string; icon?: string; type?: string }[]
  }
  spec?: Record<string, unknown>
}

/** Who says it: what is configured and runs, requests that were seen, a file in a repository, another catalogue. */
export type CatalogOrigin = 'derived' | 'traffic' | 'repository' | 'import'

/** A place where what somebody declared and what is observed differ. */
export interface CatalogDrift {
  /** Path in the entity: spec.owner. */
  field: string
  declared: unknown
  observed: unknown
}

/** As lists and searches show an entity. */
export interface CatalogRow {
  /** `kind:namespace/name` in lower case. */
  ref: string
  kind: string
  namespace: string
  name: string
  title: string | null
  description: string | null
  type: string | null
  lifecycle: string | null
  owner: string | null
  tags: string[]
  origins: CatalogOrigin[]
  /** Number of differences. */
  drift: number
}

export interface CatalogPage {
  items: CatalogRow[]
  continue?: string
}

/** Requests of one app to another over the last hour. */
export interface CallRate {
  requestsPerMinute: number
  /** Share of server errors, 0 … 1; null without a request in that hour. */
  errorShare: number | null
  /** ISO 8601. */
  lastSeenAt: string
  /** There were more requests from this machine, over connections too short to tell whose they were. */
  atLeast?: true
}

export interface CatalogRelation {
  /** As Backstage names it: dependsOn. */
  type: string
  target: string
  /** Whether this entity names the other, or the other this one. */
  declaredHere: boolean
  origins: CatalogOrigin[]
  /** Of a dependency that requests were seen of. */
  traffic?: CallRate
  /** A dependency between two apps of this platform that is declared, and that neither requests nor configuration show. */
  unseen?: true
}

export interface CatalogDetails {
  ref: string
  entity: CatalogEntity
  origins: CatalogOrigin[]
  drift: CatalogDrift[]
  relations: CatalogRelation[]
  changedAt: string
}

export interface CatalogEdge {
  source: string
  type: string
  target: string
  origins: CatalogOrigin[]
  traffic?: CallRate
  unseen?: true
}

export interface CatalogGraph {
  nodes: CatalogRow[]
  /** Named by somebody, but unknown. */
  missing: string[]
  edges: CatalogEdge[]
  truncated: boolean
}

export interface CatalogFacet {
  kind: string
  type: string | null
  count: number
}

export interface CatalogImport {
  location: string
  accepted: number
  changed: number
  refused: { document: number; name: string; reason: string }[]
}

export type RuleOutcome = 'kept' | 'broken' | 'unknown' | 'exempt'

export interface RuleResult {
  rule: string
  title: string
  level: string
  outcome: RuleOutcome
  /** Why: the message of the rule, why it is unknown, or the reason of the exemption. */
  reason?: string
  fix?: string
  docs?: string
  action?: RuleAction
  /** The platform can do it for this app: `POST …/rules/{rule}/fix`. */
  fixable?: true
}

/** What one scorecard says of one app. */
export interface CardResult {
  team: string
  app: string
  scorecard: string
  level: string | null
  next: string | null
  /** Percent of the weight of the rules that are kept or exempt. */
  score: number
  rules: RuleResult[]
  changedAt: string
}

/** What the platform does about a broken rule, or would do. */
export interface RuleFix {
  app: string
  scorecard: string
  rule: string
  action: RuleAction
  /** One sentence. */
  summary: string
  /** Whether it was done; false for a dry run. */
  done: boolean
  /** A branch that holds the proposal; main stays as it is. */
  branch?: string
  diff?: string
  files?: { path: string; change: 'added' | 'changed' | 'removed' | 'conflict' }[]
  conflicts?: string[]
}

export interface CardTrend {
  /** 2026-01-31. */
  day: string
  apps: number
  score: number
  levels: Record<string, number>
}
