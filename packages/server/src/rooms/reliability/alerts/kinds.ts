import { AlertSpec, AlertStatus } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const alert = defineKind<AlertSpec, AlertStatus>({
  kind: 'Alert',
  plural: 'alerts',
  scope: 'Namespaced',
  description: 'A condition that fired: everything of one cause together. Written by the platform.',
  spec: AlertSpec,
  status: AlertStatus,
  indexes: ['spec.app', 'status.state'],
  access: {},
  columns: [
    { name: 'Severity', type: 'string', description: 'How urgent.', value: ({ spec }) => spec.severity },
    { name: 'State', type: 'string', description: 'How it stands.', value: ({ status }) => status?.state },
    { name: 'App', type: 'string', description: 'App that it is about.', value: ({ spec }) => spec.app },
    { name: 'Summary', type: 'string', description: 'What is wrong.', value: ({ spec }) => spec.summary },
  ],
})
