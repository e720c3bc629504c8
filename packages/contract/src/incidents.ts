/** What the API tells of incidents beyond their resources, and what it takes. */
import type { IncidentRole, IncidentSeverity, IncidentState } from './kinds/incident.ts'

export const incidentEntryKinds = ['opened', 'alert', 'deployment', 'change', 'freeze', 'state', 'acknowledged', 'role', 'severity', 'note', 'update', 'published', 'evidence', 'runbook', 'postmortem'] as const
export type IncidentEntryKind = (typeof incidentEntryKinds)[number]

/** A line of a timeline; never changed afterwards. */
export interface IncidentEntry {
  /** Rises with the order in which entries were made. */
  id: string
  /** When it happened, which may be long before it was entered. */
  at: string
  kind: IncidentEntryKind
  /** user:ada, system:incidents. */
  actor: string
  text: string
  /** Facts for programs: alert, deployment, lines, series. */
  data?: Record<string, unknown>
}

/** Bodies of `POST /v1/teams/:team/incidents/:name/<act>`. */
export interface IncidentActs {
  open: { title: string; severity?: IncidentSeverity; app?: string; environment?: string; channel?: string }
  acknowledge: { note?: string }
  note: { text: string }
  update: { text?: string; public?: string; publicTitle?: string }
  assign: { role: IncidentRole; user: string | null }
  severity: { severity: IncidentSeverity; reason?: string }
  /** `from`: refused when it is in another state by now. */
  state: { state: IncidentState; from?: IncidentState; note?: string }
  resolve: { note?: string }
  close: { note?: string; postmortem?: boolean }
}

export interface SpanFigures {
  count: number
  /** Seconds. */
  median?: number
  p90?: number
}

/** How a team fares with incidents over some days. */
export interface ReliabilityFigures {
  days: number
  incidents: number
  bySeverity: Record<IncidentSeverity, number>
  detect: SpanFigures
  acknowledge: SpanFigures
  restore: SpanFigures
  /** Of incidents that ask for one. */
  postmortems: { required: number; published: number }
  actions: { open: number; done: number; overdue: number }
  repeats: number
}
