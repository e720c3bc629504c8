/** Kinds that say who may do what: roles, bindings, groups, service accounts. */
import { GroupSpec, IdentityProviderSpec, RoleBindingSpec, RoleSpec, ServiceAccountSpec, type Cause, type Resource } from '@pavior/contract'
import { defineKind, type Column } from '../../kernel/kind.ts'
import { builtInRoles } from './built-in.ts'

export const role = defineKind<RoleSpec, unknown>({
  kind: 'Role',
  plural: 'roles',
  scope: 'Cluster',
  description: 'Rights under a name: verbs on kinds, perhaps only some names, environments or fields. A RoleBinding gives it to somebody.',
  spec: RoleSpec,
  maxNameLength: 63,
  reservedNames: Object.keys(builtInRoles),
  access: {},
  columns: [
    { name: 'Rules', type: 'integer', description: 'How many rules it has.', value: ({ spec }) => spec.rules.length },
    { name: 'Description', type: 'string', description: 'What it is for.', priority: 1, value: ({ spec }) => spec.description },
  ],
})

const bindingColumns: Column<Resource<RoleBindingSpec, unknown>>[] = [
  { name: 'Role', type: 'string', description: 'What it gives.', value: ({ spec }) => spec.role },
  { name: 'Subjects', type: 'string', description: 'Who gets it.', value: ({ spec }) => spec.subjects.map(({ kind, name }) => `${kind} ${name}`).join(', ') },
  { name: 'Expires', type: 'date', description: 'When it ends by itself.', value: ({ spec }) => spec.expiresAt },
  { name: 'Reason', type: 'string', description: 'Why it was given.', priority: 1, value: ({ spec }) => spec.reason },
]

/** A binding that gave something else tomorrow would be hard to follow in the audit. */
const bindingImmutable = { except: ['subjects', 'expiresAt', 'reason'] }

export const roleBinding = defineKind<RoleBindingSpec, unknown>({
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  description: 'Gives a role in one team to people, groups and service accounts, perhaps for a while.',
  spec: RoleBindingSpec,
  indexes: ['spec.role'],
  immutable: bindingImmutable,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: bindingColumns,
  validate: ({ spec }) => (builtInRoles[spec.role]?.scope === 'platform' ? [{ field: 'spec.role', message: `Invalid value: "${spec.role}": it is given by a ClusterRoleBinding only`, reason: 'FieldValueInvalid' }] : []),
})

export const clusterRoleBinding = defineKind<RoleBindingSpec, unknown>({
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  description: 'Gives a role in every team, and on the platform itself.',
  spec: RoleBindingSpec,
  indexes: ['spec.role'],
  immutable: bindingImmutable,
  access: {},
  columns: bindingColumns,
  validate: ({ spec }) => spec.subjects.flatMap(({ kind, team }, index): Cause[] => (kind === 'ServiceAccount' && team === undefined ? [{ field: `spec.subjects[${index}].team`, message: 'Required value: a ServiceAccount lives in a team', reason: 'FieldValueRequired' }] : [])),
})

export const group = defineKind<GroupSpec, unknown>({
  kind: 'Group',
  plural: 'groups',
  scope: 'Cluster',
  description: 'People who get roles together; filled by hand, by SCIM, or by the groups claim of single sign-on.',
  spec: GroupSpec,
  nameForm: 'label',
  maxNameLength: 60,
  indexes: ['spec.displayName', 'spec.externalId'],
  access: {},
  columns: [
    { name: 'Name', type: 'string', description: 'Name for people.', value: ({ spec }) => spec.displayName },
    { name: 'Members', type: 'integer', description: 'People in it.', value: ({ spec }) => spec.members?.length ?? 0 },
  ],
})

export const identityProvider = defineKind<IdentityProviderSpec, unknown>({
  kind: 'IdentityProvider',
  plural: 'identityproviders',
  shortNames: ['idp'],
  scope: 'Cluster',
  description: 'A provider of OpenID Connect that people sign in with. Its client secret is kept apart: pavior sso secret.',
  spec: IdentityProviderSpec,
  nameForm: 'label',
  maxNameLength: 40,
  access: {},
  columns: [
    { name: 'Name', type: 'string', description: 'Name on the sign-in page.', value: ({ spec }) => spec.displayName },
    { name: 'Issuer', type: 'string', description: 'Issuer of OpenID Connect.', value: ({ spec }) => spec.issuer },
    { name: 'Disabled', type: 'boolean', description: 'Nobody signs in with it.', value: ({ spec }) => spec.disabled ?? false },
  ],
  validate: ({ spec }) => (/^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(spec.issuer) ? [] : [{ field: 'spec.issuer', message: `Invalid value: "${spec.issuer}": it must begin with https:// unless it is on this machine`, reason: 'FieldValueInvalid' }]),
})

export const serviceAccount = defineKind<ServiceAccountSpec, unknown>({
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  description: 'A machine that acts in the name of a team. It has tokens, and what RoleBindings give it.',
  spec: ServiceAccountSpec,
  nameForm: 'label',
  maxNameLength: 40,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: [
    { name: 'Description', type: 'string', description: 'What acts as it.', value: ({ spec }) => spec.description },
    { name: 'Suspended', type: 'boolean', description: 'May not act.', value: ({ spec }) => spec.suspended ?? false },
  ],
})
