/** What the API tells of templates. */
import { withoutSecrets, type Resource, type TemplateRunSpec, type TemplateRunStatus, type TemplateSpec, type FleetRow } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get, post } from '../../frame/api.ts'

export type Run = Resource<TemplateRunSpec, TemplateRunStatus>

export interface TemplateRow {
  team: string
  name: string
  title: string
  description?: string
  type?: string
  tags?: string[]
  owner?: string
  version: string
  deprecated?: TemplateSpec['deprecated']
}

export type TemplateDetails = TemplateSpec & { team: string; name: string }

export interface PreviewFile {
  path: string
  size: number
  executable: boolean
  content?: string
}

export interface Preview {
  template: string
  version: string
  app?: string
  files: PreviewFile[]
}

export const templatesQuery = queryOptions({ queryKey: ['templates'], queryFn: ({ signal }) => get<{ items: TemplateRow[] }>('/v1/templates', signal) })

export const templateQuery = (team: string, name: string) =>
  queryOptions({ queryKey: ['template', team, name], queryFn: ({ signal }) => get<TemplateDetails>(`/v1/templates/${encodeURIComponent(name)}?team=${encodeURIComponent(team)}`, signal) })

export const fleetQuery = (team: string, name: string) =>
  queryOptions({ queryKey: ['fleet', team, name], queryFn: ({ signal }) => get<{ items: FleetRow[] }>(`/v1/templates/${encodeURIComponent(name)}/fleet?team=${encodeURIComponent(team)}`, signal) })

interface Wanted {
  team: string
  template: TemplateDetails
  answers: Record<string, unknown>
}

export const preview = (wanted: Wanted): Promise<Preview> => post(`${runsPath(wanted)}?dryRun=All`, bodyOf(wanted))
export const begin = (wanted: Wanted): Promise<Run> => post(runsPath(wanted), bodyOf(wanted))

function runsPath({ team, template }: Wanted): string {
  return `/v1/teams/${encodeURIComponent(team)}/templates/${encodeURIComponent(template.name)}/runs`
}

/** Answers that are secrets go their own way, so that nothing keeps them. */
function bodyOf({ template, answers }: Wanted): object {
  const { answers: open, secrets } = withoutSecrets(template.parameters ?? [], answers)
  return { answers: open, templateTeam: template.team, ...(Object.keys(secrets).length > 0 ? { secrets } : {}) }
}

export interface Upgrade {
  app: string
  from: string
  to: string
  changed: boolean
  branch?: string
  files?: { path: string; change: string }[]
  conflicts?: string[]
}

export const proposeUpgrade = (team: string, app: string): Promise<Upgrade> => post(`/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/template-upgrade`, {})
