import { DeploymentSpec, DeploymentStatus, EnvironmentSpec, EnvironmentStatus, ReleaseSpec, ReleaseStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

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
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: [{ name: 'Tier', type: 'string', description: 'How careful to be.', value: ({ spec }) => spec.tier }],
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
  immutable: { except: ['canceled', 'paused', 'resumedStep', 'promoted', 'notBefore', 'override'] },
  access: { developer: ['create', 'update', 'patch'] },
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Environment.', value: ({ spec }) => spec.environment },
    { name: 'Release', type: 'string', description: 'Release.', value: ({ spec }) => `v${spec.release}` },
    { name: 'Phase', type: 'string', description: 'How far the rollout is.', value: ({ status }) => status?.phase ?? 'Pending' },
    { name: 'Reason', type: 'string', description: 'Why.', value: ({ spec }) => spec.reason },
    { name: 'Message', type: 'string', description: 'What it is doing.', priority: 1, value: ({ status }) => status?.problem?.message ?? status?.message },
  ],
})
