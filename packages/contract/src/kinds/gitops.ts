import Type from 'typebox'
import { Conditions, Timestamp } from './shared.ts'

export const ConfigRepoSpec = Type.Object(
  {
    hosted: Type.Optional(Type.Boolean({ description: 'Whether this platform keeps the repository: push to /git/<team>/<name>.git. One of hosted and url.' })),
    url: Type.Optional(Type.String({ pattern: '^https?://[^\\s@]+$', maxLength: 1000, description: 'Address of a repository elsewhere, over HTTP or HTTPS, without a name or password in it. One of hosted and url.' })),
    branch: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 200, description: 'Branch that declares. Default: main.' })),
    path: Type.Optional(Type.String({ pattern: '^(?!/)(?!.*\\.\\.)[^\\0]*$', maxLength: 512, description: 'Directory in it that holds the YAML. Default: all of it.' })),
    intervalSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 86_400, description: 'Seconds between two looks; a push to a hosted repository is looked at at once. Default: 60.' })),
    prune: Type.Optional(Type.Boolean({ description: 'Whether what it declared and declares no longer is deleted. Default: true.' })),
    drift: Type.Optional(Type.Enum(['correct', 'report'], { description: 'What to do with declared fields that differ from what is declared: put them back, or only say so. Default: correct.' })),
    manualChanges: Type.Optional(Type.Enum(['refuse', 'mark'], { description: 'What to do with people who change declared fields otherwise: refuse it, or let them and note it on the resource. Default: refuse.' })),
    cluster: Type.Optional(Type.Boolean({ description: 'Whether it may declare resources that belong to no team; only administrators of the platform set it. Default: false.' })),
    suspended: Type.Optional(Type.Boolean({ description: 'Nothing of it is applied while this is true. Default: false.' })),
    tokenSecret: Type.Optional(Type.String({ maxLength: 63, description: 'Name of the Secret that holds a token for the repository.' })),
  },
  { additionalProperties: false, description: 'A git repository that declares resources of the team.' },
)
export type ConfigRepoSpec = Type.Static<typeof ConfigRepoSpec>

export const ConfigError = Type.Object(
  {
    file: Type.String({ description: 'File, with its line where that is known: apps/shop.yaml:3.' }),
    message: Type.String({ description: 'What is wrong.' }),
  },
  { additionalProperties: false },
)
export type ConfigError = Type.Static<typeof ConfigError>

export const ConfigCommit = Type.Object(
  {
    commit: Type.String({ description: 'Id of the commit.' }),
    message: Type.Optional(Type.String({ description: 'Its first line.' })),
    author: Type.Optional(Type.String({ description: 'Who made it.' })),
    at: Timestamp('When it was applied, or refused.'),
    applied: Type.Integer({ description: 'Resources that were made or changed.' }),
    unchanged: Type.Integer({ description: 'Resources that were as declared.' }),
    pruned: Type.Integer({ description: 'Resources that were deleted.' }),
    failed: Type.Integer({ description: 'Resources or files that cannot be applied; with one of them nothing is.' }),
    errors: Type.Optional(Type.Array(ConfigError, { description: 'What is wrong with it.' })),
  },
  { additionalProperties: false, description: 'What became of one commit.' },
)
export type ConfigCommit = Type.Static<typeof ConfigCommit>

export const ConfigItem = Type.Object(
  { kind: Type.String({ description: 'Kind.' }), name: Type.String({ description: 'Name.' }), file: Type.String({ description: 'File that declares it.' }) },
  { additionalProperties: false },
)
export type ConfigItem = Type.Static<typeof ConfigItem>

export const ConfigDrift = Type.Object(
  { ...ConfigItem.properties, fields: Type.Array(Type.String(), { description: 'Declared fields that differ.' }) },
  { additionalProperties: false },
)
export type ConfigDrift = Type.Static<typeof ConfigDrift>

export const ConfigRepoStatus = Type.Object(
  {
    url: Type.Optional(Type.String({ description: 'Where to push to, or where it is fetched from.' })),
    commit: Type.Optional(Type.String({ description: 'Commit in force.' })),
    commits: Type.Optional(Type.Array(ConfigCommit, { description: 'What became of the last commits, the newest first.' })),
    inventory: Type.Optional(Type.Array(ConfigItem, { description: 'What it owns.' })),
    drift: Type.Optional(Type.Array(ConfigDrift, { description: 'What differs from what is declared.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type ConfigRepoStatus = Type.Static<typeof ConfigRepoStatus>

/** What applying a tree of files would do. */
export interface ConfigPlan {
  commit?: string
  actions: (ConfigItem & { action: 'create' | 'change' | 'unchanged' | 'delete'; fields: string[] })[]
  errors: ConfigError[]
}
