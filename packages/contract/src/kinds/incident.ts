/** Something is wrong for users, and people work on it together. */
import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

export const incidentSeverities = ['sev1', 'sev2', 'sev3', 'sev4'] as const
export type IncidentSeverity = (typeof incidentSeverities)[number]

/** In the order in which an incident goes through them; it may go back until it is closed. */
export const incidentStates = ['Investigating', 'Identified', 'Mitigated', 'Resolved', 'Closed'] as const
export type IncidentState = (typeof incidentStates)[number]

export const incidentRoles = ['commander', 'communications', 'scribe'] as const
export type IncidentRole = (typeof incidentRoles)[number]

const User = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 63, description }))

export const IncidentSpec = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 300, description: 'What is wrong, in a sentence.' }),
    severity: Type.Enum([...incidentSeverities], { description: 'sev1: most users cannot work. sev2: many have trouble. sev3: some have trouble. sev4: nobody notices yet.' }),
    app: Type.Optional(dnsLabel(40, 'App that has the trouble.')),
    environment: Type.Optional(dnsLabel(20, 'Environment that has it.')),
    roles: Type.Optional(
      Type.Object(
        { commander: User('Decides what is done, by whom.'), communications: User('Tells everybody else.'), scribe: User('Writes down what happens.') },
        { additionalProperties: false, description: 'Users who hold the roles.' },
      ),
    ),
    publicTitle: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'What the status page calls it. Default: made of the names of its components.' })),
    runbook: Type.Optional(Type.String({ maxLength: 2000, description: 'Name of a Runbook, or a URL.' })),
    channel: Type.Optional(Type.String({ maxLength: 200, description: 'Chat channel that its updates are copied to.' })),
    postmortem: Type.Optional(Type.Boolean({ description: 'Whether a postmortem is drafted when it closes. Default: for sev1 and sev2.' })),
  },
  { additionalProperties: false, description: 'Something is wrong for users, and people work on it together.' },
)
export type IncidentSpec = Type.Static<typeof IncidentSpec>

export const IncidentSuspect = Type.Object(
  {
    kind: Type.String({ description: 'Kind of the resource that changed.' }),
    name: Type.String({ description: 'Its name.' }),
    app: Type.Optional(Type.String({ description: 'App whose change it was, as team/app.' })),
    release: Type.Optional(Type.Integer({ description: 'Release that it brought.' })),
    at: Timestamp('When it took effect.'),
    by: Type.Optional(Type.String({ description: 'Who made it.' })),
    text: Type.String({ description: 'What changed, in a sentence.' }),
    likelihood: Type.Number({ description: 'From 0 to 1, to sort by; no probability.' }),
    reasons: Type.Array(Type.String(), { description: 'What speaks for it, and against.' }),
    undo: Type.Optional(
      Type.Object(
        {
          command: Type.String({ description: 'What takes it back.' }),
          app: Type.Optional(Type.String({ description: 'App that is rolled back.' })),
          environment: Type.Optional(Type.String({ description: 'Environment in which it is.' })),
          to: Type.Optional(Type.Integer({ description: 'Release that serves again then.' })),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
export type IncidentSuspect = Type.Static<typeof IncidentSuspect>

export const ProposedRunbook = Type.Object(
  {
    name: Type.String({ description: 'Name of it.' }),
    title: Type.String({ description: 'What it is for.' }),
    why: Type.String({ description: 'Why it is proposed, in a sentence.' }),
    stale: Type.Optional(Type.Boolean({ description: 'It did not succeed for long.' })),
  },
  { additionalProperties: false },
)
export type ProposedRunbook = Type.Static<typeof ProposedRunbook>

const Act = (description: string) => Type.Optional(Type.Object({ by: Type.String({ description: 'Who.' }), at: Timestamp('When.') }, { additionalProperties: false, description }))
const Seconds = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

export const IncidentStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum([...incidentStates], { description: 'Mitigated: users are well again. Resolved: the cause is dealt with. Closed: nothing moves any more.' })),
    severityReason: Type.Optional(Type.String({ description: 'Why it has the severity that it has.' })),
    openedBy: Type.Optional(Type.String({ description: 'Who opened it; system:incidents for an alert.' })),
    startedAt: Type.Optional(Timestamp('First bad minute, as far as traffic tells; otherwise when it was detected.')),
    detectedAt: Type.Optional(Timestamp('When the first alert fired, or somebody opened it.')),
    acknowledged: Act('The first one who took it.'),
    mitigatedAt: Type.Optional(Timestamp('When users were well again.')),
    resolvedAt: Type.Optional(Timestamp('When it was resolved.')),
    closedAt: Type.Optional(Timestamp('When it was closed.')),
    seconds: Type.Optional(
      Type.Object(
        { detect: Seconds('From the first bad minute until it was detected.'), acknowledge: Seconds('From then until somebody took it.'), restore: Seconds('From when it was detected until users were well again, or it was resolved.') },
        { additionalProperties: false, description: 'How long it took.' },
      ),
    ),
    cause: Type.Optional(Type.Object({ kind: Type.String({ description: 'AlertRule, Slo, or Platform.' }), name: Type.String({ description: 'Name of it.' }) }, { additionalProperties: false, description: 'What fired first.' })),
    alerts: Type.Optional(
      Type.Object(
        { total: Type.Integer({ description: 'Alerts that belong to it.' }), firing: Type.Integer({ description: 'Of them not resolved.' }), names: Type.Array(Type.String(), { description: 'The first twenty.' }) },
        { additionalProperties: false },
      ),
    ),
    affected: Type.Optional(
      Type.Object(
        {
          apps: Type.Array(Type.Object({ app: Type.String({ description: 'App of the same team.' }), why: Type.String({ description: 'How it is affected, in a sentence.' }) }, { additionalProperties: false })),
          otherTeams: Type.Integer({ description: 'Apps of other teams that call it.' }),
        },
        { additionalProperties: false, description: 'Whom it reaches: the app itself, those that call it, and those that have alerts.' },
      ),
    ),
    runbooks: Type.Optional(Type.Array(ProposedRunbook, { description: 'Runbooks of the team that fit, the likeliest first.' })),
    suspects: Type.Optional(Type.Array(IncidentSuspect, { description: 'Recent changes, the likeliest first; at most eight.' })),
    impact: Type.Optional(
      Type.Object(
        {
          requests: Type.Integer({ description: 'Requests to the app while it lasted.' }),
          failed: Type.Integer({ description: 'Of them answered with 5xx.' }),
          minutes: Type.Integer({ description: 'Minutes with failed ones.' }),
          budgets: Type.Array(Type.Object({ slo: Type.String({ description: 'Objective.' }), used: Type.Number({ description: 'Share of its budget that went meanwhile.' }) }, { additionalProperties: false })),
        },
        { additionalProperties: false, description: 'What it cost users.' },
      ),
    ),
    repeatOf: Type.Optional(
      Type.Object(
        { name: Type.String({ description: 'The one before.' }), at: Timestamp('When that was detected.'), times: Type.Integer({ description: 'So many in the 30 days before.' }) },
        { additionalProperties: false, description: 'The same app had trouble from the same source within 30 days.' },
      ),
    ),
    published: Type.Optional(Type.Object({ at: Timestamp('When.'), text: Type.String({ description: 'What the status page says.' }) }, { additionalProperties: false, description: 'The newest update that the public sees.' })),
    postmortem: Type.Optional(Type.String({ description: 'Name of its Postmortem.' })),
    leftOut: Type.Optional(Type.Integer({ description: 'What happened and is not in the timeline, because it is full.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type IncidentStatus = Type.Static<typeof IncidentStatus>

export const PostmortemAction = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 300, description: 'What is to be done.' }),
    owner: User('User who does it.'),
    due: Type.Optional(Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]$', description: 'Day by which it is done, for example 2026-01-31.' })),
    state: Type.Optional(Type.Enum(['Open', 'Done', 'Dropped'], { description: 'Default: Open.' })),
    link: Type.Optional(Type.String({ maxLength: 500, pattern: '^https?://[^\\s<>"]+$', description: 'Where it is worked on.' })),
  },
  { additionalProperties: false },
)
export type PostmortemAction = Type.Static<typeof PostmortemAction>

const Markdown = (description: string) => Type.Optional(Type.String({ maxLength: 50_000, description }))

export const PostmortemSpec = Type.Object(
  {
    incident: Type.String({ minLength: 1, maxLength: 253, description: 'Incident that it is about.' }),
    title: Type.String({ minLength: 1, maxLength: 300, description: 'What happened, in a sentence.' }),
    state: Type.Optional(Type.Enum(['Draft', 'Review', 'Published'], { description: 'Draft: being written. Review: others read it. Published: done, but for its actions. Default: Draft.' })),
    summary: Markdown('What happened, for somebody who was not there. Markdown.'),
    impact: Markdown('Whom it hurt, how much, for how long. Markdown.'),
    timeline: Markdown('What happened when. Markdown.'),
    factors: Markdown('What came together that it could happen. Markdown.'),
    wentWell: Markdown('What helped. Markdown.'),
    wentBadly: Markdown('What did not help. Markdown.'),
    actions: Type.Optional(Type.Array(PostmortemAction, { maxItems: 100, description: 'What is done so that it does not happen again.' })),
  },
  { additionalProperties: false, description: 'What was learned from an incident, without blame.' },
)
export type PostmortemSpec = Type.Static<typeof PostmortemSpec>

export const PostmortemStatus = Type.Object(
  {
    severity: Type.Optional(Type.Enum([...incidentSeverities], { description: 'Of the incident.' })),
    required: Type.Optional(Type.Boolean({ description: 'Whether its severity asks for one.' })),
    dueAt: Type.Optional(Timestamp('When it should be published.')),
    publishedAt: Type.Optional(Timestamp('When it was first published.')),
    actions: Type.Optional(
      Type.Object(
        { open: Type.Integer({ description: 'Not done yet.' }), done: Type.Integer({ description: 'Done.' }), overdue: Type.Integer({ description: 'Open beyond their day.' }) },
        { additionalProperties: false },
      ),
    ),
    told: Type.Optional(Type.Array(Type.String(), { description: 'Overdue actions whose owner was told.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type PostmortemStatus = Type.Static<typeof PostmortemStatus>

export const StatusPageSpec = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 100, description: 'Heading of the page.' }),
    public: Type.Optional(Type.Boolean({ description: 'Whether anybody may read it, without signing in. Default: false.' })),
    components: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 100, description: 'What users call it.' }),
          app: Type.Optional(dnsLabel(40, 'App behind it. One of app and slo.')),
          environment: Type.Optional(dnsLabel(20, 'Environment of the app. Default: production.')),
          slo: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Slo that measures it. One of app and slo.' })),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50, description: 'What the page tells of, in this order.' },
    ),
    subscriptions: Type.Optional(
      Type.Object(
        {
          mailBy: Type.Optional(dnsLabel(63, 'NotificationChannel of type email by which readers are sent updates that they asked for.')),
          webhooks: Type.Optional(Type.Boolean({ description: 'Whether editors of the page may have updates posted to addresses. Default: false.' })),
        },
        { additionalProperties: false, description: 'How others are told of updates, beside the feed. Of a public page only.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'A page that tells users how things are: names of components and published updates, nothing else.' },
)
export type StatusPageSpec = Type.Static<typeof StatusPageSpec>

export const StatusPageStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type StatusPageStatus = Type.Static<typeof StatusPageStatus>
