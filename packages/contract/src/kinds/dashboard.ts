/** Panels over what is measured, saved by a team. */
import Type from 'typebox'
import { Conditions, keyedBy } from './shared.ts'

/** line and area: over time. stat, bar and table: at the end of the time. list: what Pavior knows itself, live. */
export const panelKinds = ['line', 'area', 'stat', 'bar', 'table', 'text', 'list'] as const
export type PanelKind = (typeof panelKinds)[number]

/** Of numbers: ratio is a share from 0 to 1, shown as a percentage. */
export const panelUnits = ['short', 'ratio', 'percent', 'seconds', 'milliseconds', 'bytes', 'bytesPerSecond', 'perSecond'] as const
export type PanelUnit = (typeof panelUnits)[number]

/** What a panel of kind list shows. */
export const panelLists = ['alerts', 'incidents', 'slos', 'deployments', 'oncall', 'changes', 'logs', 'traces'] as const
export type PanelList = (typeof panelLists)[number]

/** What is reckoned from resources, over the time shown. */
export const panelFigures = ['deploymentsPerDay', 'deploymentsKept', 'pushToLive', 'slosKept', 'budgetLeft', 'incidents', 'timeToRestore', 'alertsFiring', 'incidentsOpen'] as const
export type PanelFigure = (typeof panelFigures)[number]

/** Times that can be chosen, in minutes. */
export const rangeMinutes = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10_080 } as const
export const dashboardRanges = ['15m', '1h', '6h', '24h', '7d'] as const

export const thresholdTones = ['good', 'warn', 'bad'] as const

export const DashboardVariable = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,39}$', description: 'Queries have it as $name. $team, $app and $environment are there without being named.' }),
    label: Type.Optional(Type.String({ maxLength: 60, description: 'What it is called above the panels. Default: its name.' })),
    query: Type.Optional(Type.String({ maxLength: 1000, description: 'label_values(selector, label): the values of a label that there are. One of query and values.' })),
    values: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 200, description: 'What can be chosen. One of query and values.' })),
    default: Type.Optional(Type.String({ maxLength: 200, description: 'What is chosen at first. Default: all of them where that can be chosen, otherwise the first.' })),
    includeAll: Type.Optional(Type.Boolean({ description: 'All of them can be chosen at once; queries then compare with =~ or !~.' })),
  },
  { additionalProperties: false },
)
export type DashboardVariable = Type.Static<typeof DashboardVariable>

export const PanelQuery = Type.Object(
  {
    query: Type.String({ minLength: 1, maxLength: 8000, description: 'PromQL, with variables as $name. $__range is the time shown, $__interval the distance of its points, $__rate_interval a range that rate() can be asked over.' }),
    legend: Type.Optional(Type.String({ maxLength: 200, description: 'Name of a series: text with {{label}}. Default: the labels that tell the series apart.' })),
    instant: Type.Optional(Type.Boolean({ description: 'Asked once, at the end of the time, instead of over it. Default: true for stat, bar and table.' })),
  },
  { additionalProperties: false },
)
export type PanelQuery = Type.Static<typeof PanelQuery>

export const Panel = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120, description: 'Heading, and what the panel is found by: no two are the same.' }),
    kind: Type.Enum([...panelKinds], { description: 'How it is shown. line, area: over time. stat: a figure. bar: series beside each other. table: series in rows. text: Markdown. list: what Pavior knows itself, as it is now.' }),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it says, for somebody who sees it for the first time.' })),
    queries: Type.Optional(Type.Array(PanelQuery, { minItems: 1, maxItems: 12, description: 'What is asked. For all kinds but text and list.' })),
    figure: Type.Optional(
      Type.Enum([...panelFigures], {
        description:
          'For stat, instead of queries: what is reckoned from resources. deploymentsPerDay. deploymentsKept: share of them that succeeded and was not taken back. pushToLive: median time from source to served. slosKept: share of the declared objectives with budget left. budgetLeft: of the objective that is worst off. incidents: that began. timeToRestore: median. alertsFiring and incidentsOpen: now.',
      }),
    ),
    list: Type.Optional(Type.Enum([...panelLists], { description: 'For list: what it shows; changes, logs and traces are those of $app in $environment.' })),
    text: Type.Optional(Type.String({ maxLength: 20_000, description: 'For text: Markdown.' })),
    unit: Type.Optional(Type.Enum([...panelUnits], { description: 'Of its numbers. ratio: a share from 0 to 1, shown as a percentage. Default: short.' })),
    width: Type.Optional(Type.Integer({ minimum: 1, maximum: 12, description: 'Of twelve columns. Panels stand in their order, from the left. Default: 2 for stat, 6 otherwise.' })),
    height: Type.Optional(Type.Integer({ minimum: 2, maximum: 20, description: 'In rows of 40 pixels. Default: 3 for stat, 7 otherwise.' })),
    thresholds: Type.Optional(
      Type.Array(
        Type.Object(
          { value: Type.Number({ description: 'From this value on, in the unit of the query.' }), tone: Type.Enum([...thresholdTones], { description: 'How that is.' }) },
          { additionalProperties: false },
        ),
        { maxItems: 8, description: 'From which values on a figure is good or bad; lines show them too.' },
      ),
    ),
  },
  { additionalProperties: false },
)
export type Panel = Type.Static<typeof Panel>

export const DashboardSpec = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120, description: 'Heading.' }),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it is for.' })),
    range: Type.Optional(Type.Enum([...dashboardRanges], { description: 'Time that is shown at first. Default: 1h.' })),
    variables: Type.Optional(Type.Array(DashboardVariable, { maxItems: 20, description: 'What can be chosen above the panels.', ...keyedBy('name') })),
    panels: Type.Array(Panel, { maxItems: 60, description: 'What is shown, in this order.', ...keyedBy('title') }),
  },
  { additionalProperties: false, description: 'Panels over what is measured.' },
)
export type DashboardSpec = Type.Static<typeof DashboardSpec>

export const DashboardStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type DashboardStatus = Type.Static<typeof DashboardStatus>
