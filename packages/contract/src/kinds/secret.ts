import Type from 'typebox'
import { Conditions, dnsLabel, keyedBy, Problem, Timestamp } from './shared.ts'

/** Name of the variable, as POSIX has it. */
const variable = { pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 }

export const SecretForm = Type.Enum(['env', 'file'], {
  description: 'env: the variable holds the value · file: the value is in a file that only the app can read, and <KEY>_FILE holds its path.',
})
export type SecretForm = Type.Static<typeof SecretForm>

export const SecretSpec = Type.Object(
  {
    key: Type.String({ ...variable, description: 'Name of the variable by which the app knows it.' }),
    app: Type.Optional(dnsLabel(40, 'App that gets it. Default: every app of the team.')),
    environments: Type.Optional(
      Type.Array(dnsLabel(20, 'Name of an Environment.'), { maxItems: 50, description: 'Environments in which it is given out; an empty list: none. Default: all but previews.' }),
    ),
    previews: Type.Optional(Type.Boolean({ description: 'Give it to previews too. Default: false.' })),
    as: Type.Optional(SecretForm),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it is for, and where a new one is made.' })),
    expiresAt: Type.Optional(Timestamp('When whoever issued it takes it no longer; warned of 14 and 3 days before.')),
    rotateEveryDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650, description: 'Age in days at which a new version is due; warned of, never done by itself.' })),
    external: Type.Optional(
      Type.Object(
        {
          store: dnsLabel(63, 'Name of a SecretStore of the team.'),
          path: Type.String({ pattern: '^(?!/)(?!.*(^|/)\\.\\.?(/|$))[^\\s?#\\\\%]+$', maxLength: 512, description: 'Path of the secret in the store.' }),
          field: Type.String({ minLength: 1, maxLength: 256, description: 'Field of the secret that holds the value.' }),
        },
        { additionalProperties: false, description: 'Where versions come from, when they are not set here.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'A value that apps get and nobody reads: everything about it but the value itself.' },
)
export type SecretSpec = Type.Static<typeof SecretSpec>

export const SecretVersion = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'Number of the version, counted per secret.' }),
    at: Timestamp('When it was stored.'),
    by: Type.String({ description: 'Who stored it.' }),
    state: Type.Enum(['current', 'previous', 'stored', 'rejected', 'revoked'], {
      description: 'current: in force · previous: was in force, and can be again · stored: has not been in force · rejected: was taken back because apps failed with it · revoked: its value is destroyed.',
    }),
  },
  { additionalProperties: false, description: 'One version; never its value.' },
)
export type SecretVersion = Type.Static<typeof SecretVersion>

export const RotationTarget = Type.Object(
  {
    app: Type.String({ description: 'App.' }),
    environment: Type.String({ description: 'Environment.' }),
    state: Type.Enum(['pending', 'refused', 'underway', 'watched', 'done', 'failed', 'left'], { description: 'refused: a rule does not let it be brought out yet · watched: it serves, and is taken back if it fails yet · left: somebody put another release there meanwhile.' }),
    deployment: Type.Optional(Type.String({ description: 'Deployment that brings the version.' })),
    message: Type.Optional(Type.String({ description: 'What it says.' })),
  },
  { additionalProperties: false, description: 'How far the version is in one environment of one app.' },
)
export type RotationTarget = Type.Static<typeof RotationTarget>

export const Rotation = Type.Object(
  {
    version: Type.Integer({ description: 'Version that is brought out.' }),
    from: Type.Optional(Type.Integer({ description: 'Version before it, still valid.' })),
    phase: Type.Enum(['RollingOut', 'Succeeded', 'Reverted', 'Failed'], { description: 'Reverted: the version before is in force again.' }),
    by: Type.String({ description: 'Who asked for it.' }),
    startedAt: Timestamp('When it began.'),
    finishedAt: Type.Optional(Timestamp('When it ended.')),
    message: Type.String({ description: 'Where it stands, in a sentence.' }),
    targets: Type.Array(RotationTarget, { description: 'Where the secret is in use.', ...keyedBy('app', 'environment') }),
  },
  { additionalProperties: false, description: 'How far the newest change of the version in force is.' },
)
export type Rotation = Type.Static<typeof Rotation>

export const SecretStatus = Type.Object(
  {
    version: Type.Optional(Type.Integer({ description: 'Version in force: what new releases get.' })),
    versions: Type.Optional(Type.Array(SecretVersion, { description: 'Versions, the newest last.', ...keyedBy('version') })),
    rotation: Type.Optional(Rotation),
    lastReadAt: Type.Optional(Timestamp('When it was last given to an app that had not had that version.')),
    externalVersion: Type.Optional(Type.Integer({ description: 'Newest version that the external store is known to have.' })),
    problem: Type.Optional(Problem),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation that this status describes.' })),
  },
  { additionalProperties: false },
)
export type SecretStatus = Type.Static<typeof SecretStatus>

/** What a release, an instance set or a task has of a secret: never the value. */
export const SecretRef = Type.Object(
  {
    secret: Type.String({ description: 'Name of the Secret.' }),
    uid: Type.String({ description: 'Its uid: another secret of that name is another secret.' }),
    key: Type.String({ ...variable, description: 'Name of the variable.' }),
    version: Type.Integer({ minimum: 1, description: 'Version that is given out.' }),
    as: SecretForm,
  },
  { additionalProperties: false, description: 'A secret in the version that it had.' },
)
export type SecretRef = Type.Static<typeof SecretRef>

export const SecretStoreSpec = Type.Object(
  {
    type: Type.Enum(['vault'], { description: 'vault: HashiCorp Vault or OpenBao, a KV engine of version 2.' }),
    url: Type.String({ pattern: '^https?://[^\\s/?#@]+/?$', maxLength: 512, description: 'Address of the server, for example https://vault.example:8200.' }),
    mount: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$', maxLength: 255, description: 'Path at which the engine is mounted. Default: secret.' })),
    namespace: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_/-]+$', maxLength: 255, description: 'Namespace of an enterprise server.' })),
    token: Type.Object({ secret: Type.String({ maxLength: 253, description: 'Name of a Secret of the team whose value is the token.' }) }, { additionalProperties: false, description: 'How Pavior proves who it is.' }),
    lookSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 86_400, description: 'Seconds between two looks for new versions. Default: 60.' })),
    timeoutSeconds: Type.Optional(Type.Number({ minimum: 0.5, maximum: 60, description: 'Seconds that one question may take. Default: 5.' })),
  },
  { additionalProperties: false, description: 'A store outside of Pavior that secrets are taken from.' },
)
export type SecretStoreSpec = Type.Static<typeof SecretStoreSpec>

export const SecretStoreStatus = Type.Object(
  {
    lookedAt: Type.Optional(Timestamp('When it last answered.')),
    problem: Type.Optional(Problem),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation that this status describes.' })),
  },
  { additionalProperties: false },
)
export type SecretStoreStatus = Type.Static<typeof SecretStoreStatus>
