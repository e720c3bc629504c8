/** An exercise: faults are made on purpose, to find out whether what is believed about an app holds. */
import Type from 'typebox'
import { PostmortemAction } from './incident.ts'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

export const gameDayStates = ['Planned', 'Running', 'Finished', 'Aborted', 'Stopped'] as const
export type GameDayState = (typeof gameDayStates)[number]

export const gameDayFaults = ['latency', 'errors', 'kill', 'cpu', 'memory', 'server'] as const
export type GameDayFault = (typeof gameDayFaults)[number]

const closed = { additionalProperties: false }
const Percent = (description: string) => Type.Number({ exclusiveMinimum: 0, maximum: 100, description })
const Instances = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: `${description} Default: 1.` }))
const Match = Type.Optional(
  Type.Object(
    {
      header: Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$", description: 'Name of a request header.' }),
      value: Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$', description: 'Its value.' }),
    },
    { ...closed, description: 'Only requests that bear this header; the percentage is of those, and the blast radius does not limit it.' },
  ),
)

export const GameDayStep = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'What it is about. Default: made of its fault.' })),
    seconds: Type.Integer({ minimum: 1, maximum: 3600, description: 'How long its fault is at work, in seconds.' }),
    expect: Type.Optional(Type.String({ maxLength: 500, description: 'What should be seen meanwhile.' })),
    latency: Type.Optional(
      Type.Object(
        {
          ms: Type.Integer({ minimum: 1, maximum: 60_000, description: 'How long a request waits in the router, in ms.' }),
          jitterMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000, description: 'So much more or less, at random, in ms. Default: 0.' })),
          percent: Percent('Share of the requests.'),
          match: Match,
        },
        { ...closed, description: 'Requests to the app are slow.' },
      ),
    ),
    errors: Type.Optional(
      Type.Object(
        {
          status: Type.Integer({ minimum: 400, maximum: 599, description: 'Status of the answer.' }),
          percent: Percent('Share of the requests.'),
          match: Match,
        },
        { ...closed, description: 'Requests to the app are answered by the router with an error.' },
      ),
    ),
    kill: Type.Optional(
      Type.Object(
        { instances: Instances('How many.'), signal: Type.Optional(Type.Enum(['SIGKILL', 'SIGTERM'], { description: 'What they get. Default: SIGKILL.' })) },
        { ...closed, description: 'Instances are killed; they are started again as after any crash.' },
      ),
    ),
    cpu: Type.Optional(
      Type.Object({ instances: Instances('How many.'), cores: Type.Integer({ minimum: 1, maximum: 8, description: 'Cores that are kept busy in each of them, within its limit.' }) }, { ...closed, description: 'Instances have to share their CPU.' }),
    ),
    memory: Type.Optional(
      Type.Object({ instances: Instances('How many.'), percent: Type.Integer({ minimum: 10, maximum: 120, description: 'Memory is taken until so much of the limit of the instance is in use; above 100 something in it is killed.' }) }, { ...closed, description: 'Instances run short of memory.' }),
    ),
    server: Type.Optional(Type.Object({}, { ...closed, description: 'The control plane is killed and stays away for the seconds of the step. Only administrators of the platform start this.' })),
  },
  { ...closed, description: 'One fault, for some time. Exactly one of latency, errors, kill, cpu, memory and server.' },
)
export type GameDayStep = Type.Static<typeof GameDayStep>

export const GameDayAbort = Type.Object(
  {
    slo: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Slo whose budget burns faster than burnRate over the last 5 minutes.' })),
    burnRate: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'With slo.' })),
    errorPercent: Type.Optional(Type.Number({ minimum: 0, maximum: 100, description: 'More of the requests than this fail, over 15 seconds with at least 10 requests.' })),
    p95Ms: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'The 95th percentile is slower than this, over 15 seconds with at least 10 requests.' })),
    query: Type.Optional(Type.String({ minLength: 1, maxLength: 4000, description: 'PromQL with one value, which is above `above`. $team, $app and $environment stand for their names.' })),
    above: Type.Optional(Type.Number({ description: 'With query.' })),
  },
  { ...closed, description: 'It ends everything at once when this is so: slo with burnRate, errorPercent, p95Ms, or query with above.' },
)
export type GameDayAbort = Type.Static<typeof GameDayAbort>

export const GameDayVerdict = Type.Object(
  {
    result: Type.Enum(['held', 'refuted'], { description: 'Whether the hypothesis held.' }),
    text: Type.String({ minLength: 1, maxLength: 10_000, description: 'What was seen, and learned.' }),
    actions: Type.Optional(Type.Array(PostmortemAction, { maxItems: 100, description: 'What is done about it.' })),
    by: Type.Optional(Type.String({ maxLength: 253, description: 'Who judged.' })),
    at: Type.Optional(Timestamp('When.')),
  },
  { ...closed, description: 'What people made of it, once it is over.' },
)
export type GameDayVerdict = Type.Static<typeof GameDayVerdict>

export const GameDaySpec = Type.Object(
  {
    hypothesis: Type.String({ minLength: 10, maxLength: 1000, description: 'What is believed and is to be found out, in a sentence.' }),
    app: dnsLabel(40, 'App that is put to the test.'),
    environment: dnsLabel(20, 'Environment in which; it has to allow faults.'),
    owner: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'User who leads it.' })),
    steps: Type.Array(GameDayStep, { minItems: 1, maxItems: 20, description: 'One after the other.' }),
    settleSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 600, description: 'Without a fault after each step, to see how the app recovers, in seconds. Default: 15.' })),
    blastRadius: Type.Optional(
      Type.Object(
        {
          percent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100, description: 'Most of the requests, or of the instances, that a fault may reach. Default: 25.' })),
          minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 480, description: 'Longest that all of it may take. Default: 30.' })),
        },
        { ...closed, description: 'How much may be hurt.' },
      ),
    ),
    abort: Type.Optional(Type.Array(GameDayAbort, { maxItems: 20, description: 'When everything is ended at once.' })),
    pages: Type.Optional(Type.Enum(['abort', 'expected'], { description: 'Whether an alert of the app that wakes somebody, or an incident of it, ends everything, or is part of what is tried out. Default: abort.' })),
    runbook: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Runbook that is at hand meanwhile.' })),
    verdict: Type.Optional(GameDayVerdict),
  },
  { ...closed, description: 'An exercise that is done once: a hypothesis, the faults that put it to the test, and when to stop.' },
)
export type GameDaySpec = Type.Static<typeof GameDaySpec>

export const GameDayFigures = Type.Object(
  {
    requests: Type.Integer({ description: 'Requests to the app.' }),
    errorPercent: Type.Number({ description: 'Share answered with 5xx, in percent.' }),
    p95Ms: Type.Union([Type.Number(), Type.Null()], { description: '95th percentile in ms; null without requests.' }),
  },
  { ...closed, description: 'As the router counted.' },
)
export type GameDayFigures = Type.Static<typeof GameDayFigures>

const Target = Type.Object({ instance: Type.String({ description: 'Instance.' }), startedAt: Timestamp('Start of it that is meant.') }, closed)

export const GameDayStepState = Type.Object(
  {
    name: Type.String({ description: 'What it is about.' }),
    state: Type.Enum(['Pending', 'Running', 'Settling', 'Done', 'Cut', 'Skipped'], { description: 'Settling: its fault is over and the app recovers. Cut: ended before its time.' }),
    from: Type.Optional(Timestamp('When its fault began.')),
    until: Type.Optional(Timestamp('When its fault ends, or ended.')),
    settledAt: Type.Optional(Timestamp('When the time to recover is over.')),
    targets: Type.Optional(Type.Array(Target, { description: 'Instances that were chosen.' })),
    before: Type.Optional(GameDayFigures),
    during: Type.Optional(GameDayFigures),
    after: Type.Optional(GameDayFigures),
    reached: Type.Optional(
      Type.Object(
        {
          seen: Type.Integer({ description: 'Requests that it could have reached.' }),
          delayed: Type.Integer({ description: 'Requests that were held up.' }),
          failed: Type.Integer({ description: 'Requests that were answered with an error.' }),
          instances: Type.Array(Type.String(), { description: 'Instances that were killed or burdened.' }),
        },
        { ...closed, description: 'What it reached.' },
      ),
    ),
    outcome: Type.Optional(Type.String({ description: 'What became of it, in a sentence.' })),
  },
  closed,
)
export type GameDayStepState = Type.Static<typeof GameDayStepState>

export const GameDayStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum([...gameDayStates], { description: 'Finished: all steps were gone through. Aborted: ended by itself before. Stopped: ended by somebody.' })),
    message: Type.Optional(Type.String({ description: 'How it stands, in a sentence.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    startedBy: Type.Optional(Type.String({ description: 'Who began it.' })),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    stoppedBy: Type.Optional(Type.String({ description: 'Who stopped it.' })),
    reason: Type.Optional(Type.String({ description: 'Why it was ended before its time.' })),
    lookedAt: Type.Optional(Timestamp('When somebody last looked whether to abort; told every few seconds.')),
    now: Type.Optional(GameDayFigures),
    limits: Type.Optional(
      Type.Array(
        Type.Object({ text: Type.String({ description: 'Condition, in words.' }), value: Type.Optional(Type.Number({ description: 'As it is now.' })), limit: Type.Number({ description: 'Above it everything ends.' }), unit: Type.String({ description: 'Of both.' }) }, closed),
        { description: 'How far the conditions are from ending it.' },
      ),
    ),
    steps: Type.Optional(Type.Array(GameDayStepState, { description: 'The steps, in their order.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  closed,
)
export type GameDayStatus = Type.Static<typeof GameDayStatus>
