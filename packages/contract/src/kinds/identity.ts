import Type from 'typebox'
import { Conditions, dnsLabel, keyedBy, Role, Timestamp } from './shared.ts'

/** A name that may have dots, as resources have. */
const resourceName = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[a-z]([-a-z0-9.]*[a-z0-9])?$', minLength: 1, maxLength, description })

export const TeamSpec = Type.Object(
  {
    displayName: Type.Optional(Type.String({ maxLength: 100, description: 'Name for people.' })),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What the team does.' })),
    members: Type.Optional(
      Type.Array(
        Type.Object(
          {
            user: dnsLabel(40, 'Name of a User.'),
            role: Role,
          },
          { additionalProperties: false },
        ),
        { maxItems: 1000, description: 'Who belongs to the team, and as what.', ...keyedBy('user') },
      ),
    ),
    groups: Type.Optional(
      Type.Array(Type.Object({ group: dnsLabel(60, 'Name of a Group.'), role: Role }, { additionalProperties: false }), {
        maxItems: 100,
        description: 'Groups whose members belong to the team, and as what.',
        ...keyedBy('group'),
      }),
    ),
    defaultEnvironment: Type.Optional(dnsLabel(20, 'Environment that a deploy goes to when none is named. Default: production.')),
  },
  { additionalProperties: false, description: 'A tenant: owns a namespace, members and apps.' },
)
/** Team of the people who run the platform: its objectives are those of the platform itself. */
export const platformTeam = 'platform'

export type TeamSpec = Type.Static<typeof TeamSpec>
export const TeamStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type TeamStatus = Type.Static<typeof TeamStatus>

export const UserSpec = Type.Object(
  {
    displayName: Type.Optional(Type.String({ maxLength: 100, description: 'Name for people.' })),
    email: Type.Optional(Type.String({ maxLength: 254, format: 'email', description: 'Mail address.' })),
    admin: Type.Optional(Type.Boolean({ description: 'Administrator of the whole platform.' })),
    suspended: Type.Optional(Type.Boolean({ description: 'Tokens of a suspended user are refused.' })),
    login: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'Name of the person at the identity provider; SCIM calls it userName.' })),
    externalId: Type.Optional(Type.String({ maxLength: 254, description: 'Id of the person in the directory that provisions over SCIM.' })),
    subject: Type.Optional(Type.String({ maxLength: 400, description: 'Who the person is to single sign-on: <identity provider>/<sub>.' })),
  },
  { additionalProperties: false, description: 'A person or a machine that acts.' },
)
export type UserSpec = Type.Static<typeof UserSpec>
export const UserStatus = Type.Object({ lastSeenAt: Type.Optional(Timestamp('Last use of any of its tokens, within an hour.')) }, { additionalProperties: false })
export type UserStatus = Type.Static<typeof UserStatus>

/** The last two are acts on what others do: approve (a Deployment that waits for it, a PolicyException that was asked for) and override (freezes and soak times of a Deployment). */
export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'approve', 'override'] as const
export type Verb = (typeof verbs)[number]

/** One line of a role: these verbs on these kinds, perhaps only by these names, in these environments, on these fields. */
export const AccessRule = Type.Object(
  {
    verbs: Type.Array(Type.Enum([...verbs, '*'], { description: 'A verb; * means all.' }), { minItems: 1, maxItems: 10, description: 'What may be done; * means all. approve and override are acts on a Deployment (let it pass; leave out freezes and soak times), approve also decides on a PolicyException.' }),
    kinds: Type.Array(Type.String({ pattern: '^(\\*|[A-Z][A-Za-z]{0,59})$' }), { minItems: 1, maxItems: 50, description: 'Kinds, for example App; * means all. Audit is no kind, is read with get, and has to be named.' }),
    names: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z][-a-z0-9.]*\\*?$', maxLength: 253 }), { minItems: 1, maxItems: 100, description: 'Names, or beginnings of names with * at the end. A rule with names allows no list and no watch. Default: all.' })),
    environments: Type.Optional(Type.Array(dnsLabel(20, 'Name of an Environment.'), { minItems: 1, maxItems: 50, description: 'Only what belongs to these environments. A rule with environments allows no list and no watch. Default: all.' })),
    fields: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z][A-Za-z]*$', maxLength: 60 }), { minItems: 1, maxItems: 50, description: 'Top-level fields of the spec that a change may touch; at creation, fields that must be set. Default: all.' })),
  },
  { additionalProperties: false, description: 'These verbs on these kinds.' },
)
export type AccessRule = Type.Static<typeof AccessRule>

export const RoleSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it is for.' })),
    rules: Type.Array(AccessRule, { minItems: 1, maxItems: 100, description: 'What whoever has the role may do; each rule adds to the others.' }),
    mayElevate: Type.Optional(Type.Boolean({ description: 'Whoever has it in a team may take a higher role there for a while, with a reason: pavior auth elevate.' })),
  },
  { additionalProperties: false, description: 'Rights under a name, given by a RoleBinding or a ClusterRoleBinding.' },
)
export type RoleSpec = Type.Static<typeof RoleSpec>

export const Subject = Type.Object(
  {
    kind: Type.Enum(['User', 'Group', 'ServiceAccount'], { description: 'What it is.' }),
    name: dnsLabel(60, 'Its name.'),
    team: Type.Optional(dnsLabel(30, 'Team of a ServiceAccount. Default: that of the binding.')),
  },
  { additionalProperties: false, description: 'Who gets a role.' },
)
export type Subject = Type.Static<typeof Subject>

export const RoleBindingSpec = Type.Object(
  {
    role: resourceName(63, 'Name of a Role, or one of team-owner, developer, viewer, auditor, on-call, and platform-admin in a ClusterRoleBinding.'),
    subjects: Type.Array(Subject, { minItems: 1, maxItems: 200, description: 'Who gets it.' }),
    expiresAt: Type.Optional(Timestamp('When it ends by itself. Default: never.')),
    reason: Type.Optional(Type.String({ maxLength: 500, description: 'Why it was given.' })),
  },
  { additionalProperties: false, description: 'Gives a role to people, groups and service accounts.' },
)
export type RoleBindingSpec = Type.Static<typeof RoleBindingSpec>

export const GroupSpec = Type.Object(
  {
    displayName: Type.Optional(Type.String({ maxLength: 254, description: 'Name for people, and for SCIM.' })),
    claim: Type.Optional(
      Type.Object(
        {
          provider: dnsLabel(60, 'Name of an IdentityProvider.'),
          value: Type.String({ minLength: 1, maxLength: 254, description: 'What its groups claim calls the group.' }),
        },
        { additionalProperties: false, description: 'The identity provider that fills it: at each sign-in a person is put in or taken out.' },
      ),
    ),
    externalId: Type.Optional(Type.String({ maxLength: 254, description: 'Id in the directory that provisions over SCIM.' })),
    members: Type.Optional(
      Type.Array(Type.Object({ user: dnsLabel(40, 'Name of a User.') }, { additionalProperties: false }), { maxItems: 10_000, description: 'Who belongs to it.', ...keyedBy('user') }),
    ),
  },
  { additionalProperties: false, description: 'People who get roles together.' },
)
export type GroupSpec = Type.Static<typeof GroupSpec>

export const ServiceAccountSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'What acts as it.' })),
    suspended: Type.Optional(Type.Boolean({ description: 'Its tokens are refused.' })),
  },
  { additionalProperties: false, description: 'A machine that acts in the name of a team; a RoleBinding says what it may do.' },
)
export type ServiceAccountSpec = Type.Static<typeof ServiceAccountSpec>

export const IdentityProviderSpec = Type.Object(
  {
    displayName: Type.String({ minLength: 1, maxLength: 60, description: 'Name on the sign-in page.' }),
    issuer: Type.String({ pattern: '^https?://[^\\s#?]+$', maxLength: 500, description: 'Issuer of OpenID Connect; <issuer>/.well-known/openid-configuration is read.' }),
    clientId: Type.String({ minLength: 1, maxLength: 300, description: 'Client id that the provider gave.' }),
    scopes: Type.Optional(Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', maxLength: 100 }), { maxItems: 20, description: 'Default: openid, profile, email.' })),
    groupsClaim: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Claim with the groups of a person; a Group says by spec.claim which of them fills it. Default: none.' })),
    users: Type.Optional(Type.Enum(['create', 'known'], { description: 'create: the first sign-in makes the User · known: only those who are here already. Default: create.' })),
    allowedDomains: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z0-9.-]+$', maxLength: 253 }), { minItems: 1, maxItems: 100, description: 'Only people with a verified mail address of these domains. Default: all.' })),
    disabled: Type.Optional(Type.Boolean({ description: 'Nobody signs in with it.' })),
  },
  { additionalProperties: false, description: 'A provider of OpenID Connect that people sign in with.' },
)
export type IdentityProviderSpec = Type.Static<typeof IdentityProviderSpec>
