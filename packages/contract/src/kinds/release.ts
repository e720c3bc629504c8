import Type from 'typebox'
import { ProcessSpec } from './app.ts'
import { Conditions, Digest, dnsLabel, Image, Problem, Step, Timestamp, Toolchain, Variables } from './shared.ts'
import { Revision } from './delivery.ts'

export const ReleaseSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    version: Type.Integer({ minimum: 1, description: 'Number of the release, counted per app.' }),
    artifact: Digest('What runs.'),
    build: Type.Optional(Type.String({ description: 'Build that made the artifact.' })),
    revision: Type.Optional(Revision),
    environment: dnsLabel(20, 'Environment that the configuration was taken from.'),
    env: Variables('Variables from builder, manifest and configuration as they were when the release was made.'),
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

export const DeploymentSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    environment: dnsLabel(20, 'Environment to put the release into.'),
    release: Type.Integer({ minimum: 1, description: 'Number of the release.' }),
    strategy: Type.Optional(Type.Enum(['rolling'], { description: 'How traffic moves. Default: rolling.' })),
    timeoutSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 86_400, description: 'Seconds until the deployment must have finished. Default: 1800.' })),
    reason: Type.Optional(Type.String({ maxLength: 500, description: 'Why: deploy, config, rollback to v3.' })),
    canceled: Type.Optional(Type.Boolean({ description: 'Set to true to cancel; what served before goes on serving.' })),
  },
  { additionalProperties: false, description: 'One act of putting a release into an environment.' },
)
export type DeploymentSpec = Type.Static<typeof DeploymentSpec>

export const DeploymentStatus = Type.Object(
  {
    phase: Type.Optional(
      Type.Enum(['Pending', 'Releasing', 'Starting', 'Switching', 'Draining', 'Succeeded', 'Failed', 'Superseded', 'Canceled'], {
        description: 'How far the rollout is.',
      }),
    ),
    message: Type.Optional(Type.String({ description: 'What it is doing, in one sentence.' })),
    url: Type.Optional(Type.String({ description: 'Where the app answers.' })),
    previousRelease: Type.Optional(Type.Integer({ description: 'Release that served before.' })),
    steps: Type.Optional(Type.Array(Step, { description: 'Steps in order.' })),
    problem: Type.Optional(Problem),
    startedAt: Type.Optional(Timestamp('When it left the queue.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type DeploymentStatus = Type.Static<typeof DeploymentStatus>
