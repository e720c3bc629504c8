import Type from 'typebox'
import { ProcessSpec } from './app.ts'
import { JudgeQuery, RolloutSettings, StrategyType } from './environment.ts'
import { Conditions, Digest, dnsLabel, Image, Problem, Step, Timestamp, Toolchain, Variables } from './shared.ts'
import { Revision } from './delivery.ts'
import { SecretRef } from './secret.ts'

export const ReleaseSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    version: Type.Integer({ minimum: 1, description: 'Number of the release, counted per app.' }),
    artifact: Digest('What runs.'),
    build: Type.Optional(Type.String({ description: 'Build that made the artifact.' })),
    revision: Type.Optional(Revision),
    environment: dnsLabel(20, 'Environment that the configuration was taken from.'),
    env: Variables('Variables from builder, manifest and configuration as they were when the release was made.'),
    secrets: Type.Optional(Type.Array(SecretRef, { description: 'Secrets in the versions that were in force; never values.' })),
    processes: Type.Record(Type.String(), ProcessSpec, { description: 'Processes with their commands, as they were then.' }),
    mounts: Type.Optional(Type.Array(Type.String(), { description: 'Toolchain directories that it needs.' })),
    bin: Type.Optional(Type.Array(Type.String(), { description: 'Directories of the artifact whose programs are found by name.' })),
    image: Type.Optional(Image),
    toolchain: Type.Optional(Toolchain),
    reason: Type.Optional(Type.String({ maxLength: 500, description: 'Why it was made: deploy, config, rollback to v3.' })),
  },
  { additionalProperties: false, description: 'Artifact and configuration snapshot, numbered, immutable.' },
)
export type ReleaseSpec = Type.Static<typeof ReleaseSpec>
export const ReleaseStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type ReleaseStatus = Type.Static<typeof ReleaseStatus>

/** A strategy with nothing left out: what a deployment goes by from its beginning to its end. */
export const ResolvedStrategy = Type.Object(
  {
    type: StrategyType,
    steps: Type.Array(Type.Object({ weight: Type.Integer(), seconds: Type.Integer(), pause: Type.Boolean() }, { additionalProperties: false }), { description: 'Steps of a canary; none for others.' }),
    testers: RolloutSettings.properties.testers,
    judge: Type.Object(
      {
        errorRatio: Type.Number(),
        p95Ms: Type.Optional(Type.Number()),
        p99Ms: Type.Optional(Type.Number()),
        slowerThanStable: Type.Number(),
        restarts: Type.Integer(),
        saturation: Type.Optional(Type.Number()),
        cpu: Type.Optional(Type.Number()),
        minRequests: Type.Integer(),
        queries: Type.Optional(Type.Array(JudgeQuery)),
      },
      { additionalProperties: false },
    ),
    watchSeconds: Type.Integer(),
    from: Type.String({ description: 'What decided: the deployment, the app, the environment or its tier.' }),
  },
  { additionalProperties: false, description: 'The strategy as it was decided when the deployment began.' },
)
export type ResolvedStrategy = Type.Static<typeof ResolvedStrategy>

export const Judgement = Type.Object(
  {
    verdict: Type.Enum(['passing', 'failing', 'waiting'], { description: 'waiting: not enough is known yet.' }),
    evidence: Type.Enum(['traffic', 'synthetic'], { description: 'synthetic: too little traffic to judge by, so the platform asked the new instances itself.' }),
    requests: Type.Integer({ description: 'Requests that it rests on.' }),
    text: Type.Array(Type.String(), { description: 'The reasoning, in sentences.' }),
  },
  { additionalProperties: false, description: 'What the judge says of the new release.' },
)
export type Judgement = Type.Static<typeof Judgement>

/** Why a deployment may not go on yet. */
export const Gate = Type.Object(
  {
    gate: Type.Enum(['approval', 'freeze', 'soak', 'schedule', 'budget'], { description: 'What holds it.' }),
    text: Type.String({ description: 'Why, in a sentence.' }),
    until: Type.Optional(Timestamp('When it opens by itself.')),
  },
  { additionalProperties: false, description: 'What a deployment waits for.' },
)
export type Gate = Type.Static<typeof Gate>

export const DeploymentSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    environment: dnsLabel(20, 'Environment to put the release into.'),
    release: Type.Integer({ minimum: 1, description: 'Number of the release.' }),
    strategy: Type.Optional(StrategyType),
    rollout: Type.Optional(RolloutSettings),
    timeoutSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 86_400, description: 'Seconds until the deployment must have finished. Default: 1800.' })),
    reason: Type.Optional(Type.String({ maxLength: 500, description: 'Why: deploy, config, rollback to v3.' })),
    canceled: Type.Optional(Type.Boolean({ description: 'Set to true to cancel or abort; what served before serves again.' })),
    paused: Type.Optional(Type.Boolean({ description: 'A canary stays at its step while this is true.' })),
    resumedStep: Type.Optional(Type.Integer({ minimum: 0, description: 'Steps up to this one (counted from 0) wait no longer for somebody to resume.' })),
    promoted: Type.Optional(Type.Boolean({ description: 'Set to true to leave out the steps and seconds that remain.' })),
    notBefore: Type.Optional(Timestamp('It begins no earlier.')),
    promotedFrom: Type.Optional(dnsLabel(20, 'Environment that the artifact was promoted from.')),
    rollbackTo: Type.Optional(Type.Boolean({ description: 'It takes an earlier release back; gates do not hold it.' })),
    override: Type.Optional(
      Type.Object(
        { reason: Type.String({ minLength: 10, maxLength: 500, description: 'Why it could not wait.' }) },
        { additionalProperties: false, description: 'Passes freezes, soak times and budgets that are used up. Only administrators of the team may set it.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'One act of putting a release into an environment.' },
)
export type DeploymentSpec = Type.Static<typeof DeploymentSpec>

export const DeploymentStatus = Type.Object(
  {
    phase: Type.Optional(
      Type.Enum(['Pending', 'Waiting', 'Releasing', 'Starting', 'Shifting', 'Completing', 'Switching', 'Watching', 'Restoring', 'Draining', 'Succeeded', 'Failed', 'RolledBack', 'Superseded', 'Canceled'], {
        description: 'How far the rollout is. Shifting: on trial with a share of the traffic. Watching: it has all traffic, and the previous instances are kept warm. Restoring: traffic goes back to what served before.',
      }),
    ),
    message: Type.Optional(Type.String({ description: 'What it is doing, in one sentence.' })),
    url: Type.Optional(Type.String({ description: 'Where the app answers.' })),
    previousRelease: Type.Optional(Type.Integer({ description: 'Release that served before.' })),
    steps: Type.Optional(Type.Array(Step, { description: 'Steps in order.' })),
    strategy: Type.Optional(ResolvedStrategy),
    trial: Type.Optional(
      Type.Object(
        {
          step: Type.Integer({ description: 'Step of the canary, counted from 0.' }),
          weight: Type.Integer({ description: 'Percent of the requests that the new release gets.' }),
          since: Type.Optional(Timestamp('When its weight was in force; absent until then.')),
          judgement: Type.Optional(Judgement),
          synthetic: Type.Optional(Type.Object({ requests: Type.Integer(), errors: Type.Integer(), p95Ms: Type.Union([Type.Number(), Type.Null()]), p99Ms: Type.Union([Type.Number(), Type.Null()]) }, { additionalProperties: false, description: 'What the new instances answered to the platform itself.' })),
          held: Type.Optional(Type.String({ description: 'Why it does not go on, when somebody or a freeze holds it.' })),
        },
        { additionalProperties: false, description: 'The trial of the new release, step by step.' },
      ),
    ),
    waitingFor: Type.Optional(Type.Array(Gate, { description: 'What holds it back.' })),
    notes: Type.Optional(Type.Array(Type.String(), { description: 'What did not hold it, and is worth knowing.' })),
    approvals: Type.Optional(
      Type.Array(Type.Object({ by: Type.String({ description: 'Who.' }), at: Timestamp('When.') }, { additionalProperties: false }), { description: 'Who approved it.' }),
    ),
    problem: Type.Optional(Problem),
    startedAt: Type.Optional(Timestamp('When it left the queue.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type DeploymentStatus = Type.Static<typeof DeploymentStatus>
