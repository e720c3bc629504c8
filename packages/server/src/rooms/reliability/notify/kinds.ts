import { channelTypes, EscalationPolicySpec, EscalationPolicyStatus, NotificationChannelSpec, NotificationChannelStatus, type Cause, type ChannelType } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { addressProblem, hostProblem } from '../../../kernel/outward.ts'

export function channelType(spec: NotificationChannelSpec): ChannelType {
  return channelTypes.find((type) => spec[type] !== undefined)!
}

export const notificationChannel = defineKind<NotificationChannelSpec, NotificationChannelStatus>({
  kind: 'NotificationChannel',
  plural: 'notificationchannels',
  shortNames: ['channels'],
  scope: 'Namespaced',
  description: 'A way to reach people or another system: mail, Slack, Teams, PagerDuty, a webhook, ServiceNow.',
  spec: NotificationChannelSpec,
  status: NotificationChannelStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ metadata, spec }) => [
    ...(channelTypes.filter((type) => spec[type] !== undefined).length === 1 ? [] : [{ field: 'spec', message: `Give one of ${channelTypes.join(', ')}.` }]),
    ...(spec.fallback === metadata.name ? [{ field: 'spec.fallback', message: 'A channel does not stand in for itself.' }] : []),
    ...addressCauses(spec),
  ],
  columns: [
    { name: 'Type', type: 'string', description: 'What it is.', value: ({ spec }) => channelType(spec) },
    { name: 'State', type: 'string', description: 'How the last delivery ended.', value: ({ status }) => status?.state },
    { name: 'Fallback', type: 'string', description: 'What takes over.', value: ({ spec }) => spec.fallback },
    { name: 'Message', type: 'string', description: 'What was answered last.', priority: 1, value: ({ status }) => status?.message },
  ],
})

function addressCauses(spec: NotificationChannelSpec): Cause[] {
  const problems: [string, string | undefined][] = (['pagerduty', 'webhook', 'servicenow'] as const).map((type) => [`spec.${type}.url`, spec[type]?.url === undefined ? undefined : addressProblem(spec[type].url)])
  if (spec.email) problems.push(['spec.email.host', hostProblem(spec.email.host)])
  return problems.flatMap(([field, problem]) => (problem === undefined ? [] : [{ field, message: `It ${problem}.` }]))
}

export const escalationPolicy = defineKind<EscalationPolicySpec, EscalationPolicyStatus>({
  kind: 'EscalationPolicy',
  plural: 'escalationpolicies',
  scope: 'Namespaced',
  description: 'Who is told of a page, and who next when nobody answers.',
  spec: EscalationPolicySpec,
  status: EscalationPolicyStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => spec.levels.flatMap(({ schedules = [], users = [], channels = [] }, index) => (schedules.length + users.length + channels.length > 0 ? [] : [{ field: `spec.levels[${index}]`, message: 'It reaches nobody; name schedules, users or channels.' }])),
  columns: [
    { name: 'Levels', type: 'integer', description: 'Levels.', value: ({ spec }) => spec.levels.length },
    { name: 'First', type: 'string', description: 'Who is told first.', value: ({ spec }) => [...(spec.levels[0]?.schedules ?? []), ...(spec.levels[0]?.users ?? []), ...(spec.levels[0]?.channels ?? [])].join(', ') },
    { name: 'Rounds', type: 'integer', description: 'How often all levels are gone through.', value: ({ spec }) => spec.repeat ?? 3 },
  ],
})
