import { PostmortemSpec, PostmortemStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const postmortem = defineKind<PostmortemSpec, PostmortemStatus>({
  kind: 'Postmortem',
  plural: 'postmortems',
  shortNames: ['pm'],
  scope: 'Namespaced',
  description: 'What was learned from an incident, without blame.',
  spec: PostmortemSpec,
  status: PostmortemStatus,
  maxNameLength: 80,
  indexes: ['spec.incident', 'spec.state'],
  access: { developer: ['create', 'update', 'patch'], admin: ['delete'] },
  validate: ({ spec }) => causesOf(spec),
  columns: [
    { name: 'Incident', type: 'string', description: 'What it is about.', value: ({ spec }) => spec.incident },
    { name: 'State', type: 'string', description: 'How far it is.', value: ({ spec }) => spec.state ?? 'Draft' },
    { name: 'Open', type: 'integer', description: 'Actions that are not done.', value: ({ status }) => status?.actions?.open },
    { name: 'Overdue', type: 'integer', description: 'Of them beyond their day.', value: ({ status }) => status?.actions?.overdue },
    { name: 'Title', type: 'string', description: 'What happened.', value: ({ spec }) => spec.title },
  ],
})

/** Others are to learn from what is published. */
function causesOf({ state, summary = '', impact = '', actions = [] }: PostmortemSpec): Cause[] {
  const empty = (text: string): boolean => text.trim() === ''
  const published = state === 'Published'
  return [
    ...(published && empty(summary) ? [{ field: 'spec.summary', message: 'Say what happened before it is published.' }] : []),
    ...(published && empty(impact) ? [{ field: 'spec.impact', message: 'Say whom it hurt before it is published.' }] : []),
    ...actions.flatMap(({ due }, index) => (due === undefined || isDay(due) ? [] : [{ field: `spec.actions[${index}].due`, message: `"${due}" is no day.` }])),
  ]
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}
