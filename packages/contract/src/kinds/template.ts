import Type from 'typebox'
import { dnsLabel, Problem, Timestamp } from './shared.ts'

const Semver = (description: string) => Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$', maxLength: 60, description })
const AppPath = Type.String({ pattern: '^[a-z][-a-z0-9]*/[a-z][-a-z0-9]*$', maxLength: 80, description: 'team/app' })

export const TemplateStep = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]*$', maxLength: 80, description: 'Name by which later steps find its output.' }),
    name: Type.String({ maxLength: 200, description: 'What it does, for people.' }),
    action: Type.String({ maxLength: 80, description: 'Action, for example fetch:template.' }),
    input: Type.Optional(Type.Unknown({ description: 'Input of the action; ${{ }} is filled in when the step runs.' })),
    if: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Boolean()], { description: 'The step is left out when this is false.' })),
    each: Type.Optional(Type.Unknown({ description: 'Runs the step once for each item.' })),
  },
  { additionalProperties: false, description: 'One step.' },
)
export type TemplateStep = Type.Static<typeof TemplateStep>

export const TemplateSource = Type.Object(
  {
    type: Type.Enum(['built-in', 'upload', 'git'], { description: 'How its files came here.' }),
    url: Type.Optional(Type.String({ maxLength: 2000, description: 'Git repository.' })),
    ref: Type.Optional(Type.String({ maxLength: 255, description: 'Branch or tag.' })),
    commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$', description: 'Git commit.' })),
    directory: Type.Optional(Type.String({ maxLength: 500, description: 'Directory that holds template.yaml.' })),
  },
  { additionalProperties: false, description: 'Where the files of this version came from.' },
)
export type TemplateSource = Type.Static<typeof TemplateSource>

export const TemplateSpec = Type.Object(
  {
    version: Semver('Version that new apps are made from (semver).'),
    title: Type.String({ maxLength: 200, description: 'Title for people.' }),
    description: Type.Optional(Type.String({ maxLength: 2000, description: 'What one gets.' })),
    type: Type.Optional(Type.String({ maxLength: 80, description: 'Kind of thing that it makes, for example service.' })),
    owner: Type.Optional(Type.String({ maxLength: 200, description: 'Who looks after it.' })),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: 30, description: 'Words to find it by.' })),
    parameters: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()), { maxItems: 30, description: 'Pages of questions: JSON Schema with ui:*.' })),
    steps: Type.Array(TemplateStep, { minItems: 1, maxItems: 50, description: 'What is done, in order.' }),
    output: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'What a run hands back: links and text.' })),
    source: Type.Optional(TemplateSource),
    versions: Type.Optional(
      Type.Array(
        Type.Object({ version: Semver('Version.'), registeredAt: Timestamp('When it came here.'), notes: Type.Optional(Type.String({ maxLength: 4000, description: 'What changed.' })) }, { additionalProperties: false }),
        { description: 'Every version that is kept, the newest first.' },
      ),
    ),
    canary: Type.Optional(
      Type.Object({ version: Semver('Version that is tried.'), apps: Type.Array(AppPath, { maxItems: 200, description: 'Apps that are offered it.' }) }, { additionalProperties: false, description: 'A version that only these apps are offered, until it is promoted.' }),
    ),
    deprecated: Type.Optional(
      Type.Object(
        {
          message: Type.String({ maxLength: 1000, description: 'Why, and what to use instead.' }),
          deadline: Type.Optional(Type.String({ format: 'date', description: 'Day on which support ends.' })),
          replacement: Type.Optional(Type.String({ maxLength: 80, description: 'Template that takes its place.' })),
        },
        { additionalProperties: false, description: 'No new apps should begin here.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'A golden path: questions, code, and the steps from answers to an app that runs.' },
)
export type TemplateSpec = Type.Static<typeof TemplateSpec>

export const TemplateRunSpec = Type.Object(
  {
    template: Type.String({ maxLength: 80, description: 'Template.' }),
    templateTeam: Type.String({ maxLength: 40, description: 'Team that owns the template.' }),
    version: Semver('Version of the template.'),
    answers: Type.Record(Type.String(), Type.Unknown(), { description: 'Answers to its questions.' }),
    requestedBy: Type.String({ maxLength: 200, description: 'In whose name the steps act.' }),
    app: Type.Optional(dnsLabel(40, 'App that it makes.')),
    resume: Type.Optional(Type.String({ maxLength: 64, description: 'A new value lets a stopped run go on.' })),
    canceled: Type.Optional(Type.Boolean({ description: 'Set to true to stop it and take back what it did.' })),
  },
  { additionalProperties: false, description: 'One use of a template.' },
)
export type TemplateRunSpec = Type.Static<typeof TemplateRunSpec>

export const TemplateRunStep = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    action: Type.String(),
    state: Type.Enum(['pending', 'running', 'done', 'skipped', 'failed', 'undone', 'kept'], { description: 'How far it is; kept: it was not taken back.' }),
    message: Type.Optional(Type.String({ description: 'What it did, in a few words.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    output: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
)
export type TemplateRunStep = Type.Static<typeof TemplateRunStep>

export const TemplateRunStatus = Type.Object(
  {
    phase: Type.Optional(Type.Enum(['Running', 'Stopped', 'Undoing', 'Succeeded', 'Failed'], { description: 'Stopped: it waits to be resumed or cancelled.' })),
    steps: Type.Optional(Type.Array(TemplateRunStep, { description: 'Journal of the steps.' })),
    outputs: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'What the template hands back.' })),
    repository: Type.Optional(Type.String({ description: 'Where the code is.' })),
    url: Type.Optional(Type.String({ description: 'Where the app answers.' })),
    problem: Type.Optional(Problem),
    left: Type.Optional(Type.Array(Type.String(), { description: 'What a failed run left behind.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    resumed: Type.Optional(Type.String({ description: 'Value of spec.resume that was acted on.' })),
  },
  { additionalProperties: false },
)
export type TemplateRunStatus = Type.Static<typeof TemplateRunStatus>

/** What the server tells of a run while it goes on, a record a line. */
export type TemplateRunProgress =
  | { type: 'step'; step: TemplateRunStep }
  | { type: 'log'; step: string; line: string }
  | { type: 'end'; status: TemplateRunStatus }
