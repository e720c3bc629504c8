/** What the files of this folder speak of. */
import type { AlertSpec, AlertStatus, AppSpec, DeploymentSpec, DeploymentStatus, IncidentEntry, IncidentSpec, IncidentStatus, ReleaseSpec, Resource, RunbookRunSpec, RunbookRunStatus, RunbookSpec, RunbookStatus } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'

export type Incident = Resource<IncidentSpec, IncidentStatus>
export type Alert = Resource<AlertSpec, AlertStatus>
export type App = Resource<AppSpec>
export type Deployment = Resource<DeploymentSpec, DeploymentStatus>
export type Release = Resource<ReleaseSpec>
export type Runbook = Resource<RunbookSpec, RunbookStatus>
export type RunbookRun = Resource<RunbookRunSpec, RunbookRunStatus>

/** A line of a timeline before it is written. What has the same key is written once. */
export type NewEntry = Omit<IncidentEntry, 'id'> & { dedupe: string }

export const actor = systemActor('incidents')

/** Nothing is done about it any more. */
export function isOver({ status }: Pick<Incident, 'status'>): boolean {
  return status?.state === 'Resolved' || status?.state === 'Closed'
}
