/** What incidents need from others to know what happened. */
import type { AuditRow, ChangeEvent } from '@pavior/contract'
import type { AppName, CallCounts } from '../../telemetry/index.ts'
import type { WhatChanged } from './what-changed.ts'

export interface Place {
  team: string
  app: string
  environment: string
}

/** Who calls whom, as the router saw it. */
export interface ObservedCalls {
  /** Apps that this one has called since then. */
  calledBy: (app: AppName, since: Date) => Promise<AppName[]>
  /** Every pair that one of these apps is in. */
  callsOf: (apps: AppName[], since: Date) => Promise<CallCounts[]>
}

/** What somebody changed, with what it was where that is known. */
export interface Change extends AuditRow {
  what?: WhatChanged
}

/** What people changed in a team: rows of the audit, the newest first, not more than `limit`. */
export type ChangesByPeople = (team: string, since: Date, until: Date, limit: number) => Promise<AuditRow[]>

/** What others told of changes to these apps, the latest first. */
export type ChangesElsewhere = (team: string, apps: readonly string[], since: Date, until: Date, limit: number) => Promise<ChangeEvent[]>

/** What is kept with an incident of what will be forgotten elsewhere. */
export interface Evidence {
  source: 'logs' | 'metrics' | 'traces'
  /** What it shows, in a sentence. */
  text: string
  data: Record<string, unknown>
}

/** Copies of logs, metrics and traces of an app around a time; fewer than there are, the telling ones. */
export type Excerpts = (place: Place, from: Date, until: Date) => Promise<Evidence[]>
