import Type from 'typebox'
import { Conditions, dnsLabel, keyedBy, Role, Timestamp } from './shared.ts'

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
    defaultEnvironment: Type.Optional(dnsLabel(20, 'Environment that a deploy goes to when none is named. Default: production.')),
  },
  { additionalProperties: false, description: 'A tenant: owns a namespace, members and apps.' },
)
export type TeamSpec = Type.Static<typeof TeamSpec>
export const TeamStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type TeamStatus = Type.Static<typeof TeamStatus>

export const UserSpec = Type.Object(
  {
    displayName: Type.Optional(Type.String({ maxLength: 100, description: 'Name for people.' })),
    email: Type.Optional(Type.String({ maxLength: 254, format: 'email', description: 'Mail address.' })),
    admin: Type.Optional(Type.Boolean({ description: 'Administrator of the whole platform.' })),
    suspended: Type.Optional(Type.Boolean({ description: 'Tokens of a suspended user are refused.' })),
  },
  { additionalProperties: false, description: 'A person or a machine that acts.' },
)
export type UserSpec = Type.Static<typeof UserSpec>
export const UserStatus = Type.Object({ lastSeenAt: Type.Optional(Timestamp('Last use of any of its tokens, within an hour.')) }, { additionalProperties: false })
export type UserStatus = Type.Static<typeof UserStatus>
