import { IncidentSpec, IncidentStatus } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const incident = defineKind<IncidentSpec, IncidentStatus>({
  kind: 'Incident',
  plural: 'incidents',
  shortNames: ['inc'],
  scope: 'Namespaced',
  description: 'Something is wrong for users, and people work on it together.',
  spec: IncidentSpec,
  status: IncidentStatus,
  maxNameLength: 80,
  indexes: ['spec.app', 'status.state'],
  access: { developer: ['create', 'update', 'patch'], admin: ['delete'] },
  columns: [
    { name: 'Severity', type: 'string', description: 'How bad it is.', value: ({ spec }) => spec.severity },
    { name: 'State', type: 'string', description: 'How far it is.', value: ({ status }) => status?.state },
    { name: 'App', type: 'string', description: 'App that has the trouble.', value: ({ spec }) => spec.app },
    { name: 'Commander', type: 'string', description: 'Who decides.', value: ({ spec }) => spec.roles?.commander },
    { name: 'Detected', type: 'date', description: 'When it was detected.', value: ({ status }) => status?.detectedAt },
    { name: 'Title', type: 'string', description: 'What is wrong.', value: ({ spec }) => spec.title },
  ],
})
