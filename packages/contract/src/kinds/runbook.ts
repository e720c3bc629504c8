/** Tested steps for when something breaks, and one time that they were taken. */
import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

export const RunbookParameter = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,39}$', description: 'Steps have it as $name.' }),
    description: Type.Optional(Type.String({ maxLength: 200, description: 'What to give.' })),
    default: Type.Optional(Type.String({ maxLength: 200, description: 'When it is not given. Without one it has to be.' })),
  },
  { additionalProperties: false },
)
export type RunbookParameter = Type.Static<typeof RunbookParameter>

export const RunbookSpec = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120, description: 'What it is for.' }),
    symptoms: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20, description: 'Words of alerts and incidents for which it is proposed.' })),
    app: Type.Optional(dnsLabel(40, 'Only for this app.')),
    parameters: Type.Optional(Type.Array(RunbookParameter, { maxItems: 20, description: 'What steps need to know.' })),
    markdown: Type.String({ minLength: 1, maxLength: 60_000, description: 'The text. Fenced blocks with the word step hold what is done: a check, a command, a change, a wait, a decision or something for a person.' }),
    rehearseEveryDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 730, description: 'It counts as stale when it did not succeed for so long. Default: 180.' })),
  },
  { additionalProperties: false, description: 'Tested steps for when something breaks.' },
)
export type RunbookSpec = Type.Static<typeof RunbookSpec>

export const RunbookStatus = Type.Object(
  {
    steps: Type.Optional(Type.Integer({ description: 'Steps that it has.' })),
    lastRunAt: Type.Optional(Timestamp('When it was last begun.')),
    lastSuccessAt: Type.Optional(Timestamp('When all of its steps last succeeded, dry runs left out.')),
    lastOutcome: Type.Optional(Type.String({ description: 'How the last run ended.' })),
    runs: Type.Optional(Type.Integer({ description: 'Runs that are remembered.' })),
    stale: Type.Optional(Type.Boolean({ description: 'It did not succeed for so long that nobody should trust it.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type RunbookStatus = Type.Static<typeof RunbookStatus>

export const RunbookRunSpec = Type.Object(
  {
    runbook: Type.String({ description: 'Name of the Runbook.' }),
    parameters: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 200, pattern: '^[A-Za-z0-9 ._:@/-]*$' }), { description: 'What was given: letters, digits, blanks and . _ : @ / -, because they become part of queries and commands.' })),
    dryRun: Type.Optional(Type.Boolean({ description: 'Checks are made; what would change something is only shown.' })),
    incident: Type.Optional(Type.String({ description: 'Incident that it is for.' })),
    reason: Type.Optional(Type.String({ maxLength: 300, description: 'Why.' })),
    generation: Type.Optional(Type.Integer({ description: 'Version of the runbook.' })),
    title: Type.Optional(Type.String({ description: 'Its title then.' })),
    markdown: Type.Optional(Type.String({ description: 'Its text then: a run goes on as it began.' })),
    requestedBy: Type.Optional(Type.String({ description: 'Who began it.' })),
  },
  { additionalProperties: false, description: 'One time that a runbook was gone through.' },
)
export type RunbookRunSpec = Type.Static<typeof RunbookRunSpec>

export const runbookStepTypes = ['check', 'command', 'change', 'wait', 'decision', 'human'] as const
export type RunbookStepType = (typeof runbookStepTypes)[number]

export const RunbookStepState = Type.Object(
  {
    name: Type.String({ description: 'Its name.' }),
    type: Type.Enum([...runbookStepTypes], { description: 'What it is.' }),
    state: Type.Enum(['Pending', 'Running', 'Waiting', 'Done', 'Failed', 'Skipped'], { description: 'Waiting: for a person.' }),
    needs: Type.Optional(Type.Enum(['approval', 'choice', 'confirmation'], { description: 'What a person has to give.' })),
    options: Type.Optional(Type.Array(Type.String(), { description: 'To choose from.' })),
    text: Type.Optional(Type.String({ description: 'What it does or asks, with parameters filled in.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    by: Type.Optional(Type.String({ description: 'Who answered.' })),
    choice: Type.Optional(Type.String({ description: 'What they chose.' })),
    note: Type.Optional(Type.String({ description: 'What they said.' })),
    output: Type.Optional(Type.String({ description: 'What came of it.' })),
    task: Type.Optional(Type.String({ description: 'One-off command that runs for it.' })),
  },
  { additionalProperties: false },
)
export type RunbookStepState = Type.Static<typeof RunbookStepState>

export const RunbookRunStatus = Type.Object(
  {
    phase: Type.Optional(Type.Enum(['Running', 'Waiting', 'Succeeded', 'Stopped', 'Failed', 'Canceled'], { description: 'Waiting: for a person. Stopped: a check said that there is nothing to do.' })),
    message: Type.Optional(Type.String({ description: 'How it stands, in a sentence.' })),
    current: Type.Optional(Type.Integer({ description: 'Step that is at work, counted from 0.' })),
    steps: Type.Optional(Type.Array(RunbookStepState, { description: 'The steps as far as they were reached, in their order.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type RunbookRunStatus = Type.Static<typeof RunbookRunStatus>
