import { ConfigRepoSpec, ConfigRepoStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

export const configRepo = defineKind<ConfigRepoSpec, ConfigRepoStatus>({
  kind: 'ConfigRepo',
  plural: 'configrepos',
  scope: 'Namespaced',
  description: 'A git repository that declares resources of the team; the platform makes them be so.',
  spec: ConfigRepoSpec,
  status: ConfigRepoStatus,
  nameForm: 'label',
  maxNameLength: 40,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => ((spec.hosted === true) === (spec.url !== undefined) ? [{ field: 'spec.url', message: 'Give hosted: true or a url, one of them.' }] : []),
  columns: [
    { name: 'Source', type: 'string', description: 'Where it is.', value: ({ spec }) => spec.url ?? 'hosted here' },
    { name: 'Commit', type: 'string', description: 'Commit in force.', value: ({ status }) => status?.commit?.slice(0, 10) },
    { name: 'Synced', type: 'string', description: 'Whether the newest commit is in force.', value: ({ status }) => status?.conditions?.find(({ type }) => type === 'Synced')?.status },
    { name: 'Message', type: 'string', description: 'Why.', value: ({ status }) => status?.conditions?.find(({ type }) => type === 'Synced')?.message },
  ],
})
