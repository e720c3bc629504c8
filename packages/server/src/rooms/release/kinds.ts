import { DeploymentSpec, DeploymentStatus, EnvironmentSpec, EnvironmentStatus, FreezeSpec, FreezeStatus, isTimeZone, ReleaseSpec, ReleaseStatus, type Cause, type Resource, type RolloutSettings } from '@pavior/contract'
import { defineKind, type KindDefinition } from '../../kernel/kind.ts'

function rolloutRules({ steps = [], testers, judge: { queries = [] } = {} }: RolloutSettings = {}): Cause[] {
  const rising = steps.every(({ weight }, index) => index === 0 || weight > steps[index - 1]!.weight)
  return [
    ...(rising ? [] : [{ field: 'spec.rollout.steps', message: 'The weights of the steps rise.' }]),
    ...(testers && (testers.header === undefined) === (testers.cookie === undefined) ? [{ field: 'spec.rollout.testers', message: 'Give a header or a cookie, one of them.' }] : []),
    ...queries.flatMap(({ name, max, min }, index) => (max === undefined && min === undefined ? [{ field: `spec.rollout.judge.queries[${index}]`, message: `Say which values of ${name} are fine: max, min or both.` }] : [])),
  ]
}

export const environment = defineKind<EnvironmentSpec, EnvironmentStatus>({
  kind: 'Environment',
  plural: 'environments',
  shortNames: ['env'],
  scope: 'Namespaced',
  description: 'Where releases of a team run.',
  spec: EnvironmentSpec,
  status: EnvironmentStatus,
  nameForm: 'label',
  maxNameLength: 20,
  validate: ({ spec, metadata }) => [
    ...(spec.after === metadata.name ? [{ field: 'spec.after', message: 'An environment does not come after itself.' }] : []),
    ...((spec.protection?.soakMinutes || spec.protection?.promoteOnly) && !spec.after ? [{ field: 'spec.after', message: 'Say which environment comes before this one.' }] : []),
    ...rolloutRules(spec.rollout),
  ],
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: [
    { name: 'Tier', type: 'string', description: 'How careful to be.', value: ({ spec }) => spec.tier },
    { name: 'Target', type: 'string', description: 'Where its instances run.', value: ({ spec }) => spec.target ?? 'local' },
  ],
})

const freezeRules = ({ spec }: Resource<FreezeSpec>): Cause[] => [
  ...(spec.weekly && !isTimeZone(spec.weekly.timeZone) ? [{ field: 'spec.weekly.timeZone', message: `"${spec.weekly.timeZone}" is no time zone; give one such as Europe/Berlin.` }] : []),
  ...(spec.weekly && spec.weekly.from === spec.weekly.to ? [{ field: 'spec.weekly.to', message: 'A window ends at another time than it begins.' }] : []),
  ...(spec.allows && !spec.weekly ? [{ field: 'spec.allows', message: 'A maintenance window needs weekly.' }] : []),
  ...(spec.from && spec.until && spec.from >= spec.until ? [{ field: 'spec.until', message: 'It ends before it begins.' }] : []),
]

const freezeColumns: KindDefinition<FreezeSpec>['columns'] = [
  { name: 'Reason', type: 'string', description: 'Why nothing may change.', value: ({ spec }) => spec.reason },
  { name: 'Holds', type: 'string', description: 'Environments or tiers that it holds.', value: ({ spec }) => [...(spec.environments ?? []), ...(spec.tiers ?? [])].join(', ') || 'all' },
  { name: 'From', type: 'string', description: 'When it begins.', value: ({ spec }) => spec.weekly ? `${spec.weekly.days.join(', ')} ${spec.weekly.from}` : spec.from },
  { name: 'Until', type: 'string', description: 'When it ends.', value: ({ spec }) => spec.weekly ? `${spec.weekly.to} ${spec.weekly.timeZone}` : spec.until },
]

/** Holds the deployments of one team. */
export const freeze = defineKind<FreezeSpec, FreezeStatus>({
  kind: 'Freeze',
  plural: 'freezes',
  scope: 'Namespaced',
  description: 'A time in which nothing of the team is deployed; rollbacks always are.',
  spec: FreezeSpec,
  status: FreezeStatus,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  validate: freezeRules,
  columns: freezeColumns,
})

/** Holds the deployments of every team. */
export const platformFreeze = defineKind<FreezeSpec, FreezeStatus>({
  kind: 'PlatformFreeze',
  plural: 'platformfreezes',
  scope: 'Cluster',
  description: 'A time in which nothing of any team is deployed; rollbacks always are.',
  spec: FreezeSpec,
  status: FreezeStatus,
  access: {},
  validate: freezeRules,
  columns: freezeColumns,
})

export const release = defineKind<ReleaseSpec, ReleaseStatus>({
  kind: 'Release',
  plural: 'releases',
  scope: 'Namespaced',
  description: 'Artifact and configuration snapshot, numbered per app, immutable.',
  spec: ReleaseSpec,
  status: ReleaseStatus,
  indexes: ['spec.app', 'spec.build'],
  immutable: { except: [] },
  access: {},
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Version', type: 'string', description: 'Number of the release.', value: ({ spec }) => `v${spec.version}` },
    { name: 'Artifact', type: 'string', description: 'What runs.', value: ({ spec }) => spec.artifact.slice(0, 19) },
    { name: 'Reason', type: 'string', description: 'Why it was made.', value: ({ spec }) => spec.reason },
    { name: 'Commit', type: 'string', description: 'Git commit.', priority: 1, value: ({ spec }) => spec.revision?.commit?.slice(0, 12) },
  ],
})

export const deployment = defineKind<DeploymentSpec, DeploymentStatus>({
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  scope: 'Namespaced',
  description: 'One act of putting a release into an environment; its status is the rollout.',
  spec: DeploymentSpec,
  status: DeploymentStatus,
  indexes: ['spec.app', 'spec.environment', 'status.phase'],
  validate: ({ spec }) => rolloutRules(spec.rollout),
  immutable: { except: ['canceled', 'paused', 'resumedStep', 'promoted', 'notBefore', 'override'] },
  access: { developer: ['create', 'update', 'patch', 'approve'], admin: ['override'] },
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Environment.', value: ({ spec }) => spec.environment },
    { name: 'Release', type: 'string', description: 'Release.', value: ({ spec }) => `v${spec.release}` },
    { name: 'Phase', type: 'string', description: 'How far the rollout is.', value: ({ status }) => status?.phase ?? 'Pending' },
    { name: 'Reason', type: 'string', description: 'Why.', value: ({ spec }) => spec.reason },
    { name: 'Message', type: 'string', description: 'What it is doing.', priority: 1, value: ({ status }) => status?.problem?.message ?? status?.message },
  ],
})
