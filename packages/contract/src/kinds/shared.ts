/** Pieces of schema that several kinds share. */
import Type from 'typebox'

/** Lower-case DNS label, the form of every name that becomes part of a host name. */
export const dnsLabel = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', minLength: 1, maxLength, description })

export const Timestamp = (description: string) => Type.String({ format: 'date-time', description })

export const StringMap = (description: string) => Type.Record(Type.String({ maxLength: 256 }), Type.String(), { description })

/** Name of an environment variable, as POSIX has it. */
export const Variables = (description: string) =>
  Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String({ maxLength: 32_768 }), { description })

/** What a container image says about how it is run. */
export const Image = Type.Object(
  {
    directory: Type.String({ maxLength: 4096, description: 'Directory inside the image that processes run in.' }),
    user: Type.String({ maxLength: 256, description: 'User of the image; processes have its name and its files, and never the rights of root.' }),
    home: Type.String({ maxLength: 4096, description: 'Home of that user.' }),
    ports: Type.Optional(Type.Array(Type.Integer(), { description: 'Ports that the image says it listens on; a hint.' })),
    stopSignal: Type.Optional(Type.String({ pattern: '^SIG[A-Z0-9]+$', description: 'Signal that asks a process to stop. Default: SIGTERM.' })),
  },
  { additionalProperties: false, description: 'The artifact is the root of a container image, run as the image says.' },
)
export type Image = Type.Static<typeof Image>

export const Digest = (description: string) => Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description })

/** As in the Kubernetes API conventions; `kubectl wait --for=condition=…` reads it. */
export const Condition = Type.Object(
  {
    type: Type.String({ description: 'Name of the condition, for example Ready.' }),
    status: Type.Enum(['True', 'False', 'Unknown'], { description: 'Whether the condition holds.' }),
    reason: Type.String({ description: 'One CamelCase word for programs.' }),
    message: Type.String({ description: 'One sentence for people.' }),
    lastTransitionTime: Timestamp('When the status last changed.'),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation of the spec that this was judged on.' })),
  },
  { additionalProperties: false, description: 'One judged fact about the resource.' },
)
export type Condition = Type.Static<typeof Condition>

/** Options for a list whose items are told apart by fields, so that several writers can own an item each. */
export const keyedBy = (...keys: string[]) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })

export const Conditions = Type.Array(Condition, { description: 'Judged facts, at most one of each type.', ...keyedBy('type') })

/** A coded problem as it stands in a status; the same object that the API and the CLI show. */
export const Problem = Type.Object(
  {
    code: Type.String({ description: 'Code from the error catalogue.' }),
    message: Type.String({ description: 'What happened, with the thing named.' }),
    why: Type.Optional(Type.String({ description: 'Why it happened, as far as known.' })),
    fix: Type.String({ description: 'What to do next.' }),
    state: Type.Optional(Type.String({ description: 'What state the world is in now.' })),
    more: Type.Optional(Type.String({ description: 'Where to read on.' })),
    causes: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String(), reason: Type.Optional(Type.String()) }))),
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Facts for programs.' })),
  },
  { additionalProperties: false, description: 'Why it did not work.' },
)

export const Toolchain = Type.Object(
  {
    name: Type.String({ description: 'Tool whose version matters to the source: node, python3, go, cargo. Empty when there is none, as for files and images.' }),
    version: Type.Optional(Type.String({ description: 'Version that was used.' })),
    asked: Type.Optional(Type.String({ maxLength: 200, description: 'Version that the source asks for, in its own words; absent when it takes what there is.' })),
  },
  { additionalProperties: false, description: 'What the source is built and run with.' },
)
export type Toolchain = Type.Static<typeof Toolchain>

/** One step of an operation, with its times; what `pavior deploy` prints line by line. */
export const Step = Type.Object(
  {
    name: Type.String({ description: 'Name of the step.' }),
    state: Type.Enum(['pending', 'running', 'done', 'failed', 'skipped'], { description: 'How far it is.' }),
    message: Type.Optional(Type.String({ description: 'What it did, in a few words.' })),
    startedAt: Type.Optional(Timestamp('When it began.')),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
  },
  { additionalProperties: false, description: 'One step with its times.' },
)
export type Step = Type.Static<typeof Step>

export const Role = Type.Enum(['admin', 'developer', 'viewer'], {
  description: 'admin: everything in the team, also its members · developer: apps, builds, deployments · viewer: reads.',
})
export type Role = Type.Static<typeof Role>
