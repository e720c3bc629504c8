import { InstanceSetSpec, InstanceSetStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

/** Written by room release; people read it, and may scale it only through the App. */
export const instanceSet = defineKind<InstanceSetSpec, InstanceSetStatus>({
  kind: 'InstanceSet',
  plural: 'instancesets',
  shortNames: ['is'],
  scope: 'Namespaced',
  description: 'N wanted instances of one process of one release in one environment.',
  spec: InstanceSetSpec,
  status: InstanceSetStatus,
  indexes: ['spec.app', 'spec.environment'],
  immutable: { except: ['replicas', 'restartToken', 'sleepAfterMs'] },
  access: {},
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Environment.', value: ({ spec }) => spec.environment },
    { name: 'Release', type: 'string', description: 'Release.', value: ({ spec }) => `v${spec.release}` },
    { name: 'Process', type: 'string', description: 'Process.', value: ({ spec }) => spec.process },
    { name: 'Ready', type: 'string', description: 'Healthy of wanted instances.', value: ({ spec, status }) => `${status?.ready ?? 0}/${spec.replicas}` },
    { name: 'Problem', type: 'string', description: 'Why it is not healthy.', priority: 1, value: ({ status }) => status?.problem?.code },
  ],
})
