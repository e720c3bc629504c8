/** A promise of a level of service, and what is left of the errors that it allows. */
import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

const Query = (description: string) => Type.String({ minLength: 1, maxLength: 4000, description })

export const SloIndicator = Type.Object(
  {
    golden: Type.Optional(
      Type.Enum(['requests', 'latency'], { description: 'What the router counts of the app. requests: good is what does not end with 5xx. latency: good is what is answered within thresholdMs.' }),
    ),
    thresholdMs: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 10_000, description: 'For latency: slowest good answer in ms. Between two bounds of the router (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000) it is interpolated.' }),
    ),
    source: Type.Optional(dnsLabel(63, 'For ratio and threshold: MetricSource of the team that is asked. Default: what Pavior keeps itself.')),
    ratio: Type.Optional(
      Type.Object(
        {
          good: Type.Optional(Query('PromQL: good events. One of good and bad.')),
          bad: Type.Optional(Query('PromQL: bad events. One of good and bad.')),
          total: Query('PromQL: all events.'),
        },
        { additionalProperties: false, description: 'Two expressions, asked at the end of each minute; they give the events of that minute, for example sum(increase(jobs_total[1m])).' },
      ),
    ),
    threshold: Type.Optional(
      Type.Object(
        {
          query: Query('PromQL, asked at the end of each minute; each series that it gives is one event.'),
          op: Type.Enum(['lt', 'lte', 'gt', 'gte'], { description: 'How a good value stands to `value`.' }),
          value: Type.Number({ description: 'What values are compared with.' }),
        },
        { additionalProperties: false, description: 'A value that shall be below or above another.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'What is counted: one of golden, ratio and threshold.' },
)
export type SloIndicator = Type.Static<typeof SloIndicator>

export const SloWindow = Type.Object(
  {
    rolling: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}[hdw]$', description: 'Length of a window that ends now, for example 28d; 1 hour to 92 days. Its beginning moves by whole hours.' })),
    calendar: Type.Optional(
      Type.Object(
        {
          period: Type.Enum(['day', 'week', 'month', 'quarter'], { description: 'Length of a period.' }),
          timeZone: Type.String({ maxLength: 64, description: 'IANA time zone, for example Europe/Berlin.' }),
          start: Type.Optional(
            Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$', description: 'Local time at which some period begins, for example 2026-01-05T12:00:00. Default: midnight of the first day of a month or quarter, or of a Monday.' }),
          ),
        },
        { additionalProperties: false, description: 'Periods of the calendar; each begins with a budget of its own.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'What the objective is reckoned over: one of rolling and calendar. Default: rolling 28d.' },
)
export type SloWindow = Type.Static<typeof SloWindow>

export const SloAlerting = Type.Object(
  {
    page: Type.Optional(
      Type.Array(
        Type.Object(
          {
            burn: Type.Number({ exclusiveMinimum: 0, maximum: 10_000, description: 'How many times faster than allowed.' }),
            over: Type.Enum(['15m', '1h', '6h', '3d'], { description: 'Over this time.' }),
            short: Type.Optional(Type.Enum(['5m', '15m', '1h', '6h'], { description: 'And over this shorter time still. Default: 5m for 15m and 1h, 1h otherwise.' })),
          },
          { additionalProperties: false },
        ),
        { maxItems: 6, description: 'When to page somebody. Default: 3 times over 15m, or 1.5 times over 6h.' },
      ),
    ),
    ticketAt: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Share of the budget whose use is worth a ticket. Default: 0.5.' })),
    minimumBad: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000, description: 'Fewer bad events than these within the time page nobody. Default: 5 for Occurrences, 1 otherwise.' })),
  },
  { additionalProperties: false, description: 'When somebody is told.' },
)
export type SloAlerting = Type.Static<typeof SloAlerting>

export const SloSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it promises, to whom.' })),
    app: Type.Optional(dnsLabel(40, 'App that it is about.')),
    environment: Type.Optional(dnsLabel(20, 'Environment that it is about. Default: production.')),
    indicator: Type.Optional(SloIndicator),
    composite: Type.Optional(
      Type.Array(
        Type.Object(
          {
            slo: Type.String({ minLength: 1, maxLength: 253, description: 'Name of an Slo of the same team.' }),
            weight: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'How much it counts. Default: 1.' })),
          },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: 50, description: 'Made of others instead of an indicator: the weighted mean of their shares of good.' },
      ),
    ),
    objective: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description: 'Share that shall be good: 0.995 is 99.5 %.' }),
    window: Type.Optional(SloWindow),
    budgeting: Type.Optional(
      Type.Enum(['Occurrences', 'Timeslices', 'RatioTimeslices'], { description: 'Occurrences: events are counted. Timeslices: slices of time are good or bad. RatioTimeslices: the mean of the shares of good of all slices. A slice without events is good. Default: Occurrences.' }),
    ),
    timeSlice: Type.Optional(
      Type.Object(
        {
          minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, description: 'Length of a slice, a divisor of 60. Default: 1.' })),
          target: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Share of good events that makes a slice good. Default: the objective.' })),
        },
        { additionalProperties: false, description: 'Of Timeslices and RatioTimeslices.' },
      ),
    ),
    alerting: Type.Optional(SloAlerting),
    budgetPolicy: Type.Optional(
      Type.Object(
        {
          onExhausted: Type.Enum(['none', 'warn', 'requireApproval', 'freeze'], { description: 'What deployments meet when nothing is left. requireApproval: one more approval. freeze: they wait. Rollbacks always pass. Default: warn.' }),
        },
        { additionalProperties: false, description: 'What follows when nothing is left.' },
      ),
    ),
    runbook: Type.Optional(Type.String({ maxLength: 500, description: 'Name of a Runbook of the team, or a URL: its alerts and their incidents propose it.' })),
    draft: Type.Optional(Type.Boolean({ description: 'Proposed by the platform and confirmed by nobody: it is measured, holds nothing and tells nobody. Default: false.' })),
  },
  { additionalProperties: false, description: 'A promise of a level of service.' },
)
export type SloSpec = Type.Static<typeof SloSpec>

export const SloAlertState = Type.Object(
  {
    alert: Type.Enum(['page', 'ticket'], { description: 'How urgent.' }),
    since: Timestamp('When it began.'),
    text: Type.String({ description: 'Why, in a sentence.' }),
  },
  { additionalProperties: false },
)
export type SloAlertState = Type.Static<typeof SloAlertState>

const burn = Type.Optional(Type.Number())

export const SloStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum(['Healthy', 'Burning', 'Exhausted', 'NoData'], { description: 'Burning: somebody is paged for it. Exhausted: nothing of the budget is left.' })),
    since: Type.Optional(Timestamp('Since when it is so.')),
    message: Type.Optional(Type.String({ description: 'How it stands, in one sentence.' })),
    sli: Type.Optional(Type.Number({ description: 'Share of good over the window.' })),
    budget: Type.Optional(
      Type.Object(
        {
          unit: Type.Enum(['events', 'slices', 'share'], { description: 'What is counted.' }),
          total: Type.Number({ description: 'Bad ones that the objective allows among those of the window so far.' }),
          used: Type.Number({ description: 'Bad ones.' }),
          remaining: Type.Number({ description: 'Share of the budget that is left; below 0 when more than all is used.' }),
        },
        { additionalProperties: false, description: 'The errors that the objective allows.' },
      ),
    ),
    burn: Type.Optional(
      Type.Object({ '5m': burn, '15m': burn, '1h': burn, '6h': burn, '3d': burn }, { additionalProperties: false, description: 'How many times faster than allowed the budget goes; absent where nothing was counted.' }),
    ),
    forecast: Type.Optional(
      Type.Array(
        Type.Object({ by: Type.Enum(['6h', '3d'], { description: 'Burn that it goes by.' }), exhaustedAt: Timestamp('When nothing is left if it goes on like this.') }, { additionalProperties: false }),
        { description: 'Absent where the budget lasts.' },
      ),
    ),
    alerts: Type.Optional(Type.Array(SloAlertState, { description: 'What somebody was told and has not ended.' })),
    reasons: Type.Optional(Type.Array(Type.String(), { description: 'What used the budget, in sentences.' })),
    gapMinutes: Type.Optional(Type.Integer({ description: 'Minutes of the window of which nothing is known.' })),
    from: Type.Optional(Timestamp('Beginning of the window, or of what is known of it.')),
    observedThrough: Type.Optional(Timestamp('Up to when everything is counted; told at least every hour.')),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type SloStatus = Type.Static<typeof SloStatus>

/** Times over which burn is told, in minutes. */
export const burnWindows = { '5m': 5, '15m': 15, '1h': 60, '6h': 360, '3d': 4320 } as const
export type BurnWindow = keyof typeof burnWindows

/** 0.995 as `99.5 %`, with as many digits as it has. */
export function objectiveText(objective: number): string {
  return `${Number((objective * 100).toFixed(6))} %`
}
