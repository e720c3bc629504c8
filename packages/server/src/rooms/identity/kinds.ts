import { TeamSpec, TeamStatus, UserSpec, UserStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

/** Names that would collide with hosts or paths of the platform. */
const reservedTeams = ['www', 'api', 'pavior', 'system', 'admin', 'kube-system', 'localhost']

export const team = defineKind<TeamSpec, TeamStatus>({
  kind: 'Team',
  plural: 'teams',
  scope: 'Cluster',
  description: 'A tenant: owns a namespace, members and apps.',
  spec: TeamSpec,
  status: TeamStatus,
  nameForm: 'label',
  maxNameLength: 30,
  reservedNames: reservedTeams,
  access: {},
  columns: [
    { name: 'Members', type: 'integer', description: 'People in the team.', value: ({ spec }) => spec.members?.length ?? 0 },
    { name: 'Description', type: 'string', description: 'What the team does.', priority: 1, value: ({ spec }) => spec.description },
  ],
  validate: ({ spec }) => twiceNamed(spec),
})

function twiceNamed({ members = [] }: TeamSpec): Cause[] {
  const seen = new Set<string>()
  return members.flatMap(({ user }, index) => {
    if (!seen.has(user)) {
      seen.add(user)
      return []
    }
    return [{ field: `spec.members[${index}].user`, message: `Duplicate value: "${user}"`, reason: 'FieldValueDuplicate' }]
  })
}

export const user = defineKind<UserSpec, UserStatus>({
  kind: 'User',
  plural: 'users',
  scope: 'Cluster',
  description: 'A person or a machine that acts.',
  spec: UserSpec,
  status: UserStatus,
  nameForm: 'label',
  maxNameLength: 40,
  reservedNames: ['system'],
  indexes: ['spec.login', 'spec.externalId', 'spec.subject', 'spec.email'],
  access: {},
  columns: [
    { name: 'Name', type: 'string', description: 'Name for people.', value: ({ spec }) => spec.displayName },
    { name: 'Admin', type: 'boolean', description: 'Administrator of the platform.', value: ({ spec }) => spec.admin ?? false },
    { name: 'Suspended', type: 'boolean', description: 'May not act.', priority: 1, value: ({ spec }) => spec.suspended ?? false },
  ],
})
