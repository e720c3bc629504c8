import Type from 'typebox'
import { Conditions, Digest, dnsLabel, Image, Problem, Step, Timestamp, Toolchain, Variables } from './shared.ts'
import { AppSpec, ProcessSpec } from './app.ts'
import { StrategyType } from './environment.ts'

export const Revision = Type.Object(
  {
    type: Type.Enum(['git', 'upload'], { description: 'How the source arrived.' }),
    source: Digest('Digest over the normalised source files.'),
    commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$', description: 'Git commit.' })),
    branch: Type.Optional(Type.String({ maxLength: 255, description: 'Git branch.' })),
    message: Type.Optional(Type.String({ maxLength: 500, description: 'First line of the commit message.' })),
    author: Type.Optional(Type.String({ maxLength: 254, description: 'Who made the change.' })),
  },
  { additionalProperties: false, description: 'What was pushed.' },
)
export type Revision = Type.Static<typeof Revision>

export const BuildSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    revision: Revision,
    environment: Type.Optional(dnsLabel(20, 'Environment to deploy to when the build succeeds; only built when absent.')),
    strategy: Type.Optional(StrategyType),
    canceled: Type.Optional(Type.Boolean({ description: 'Set to true to cancel.' })),
    allowPinned: Type.Optional(Type.Boolean({ description: 'Deploy it although the same revision was taken back from there.' })),
  },
  { additionalProperties: false, description: 'Turns a revision into an artifact.' },
)
export type BuildSpec = Type.Static<typeof BuildSpec>

export const BuildStatus = Type.Object(
  {
    phase: Type.Optional(Type.Enum(['Queued', 'Building', 'Succeeded', 'Failed', 'Canceled'], { description: 'How far it is.' })),
    builder: Type.Optional(Type.String({ description: 'Builder that was chosen, and why it recognised the source.' })),
    summary: Type.Optional(Type.String({ description: 'A few words for the deploy line, for example "node 20.20 · npm ci".' })),
    reused: Type.Optional(Type.Boolean({ description: 'The same inputs were built before; nothing was run.' })),
    artifact: Type.Optional(Digest('What came out.')),
    processes: Type.Optional(Type.Record(Type.String(), ProcessSpec, { description: 'Processes that the builder found.' })),
    declared: Type.Optional(Type.Partial(AppSpec, { additionalProperties: false, description: 'What the manifest in the source declares; becomes the App when the build is deployed.' })),
    env: Type.Optional(Variables('Variables that the artifact needs at run time, for example PATH.')),
    mounts: Type.Optional(Type.Array(Type.String(), { description: 'Toolchain directories that the artifact needs at run time.' })),
    bin: Type.Optional(Type.Array(Type.String(), { description: 'Directories of the artifact whose programs are found by name.' })),
    image: Type.Optional(Image),
    toolchain: Type.Optional(Toolchain),
    steps: Type.Optional(Type.Array(Step, { description: 'Steps in order.' })),
    problem: Type.Optional(Problem),
    queuedAt: Type.Optional(Timestamp('When it was asked for.')),
    startedAt: Type.Optional(Timestamp('When the first step began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type BuildStatus = Type.Static<typeof BuildStatus>
