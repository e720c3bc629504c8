import { BuildSpec, BuildStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

export const build = defineKind<BuildSpec, BuildStatus>({
  kind: 'Build',
  plural: 'builds',
  scope: 'Namespaced',
  description: 'Turns a revision into an artifact; deploys it when an environment is given.',
  spec: BuildSpec,
  status: BuildStatus,
  indexes: ['spec.app', 'status.phase'],
  immutable: { except: ['canceled'] },
  access: { developer: ['create', 'update', 'patch'] },
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Phase', type: 'string', description: 'How far it is.', value: ({ status }) => status?.phase },
    { name: 'Builder', type: 'string', description: 'Builder that was chosen.', value: ({ status }) => status?.builder },
    { name: 'Artifact', type: 'string', description: 'What came out.', value: ({ status }) => status?.artifact?.slice(0, 19) },
    { name: 'Problem', type: 'string', description: 'Why it failed.', priority: 1, value: ({ status }) => status?.problem?.code },
  ],
})
