import { AppSpec, AppStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

/** Names that would collide with hosts of the platform. */
const reservedApps = ['www', 'api', 'pavior', 'portal', 'admin', 'localhost']

export const app = defineKind<AppSpec, AppStatus>({
  kind: 'App',
  plural: 'apps',
  scope: 'Namespaced',
  description: 'A workload: where it comes from, how it is built, which processes it runs.',
  spec: AppSpec,
  status: AppStatus,
  nameForm: 'label',
  maxNameLength: 40,
  reservedNames: reservedApps,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  columns: [
    { name: 'Ready', type: 'string', description: 'Whether the newest deployment serves.', value: ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status },
    { name: 'Release', type: 'string', description: 'Release that serves, by environment.', value: ({ status }) => releases(status) },
    { name: 'URL', type: 'string', description: 'Where it answers.', value: ({ status }) => Object.values(status?.environments ?? {}).find(({ url }) => url)?.url },
    { name: 'Phase', type: 'string', description: 'Newest deployment.', priority: 1, value: ({ status }) => Object.values(status?.environments ?? {})[0]?.phase },
  ],
})

function releases(status: AppStatus | undefined): string | undefined {
  const all = Object.entries(status?.environments ?? {}).filter(([, { release }]) => release !== undefined)
  if (all.length === 0) return undefined
  return all.map(([environment, { release }]) => (all.length === 1 ? `v${release}` : `${environment}=v${release}`)).join(' ')
}
