/** How people are told: who after whom, and by what. */
import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

export const SecretName = (description: string) => Type.String({ minLength: 1, maxLength: 253, description: `Name of the Secret of the team with ${description}` })
export const Address = (description: string) => Type.String({ pattern: '^https?://[\\x21-\\x7e]+$', maxLength: 2000, description })
const Mail = (description: string) => Type.String({ pattern: '^[^\\s@<>,;"]+@[^\\s@<>,;"]+$', maxLength: 254, description })

export const EscalationLevel = Type.Object(
  {
    schedules: Type.Optional(Type.Array(dnsLabel(63, 'Name of an OnCallSchedule.'), { maxItems: 10, description: 'Whoever is on call in them.' })),
    users: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { maxItems: 20, description: 'Names of Users.' })),
    channels: Type.Optional(Type.Array(dnsLabel(63, 'Name of a NotificationChannel.'), { maxItems: 10, description: 'NotificationChannels of the team.' })),
    minutes: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1440, description: 'So long it waits for somebody to acknowledge before the next level is told. Default: 5.' })),
  },
  { additionalProperties: false },
)
export type EscalationLevel = Type.Static<typeof EscalationLevel>

export const EscalationPolicySpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'What it is for.' })),
    levels: Type.Array(EscalationLevel, { minItems: 1, maxItems: 10, description: 'Told one after the other until somebody acknowledges. Of a ticket the first is told, once.' }),
    repeat: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: 'How often all levels are gone through. Default: 3.' })),
    mailBy: Type.Optional(dnsLabel(63, 'NotificationChannel of type email by which people are sent mail. Default: the first one of the team by name.')),
  },
  { additionalProperties: false, description: 'Who is told of a page, and who next when nobody answers.' },
)
export type EscalationPolicySpec = Type.Static<typeof EscalationPolicySpec>
export const EscalationPolicyStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type EscalationPolicyStatus = Type.Static<typeof EscalationPolicyStatus>

export const NotificationChannelSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'Who reads it.' })),
    email: Type.Optional(
      Type.Object(
        {
          host: Type.String({ pattern: '^[A-Za-z0-9.:_-]+$', maxLength: 253, description: 'Name of the mail server.' }),
          port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'Default: 587, or 465 with security tls.' })),
          security: Type.Optional(Type.Enum(['starttls', 'tls', 'none'], { description: 'starttls: it is an error when the server offers none. none: in the clear. Default: starttls.' })),
          user: Type.Optional(Type.String({ maxLength: 254, description: 'Name for signing in.' })),
          passwordSecret: Type.Optional(SecretName('the password.')),
          from: Mail('Address of the sender.'),
          to: Type.Optional(Type.Array(Mail('An address.'), { maxItems: 50, description: 'Who gets what is sent to the channel itself. People on call get mail at the addresses of their Users.' })),
        },
        { additionalProperties: false, description: 'Mail by SMTP.' },
      ),
    ),
    slack: Type.Optional(Type.Object({ urlSecret: SecretName('the address of an incoming webhook.') }, { additionalProperties: false, description: 'A channel of Slack.' })),
    teams: Type.Optional(Type.Object({ urlSecret: SecretName('the address of a workflow that posts what it is sent.') }, { additionalProperties: false, description: 'A channel of Microsoft Teams.' })),
    pagerduty: Type.Optional(
      Type.Object(
        { routingKeySecret: SecretName('the integration key of Events API v2.'), url: Type.Optional(Address('Default: https://events.pagerduty.com/v2/enqueue.')) },
        { additionalProperties: false, description: 'A service of PagerDuty.' },
      ),
    ),
    webhook: Type.Optional(
      Type.Object(
        { url: Address('Where it is posted to.'), signingSecret: Type.Optional(SecretName('the key by which messages are signed.')) },
        { additionalProperties: false, description: 'JSON by POST, signed with HMAC-SHA256.' },
      ),
    ),
    servicenow: Type.Optional(
      Type.Object(
        {
          url: Address('Of the instance, for example https://example.service-now.com.'),
          user: Type.String({ minLength: 1, maxLength: 254, description: 'Name for signing in.' }),
          passwordSecret: SecretName('the password.'),
          table: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,79}$', description: 'Default: incident.' })),
          fields: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,79}$' }), Type.String({ maxLength: 500 }), { description: 'What else a new one says, for example assignment_group.' })),
        },
        { additionalProperties: false, description: 'A ticket by the Table API of ServiceNow.' },
      ),
    ),
    fallback: Type.Optional(dnsLabel(63, 'NotificationChannel that takes over what could not be delivered.')),
    failuresBeforeFallback: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: 'Attempts that fail before the fallback takes over. Default: 3.' })),
  },
  { additionalProperties: false, description: 'A way to reach people or another system: one of email, slack, teams, pagerduty, webhook and servicenow.' },
)
export type NotificationChannelSpec = Type.Static<typeof NotificationChannelSpec>

export const channelTypes = ['email', 'slack', 'teams', 'pagerduty', 'webhook', 'servicenow'] as const
export type ChannelType = (typeof channelTypes)[number]

export const NotificationChannelStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum(['Working', 'Failing'], { description: 'How the last delivery ended.' })),
    since: Type.Optional(Timestamp('Since when it is so.')),
    message: Type.Optional(Type.String({ description: 'What the other side answered last, in a sentence.' })),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type NotificationChannelStatus = Type.Static<typeof NotificationChannelStatus>
