import { AlertRuleSpec, AlertRuleStatus, AlertSpec, AlertStatus, isTimeZone, SilenceSpec, SilenceStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { addressProblem } from '../../../kernel/outward.ts'
import { matcherProblem, silenceHolds } from './silences.ts'

export const alert = defineKind<AlertSpec, AlertStatus>({
  kind: 'Alert',
  plural: 'alerts',
  scope: 'Namespaced',
  description: 'A condition that fired: everything of one cause together. Written by the platform; people acknowledge and resolve it.',
  spec: AlertSpec,
  status: AlertStatus,
  indexes: ['spec.app', 'spec.source.name', 'status.state'],
  // What it is about stays as it was; update is what acknowledging and resolving ask for.
  immutable: { except: [] },
  access: { developer: ['update'] },
  columns: [
    { name: 'Severity', type: 'string', description: 'page or ticket.', value: ({ spec }) => spec.severity },
    { name: 'State', type: 'string', description: 'How it stands.', value: ({ status }) => (status?.quiet && status.state !== 'Resolved' ? `${status.state} (${status.quiet.because})` : status?.state) },
    { name: 'Summary', type: 'string', description: 'What is wrong.', value: ({ spec }) => spec.summary },
    { name: 'Members', type: 'integer', description: 'Conditions that fire now.', value: ({ status }) => status?.members },
    { name: 'Taken', type: 'string', description: 'Who has it in hand.', value: ({ status }) => status?.acknowledged?.by },
    { name: 'Since', type: 'date', description: 'When it began.', value: ({ status }) => status?.since },
  ],
})

export const alertRule = defineKind<AlertRuleSpec, AlertRuleStatus>({
  kind: 'AlertRule',
  plural: 'alertrules',
  scope: 'Namespaced',
  description: 'A condition of metrics, logs, objectives or addresses, and what follows when it holds.',
  spec: AlertRuleSpec,
  status: AlertRuleStatus,
  nameForm: 'label',
  maxNameLength: 63,
  indexes: ['spec.app'],
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => conditionCauses(spec),
  columns: [
    { name: 'Severity', type: 'string', description: 'page or ticket.', value: ({ spec }) => spec.severity },
    { name: 'App', type: 'string', description: 'App that it is about.', value: ({ spec }) => spec.app },
    { name: 'State', type: 'string', description: 'How it stands.', value: ({ status }) => status?.state },
    { name: 'Firing', type: 'integer', description: 'Members that fire.', value: ({ status }) => status?.firing },
    { name: 'Acted upon', type: 'string', description: 'Alerts of 28 days that somebody acted upon.', value: ({ status }) => status?.precision && `${status.precision.actedUpon} of ${status.precision.alerts}` },
    { name: 'Problem', type: 'string', description: 'Why it cannot be told.', priority: 1, value: ({ status }) => status?.problem },
  ],
})

function conditionCauses({ condition, app, environment }: AlertRuleSpec): Cause[] {
  const { metric, log, absence, synthetic } = condition
  const field = 'spec.condition'
  const probed = synthetic?.url === undefined ? undefined : addressProblem(synthetic.url)
  const uses = (name: string): boolean => [metric?.query, absence?.query].some((query) => query?.includes(`$${name}`))
  return [
    ...(Object.keys(condition).length === 1 ? [] : [{ field, message: 'Give one of metric, log, absence, slo and synthetic.' }]),
    ...(metric && (metric.above === undefined) === (metric.below === undefined) ? [{ field: `${field}.metric`, message: 'Give above or below, one of them.' }] : []),
    ...(metric?.clearBelow !== undefined && !(metric.above !== undefined && metric.clearBelow <= metric.above) ? [{ field: `${field}.metric.clearBelow`, message: 'It goes with above, and is not greater.' }] : []),
    ...(metric?.clearAbove !== undefined && !(metric.below !== undefined && metric.clearAbove >= metric.below) ? [{ field: `${field}.metric.clearAbove`, message: 'It goes with below, and is not less.' }] : []),
    ...(synthetic && (synthetic.path === undefined) === (synthetic.url === undefined) ? [{ field: `${field}.synthetic`, message: 'Give path or url, one of them.' }] : []),
    ...(probed === undefined ? [] : [{ field: `${field}.synthetic.url`, message: `It ${probed}.` }]),
    ...((log || synthetic?.path !== undefined || uses('app') || uses('environment')) && app === undefined ? [{ field: 'spec.app', message: 'Say which app it is about.' }] : []),
    ...(environment !== undefined && app === undefined ? [{ field: 'spec.app', message: 'An environment goes with an app.' }] : []),
  ]
}

export const silence = defineKind<SilenceSpec, SilenceStatus>({
  kind: 'Silence',
  plural: 'silences',
  scope: 'Namespaced',
  description: 'A time in which nobody is told of some alerts, once or every week.',
  spec: SilenceSpec,
  status: SilenceStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => silenceCauses(spec),
  columns: [
    { name: 'Kind', type: 'string', description: 'Silence or Maintenance.', value: ({ spec }) => spec.kind ?? 'Silence' },
    { name: 'Matches', type: 'string', description: 'What it keeps quiet.', value: ({ spec }) => spec.matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join(', ') },
    { name: 'Holds', type: 'boolean', description: 'Whether it holds now.', value: ({ spec }) => silenceHolds(spec, new Date()) },
    { name: 'Until', type: 'date', description: 'When it ends.', value: ({ spec }) => spec.until },
    { name: 'Reason', type: 'string', description: 'Why.', value: ({ spec }) => spec.reason },
  ],
})

function silenceCauses({ matchers, from, until, weekly }: SilenceSpec): Cause[] {
  return [
    ...matchers.flatMap((matcher, index) => {
      const problem = matcherProblem(matcher)
      return problem === undefined ? [] : [{ field: `spec.matchers[${index}].value`, message: problem }]
    }),
    // A silence that is forgotten hides an outage years later.
    ...(until === undefined && !weekly ? [{ field: 'spec.until', message: 'Say when it ends; only what comes again every week may go without.' }] : []),
    ...(from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until) ? [{ field: 'spec.until', message: 'It ends before it begins.' }] : []),
    ...(weekly && !isTimeZone(weekly.timeZone) ? [{ field: 'spec.weekly.timeZone', message: `"${weekly.timeZone}" is no time zone; give one such as Europe/Berlin.` }] : []),
    ...(weekly && weekly.from === weekly.to ? [{ field: 'spec.weekly.to', message: 'A window ends at another time than it begins.' }] : []),
  ]
}
