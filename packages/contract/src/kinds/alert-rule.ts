/** When somebody is told, and when not: rules, silences. */
import Type from 'typebox'
import { alertSeverities } from './alert.ts'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

const Length = (description: string) => Type.String({ pattern: '^[1-9][0-9]{0,4}[smhd]$', description: `${description} For example 90s, 5m, 2h.` })
const Query = (description: string) => Type.String({ minLength: 1, maxLength: 4000, description })
const LabelName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 })

export const AlertCondition = Type.Object(
  {
    metric: Type.Optional(
      Type.Object(
        {
          query: Query('PromQL; each series that it gives is a member of its own. $team, $app and $environment are filled in.'),
          source: Type.Optional(dnsLabel(63, 'MetricSource of the team that is asked. Default: what Pavior keeps itself.')),
          above: Type.Optional(Type.Number({ description: 'It holds above this. One of above and below.' })),
          below: Type.Optional(Type.Number({ description: 'It holds below this. One of above and below.' })),
          clearBelow: Type.Optional(Type.Number({ description: 'With above: what fires ends only below this.' })),
          clearAbove: Type.Optional(Type.Number({ description: 'With below: what fires ends only above this.' })),
        },
        { additionalProperties: false, description: 'A figure that is too high or too low.' },
      ),
    ),
    log: Type.Optional(
      Type.Object(
        {
          match: Type.String({ minLength: 1, maxLength: 500, description: 'Text that the lines contain.' }),
          level: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error', 'fatal'], { description: 'Only lines of this level or worse. Default: all.' })),
          overPerMinute: Type.Number({ minimum: 0, maximum: 1_000_000, description: 'It holds when more lines than these came in the last minute.' }),
        },
        { additionalProperties: false, description: 'Lines of a log that come too often; needs app.' },
      ),
    ),
    absence: Type.Optional(
      Type.Object({ query: Query('PromQL; the condition holds while it gives no series. $team, $app and $environment are filled in.'), source: Type.Optional(dnsLabel(63, 'MetricSource of the team that is asked. Default: what Pavior keeps itself.')) }, { additionalProperties: false, description: 'Something that should be measured is not.' }),
    ),
    slo: Type.Optional(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 80, description: 'Name of an Slo of the team.' }),
          alert: Type.Enum([...alertSeverities], { description: 'Which of its two.' }),
        },
        { additionalProperties: false, description: 'Instead of the alert that every Slo makes by itself, one with the settings of this rule.' },
      ),
    ),
    synthetic: Type.Optional(
      Type.Object(
        {
          path: Type.Optional(Type.String({ pattern: '^/[\\x21-\\x7e]*$', maxLength: 2000, description: 'Path of the app, asked through the router as users ask. One of path and url.' })),
          url: Type.Optional(Type.String({ pattern: '^https?://[\\x21-\\x7e]+$', maxLength: 2000, description: 'Any address. One of path and url.' })),
          every: Type.Optional(Length('How often it is asked. Default: 30s.')),
          timeoutSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 30, description: 'How long an answer may take. Default: 5.' })),
          status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'The status that is fine. Default: any of 2xx.' })),
        },
        { additionalProperties: false, description: 'An address that does not answer as it should.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'What is wrong: one of metric, log, absence, slo and synthetic.' },
)
export type AlertCondition = Type.Static<typeof AlertCondition>

export const AlertRuleSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it is for.' })),
    summary: Type.Optional(Type.String({ maxLength: 300, description: 'What is wrong, in a sentence; {{value}} and {{labels.name}} are filled in. Default: made of the condition.' })),
    condition: AlertCondition,
    app: Type.Optional(dnsLabel(40, 'App that it is about.')),
    environment: Type.Optional(dnsLabel(20, 'Environment that it is about. Default: production, where an app is named.')),
    severity: Type.Enum([...alertSeverities], { description: 'page: somebody is woken. ticket: somebody looks in working hours.' }),
    for: Type.Optional(Length('It fires when the condition has held for so long. Default: at once; 5m for absence.')),
    keepFiringFor: Type.Optional(Length('It ends when the condition has not held for so long. Default: 1m.')),
    groupBy: Type.Optional(Type.Array(LabelName, { maxItems: 5, description: 'Members that differ in these labels make alerts of their own, twenty at most; without it all of the rule make one.' })),
    inhibitedBy: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 80 }), { maxItems: 20, description: 'Names of AlertRules of the team: while one of them fires, nobody is told of this one.' })),
    muteWhileDeploying: Type.Optional(Type.Boolean({ description: 'Nobody is told while the app is being deployed in this environment, for 15 minutes at most. Default: true, where an app is named.' })),
    escalationPolicy: Type.Optional(dnsLabel(63, 'EscalationPolicy by which people are told. Default: the one named default, else the only OnCallSchedule of the team.')),
    runbook: Type.Optional(Type.String({ maxLength: 500, description: 'Name of a Runbook, or a URL.' })),
    enabled: Type.Optional(Type.Boolean({ description: 'Whether it is looked at. Default: true.' })),
  },
  { additionalProperties: false, description: 'A condition, and what follows when it holds.' },
)
export type AlertRuleSpec = Type.Static<typeof AlertRuleSpec>

export const AlertRuleStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum(['Inactive', 'Pending', 'Firing', 'Broken', 'Disabled'], { description: 'Pending: it holds, not for long enough yet. Broken: it cannot be told; see problem.' })),
    since: Type.Optional(Timestamp('Since when it is so.')),
    firing: Type.Optional(Type.Integer({ description: 'Members that fire.' })),
    pending: Type.Optional(Type.Integer({ description: 'Members whose condition does not hold for long enough yet.' })),
    leftOut: Type.Optional(Type.Integer({ description: 'Members beyond the 10,000 that are followed.' })),
    problem: Type.Optional(Type.String({ description: 'Why it cannot be told whether the condition holds.' })),
    evaluatedAt: Type.Optional(Timestamp('When it was last looked at; told with changes, and every hour.')),
    told: Type.Optional(Type.String({ description: 'Who is told, in a sentence.' })),
    precision: Type.Optional(
      Type.Object(
        { alerts: Type.Integer({ description: 'Alerts of the last 28 days.' }), actedUpon: Type.Integer({ description: 'Those that somebody acted upon.' }), noise: Type.Integer({ description: 'Those that were noise.' }) },
        { additionalProperties: false, description: 'What came of its alerts.' },
      ),
    ),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type AlertRuleStatus = Type.Static<typeof AlertRuleStatus>

export const Matcher = Type.Object(
  {
    label: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128, description: 'Label of a member, or one of rule, slo, severity, app and environment.' }),
    op: Type.Enum(['=', '!=', '=~', '!~'], { description: 'How it compares; =~ and !~ take a regular expression of RE2 for the whole value.' }),
    value: Type.String({ maxLength: 1000, description: 'What it is compared with.' }),
  },
  { additionalProperties: false },
)
export type Matcher = Type.Static<typeof Matcher>

export const SilenceSpec = Type.Object(
  {
    reason: Type.String({ minLength: 3, maxLength: 500, description: 'Why; people who wonder read it.' }),
    kind: Type.Optional(Type.Enum(['Silence', 'Maintenance'], { description: 'Maintenance: what breaks is expected to. Default: Silence.' })),
    matchers: Type.Array(Matcher, { minItems: 1, maxItems: 20, description: 'All of them hold for what is kept quiet.' }),
    from: Type.Optional(Timestamp('When it begins. Default: at once.')),
    until: Type.Optional(Timestamp('When it ends; may be left out with weekly.')),
    weekly: Type.Optional(
      Type.Object(
        {
          days: Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), { minItems: 1, maxItems: 7, description: 'Days on which the window begins.' }),
          from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'Local time at which it begins, for example 22:00.' }),
          to: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'Local time at which it ends; at or before `from` it is on the next day.' }),
          timeZone: Type.String({ maxLength: 64, description: 'IANA time zone, for example Europe/Berlin.' }),
        },
        { additionalProperties: false, description: 'Again every week.' },
      ),
    ),
    endedBy: Type.Optional(Type.String({ maxLength: 300, description: 'Who ended it early.' })),
  },
  { additionalProperties: false, description: 'A time in which nobody is told of some alerts; they are kept and shown all the same.' },
)
export type SilenceSpec = Type.Static<typeof SilenceSpec>

export const SilenceStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type SilenceStatus = Type.Static<typeof SilenceStatus>
