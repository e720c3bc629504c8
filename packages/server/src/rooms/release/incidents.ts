/** Incidents of an app that are open: they hold nothing, and whoever deploys is to know of them. */
import type { IncidentSpec, IncidentStatus, Resource } from '@pavior/contract'
import type { Resources } from '../../kernel/resources/index.ts'
import { actor } from './context.ts'

/** In sentences, the worst first. */
export async function openIncidents(resources: Resources, team: string, app: string, environment: string): Promise<string[]> {
  const found = await resources.listAll<Resource<IncidentSpec, IncidentStatus>>(actor, 'Incident', team, { fields: [{ path: 'spec.app', operator: '=', value: app }] })
  return found
    .filter(({ spec, status }) => (spec.environment ?? environment) === environment && status?.state !== 'Resolved' && status?.state !== 'Closed')
    .toSorted((one, other) => one.spec.severity.localeCompare(other.spec.severity))
    .map(({ metadata, spec, status }) => `The incident ${metadata.name} (${spec.severity}, ${status?.state ?? 'Investigating'}) of ${app} is open: ${spec.title}`)
}
