import { RunbookRunSpec, RunbookRunStatus, RunbookSpec, RunbookStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { readRunbook, unknownParameters } from './text.ts'

export const runbook = defineKind<RunbookSpec, RunbookStatus>({
  kind: 'Runbook',
  plural: 'runbooks',
  scope: 'Namespaced',
  description: 'Tested steps for when something breaks: a text with checks, commands, changes, waits, decisions and what a person does.',
  spec: RunbookSpec,
  status: RunbookStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => causesOf(spec),
  columns: [
    { name: 'Title', type: 'string', description: 'What it is for.', value: ({ spec }) => spec.title },
    { name: 'Steps', type: 'integer', description: 'Steps that it has.', value: ({ spec }) => readRunbook(spec.markdown).steps.length },
    { name: 'Succeeded', type: 'date', description: 'When all of its steps last succeeded.', value: ({ status }) => status?.lastSuccessAt },
    { name: 'Stale', type: 'boolean', description: 'Nobody should trust it without a rehearsal.', value: ({ status }) => status?.stale ?? false },
  ],
})

export const runbookRun = defineKind<RunbookRunSpec, RunbookRunStatus>({
  kind: 'RunbookRun',
  plural: 'runbookruns',
  scope: 'Namespaced',
  description: 'One time that a runbook was gone through, step by step, with what came of each.',
  spec: RunbookRunSpec,
  status: RunbookRunStatus,
  indexes: ['spec.runbook', 'spec.incident', 'status.phase'],
  immutable: { except: [] },
  access: { developer: ['create', 'delete'] },
  columns: [
    { name: 'Runbook', type: 'string', description: 'Runbook.', value: ({ spec }) => spec.runbook },
    { name: 'Phase', type: 'string', description: 'How it stands.', value: ({ status }) => status?.phase },
    { name: 'Message', type: 'string', description: 'In a sentence.', value: ({ status }) => status?.message },
    { name: 'By', type: 'string', description: 'Who began it.', priority: 1, value: ({ spec }) => spec.requestedBy },
  ],
})

function causesOf({ markdown, parameters = [] }: RunbookSpec): Cause[] {
  const { steps, causes } = readRunbook(markdown)
  const names = parameters.map(({ name }) => name)
  return [
    ...causes,
    ...names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [{ field: `spec.parameters[${index}].name`, message: `There is a parameter "${name}" already.` }])),
    ...unknownParameters(steps, names).map(({ line, name }) => ({ field: 'spec.markdown', message: `Line ${line}: $${name} is no parameter. A dollar by itself is $$.` })),
  ]
}
