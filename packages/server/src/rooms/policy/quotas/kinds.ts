import { QuotaSpec, QuotaStatus } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

const limit = (amount: number | undefined): string => (amount === undefined ? 'none' : String(amount))

export const quota = defineKind<QuotaSpec, QuotaStatus>({
  kind: 'Quota',
  plural: 'quotas',
  scope: 'Cluster',
  description: 'How much a team may use. It has the name of its team.',
  spec: QuotaSpec,
  status: QuotaStatus,
  nameForm: 'label',
  maxNameLength: 30,
  access: {},
  columns: [
    { name: 'Apps', type: 'string', description: 'Apps.', value: ({ spec }) => limit(spec.apps) },
    { name: 'Instances', type: 'string', description: 'Instances together.', value: ({ spec }) => limit(spec.instances) },
    { name: 'CPU', type: 'string', description: 'CPU cores together.', value: ({ spec }) => limit(spec.cpu) },
    { name: 'Memory MiB', type: 'string', description: 'Memory together.', value: ({ spec }) => limit(spec.memoryMib) },
    { name: 'Environments', type: 'string', description: 'Environments.', value: ({ spec }) => limit(spec.environments) },
    { name: 'Builds a day', type: 'string', description: 'Builds of the last 24 hours.', value: ({ spec }) => limit(spec.buildsPerDay) },
  ],
})
