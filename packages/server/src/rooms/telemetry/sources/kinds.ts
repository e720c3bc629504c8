import { MetricSourceSpec, MetricSourceStatus } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { reachCauses } from '../exports/kinds.ts'

export const metricSource = defineKind<MetricSourceSpec, MetricSourceStatus>({
  kind: 'MetricSource',
  plural: 'metricsources',
  shortNames: ['sources'],
  scope: 'Namespaced',
  description: 'A Prometheus elsewhere: queries, objectives, alerts and the explorer can ask it.',
  spec: MetricSourceSpec,
  status: MetricSourceStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => reachCauses('spec', spec),
  columns: [
    { name: 'URL', type: 'string', description: 'Where it is.', value: ({ spec }) => spec.url },
    { name: 'State', type: 'string', description: 'How the last question ended.', value: ({ status }) => status?.state },
    { name: 'Message', type: 'string', description: 'What was wrong.', priority: 1, value: ({ status }) => status?.message },
  ],
})
