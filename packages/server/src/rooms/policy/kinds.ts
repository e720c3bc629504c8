import { PolicyExceptionSpec, PolicyExceptionStatus, PolicySpec, PolicyStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'
import { cel, placeholdersOf } from './language.ts'

export const policy = defineKind<PolicySpec, PolicyStatus>({
  kind: 'Policy',
  plural: 'policies',
  scope: 'Cluster',
  description: 'Rules as code, judged where things change and where they live.',
  spec: PolicySpec,
  status: PolicyStatus,
  nameForm: 'label',
  maxNameLength: 60,
  access: {},
  columns: [
    { name: 'Mode', type: 'string', description: 'enforce, warn, audit or off.', value: ({ spec }) => spec.mode },
    { name: 'Severity', type: 'string', description: 'How bad it is to break it.', value: ({ spec }) => spec.severity },
    { name: 'Title', type: 'string', description: 'Name for people.', value: ({ spec }) => spec.title },
    { name: 'Denied', type: 'integer', description: 'Changes that it refused.', value: ({ status }) => status?.denied ?? 0 },
    { name: 'Errors', type: 'integer', description: 'Rules that could not be judged.', value: ({ status }) => status?.errors?.length ?? 0 },
    { name: 'Points', type: 'string', description: 'When it judges.', priority: 1, value: ({ spec }) => spec.points.join(',') },
  ],
  validate: ({ spec }) => ruleProblems(spec),
})

export function ruleProblems({ rules }: PolicySpec): Cause[] {
  const names = rules.map(({ name }) => name)
  return rules.flatMap(({ name, expression, message }, index) => {
    const wrong = cel.problem(expression, 'bool')
    const parts = placeholdersOf(message).flatMap((part) => cel.problem(part, 'any') ?? [])
    return [
      ...(wrong === undefined ? [] : [{ field: `spec.rules[${index}].expression`, message: `is no CEL expression of a rule: ${wrong}` }]),
      ...parts.map((problem) => ({ field: `spec.rules[${index}].message`, message: `holds what is no CEL expression: ${problem}` })),
      ...(names.indexOf(name) < index ? [{ field: `spec.rules[${index}].name`, message: 'is the name of another rule too' }] : []),
    ]
  })
}

export const policyException = defineKind<PolicyExceptionSpec, PolicyExceptionStatus>({
  kind: 'PolicyException',
  plural: 'policyexceptions',
  shortNames: ['exception', 'exceptions'],
  scope: 'Namespaced',
  description: 'A deviation from a policy that somebody answers for and that ends.',
  spec: PolicyExceptionSpec,
  status: PolicyExceptionStatus,
  indexes: ['spec.policy', 'spec.app'],
  // What was granted is what was asked for.
  immutable: { except: [] },
  access: { developer: ['create', 'delete'], admin: ['approve'] },
  columns: [
    { name: 'Policy', type: 'string', description: 'Policy, and rule of it, that need not be kept.', value: ({ spec }) => (spec.rule === undefined ? spec.policy : `${spec.policy}/${spec.rule}`) },
    { name: 'App', type: 'string', description: 'App that it is for.', value: ({ spec }) => spec.app ?? 'all of the team' },
    { name: 'Phase', type: 'string', description: 'How far it is.', value: ({ status }) => status?.phase ?? 'Requested' },
    { name: 'Owner', type: 'string', description: 'Who answers for it.', value: ({ spec }) => spec.owner },
    { name: 'Expires', type: 'date', description: 'From when on the rule is enforced again.', value: ({ spec }) => spec.expiresAt },
    { name: 'By', type: 'string', description: 'Who decided.', priority: 1, value: ({ status }) => status?.by },
  ],
  validate: ({ spec }) => (spec.reviewAt !== undefined && Date.parse(spec.reviewAt) > Date.parse(spec.expiresAt) ? [{ field: 'spec.reviewAt', message: 'must not be after its end' }] : []),
})
