/** Kinds for the tests of the kernel: the real App and Team, and small ones that show single rules. */
import {
  AppSpec,
  AppStatus,
  BuildSpec,
  BuildStatus,
  EnvironmentSpec,
  EnvironmentStatus,
  ReleaseSpec,
  ReleaseStatus,
  TeamSpec,
  TeamStatus,
  UserSpec,
  UserStatus,
} from '@pavior/contract'
import { defineKind, type KindDefinition } from '../../kind.ts'

const full = ['create', 'update', 'patch', 'delete'] as const

export const appKind = defineKind<AppSpec, AppStatus>({
  kind: 'App',
  plural: 'apps',
  scope: 'Namespaced',
  description: 'A workload: where it comes from, how it is built, which processes it runs.',
  spec: AppSpec,
  status: AppStatus,
  columns: [
    { name: 'Declared', type: 'string', description: 'What declared it.', value: ({ spec }) => spec.declaredBy },
    {
      name: 'Processes',
      type: 'integer',
      description: 'Number of processes.',
      value: ({ spec }) => Object.keys(spec.processes ?? {}).length,
    },
    { name: 'Description', type: 'string', priority: 1, description: 'What it does.', value: ({ spec }) => spec.description },
  ],
  indexes: ['spec.declaredBy'],
  maxNameLength: 40,
  nameForm: 'label',
  reservedNames: ['pavior'],
  access: { admin: [...full], developer: [...full] },
})

export const buildKind = defineKind<BuildSpec, BuildStatus>({
  kind: 'Build',
  plural: 'builds',
  scope: 'Namespaced',
  description: 'Turns a revision into an artifact.',
  spec: BuildSpec,
  status: BuildStatus,
  columns: [{ name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app }],
  indexes: ['spec.app'],
  immutable: { except: ['canceled'] },
  access: { admin: ['create', 'update', 'patch'], developer: ['create', 'update', 'patch'] },
})

const releaseKind = defineKind<ReleaseSpec, ReleaseStatus>({
  kind: 'Release',
  plural: 'releases',
  shortNames: ['rel'],
  scope: 'Namespaced',
  description: 'Artifact and configuration snapshot, numbered, immutable.',
  spec: ReleaseSpec,
  status: ReleaseStatus,
  columns: [{ name: 'Version', type: 'integer', description: 'Number.', value: ({ spec }) => spec.version }],
  immutable: { except: [] },
  access: {},
})

const environmentKind = defineKind<EnvironmentSpec, EnvironmentStatus>({
  kind: 'Environment',
  plural: 'environments',
  shortNames: ['env'],
  scope: 'Namespaced',
  description: 'Where releases of a team run.',
  spec: EnvironmentSpec,
  status: EnvironmentStatus,
  columns: [{ name: 'Tier', type: 'string', description: 'How careful to be.', value: ({ spec }) => spec.tier }],
  access: { admin: [...full] },
})

export const teamKind = defineKind<TeamSpec, TeamStatus>({
  kind: 'Team',
  plural: 'teams',
  scope: 'Cluster',
  description: 'A tenant: owns a namespace, members and apps.',
  spec: TeamSpec,
  status: TeamStatus,
  columns: [{ name: 'Members', type: 'integer', description: 'Number of members.', value: ({ spec }) => spec.members?.length ?? 0 }],
  maxNameLength: 40,
  nameForm: 'label',
  access: {},
  defaults: (spec) => ({ ...spec, defaultEnvironment: spec.defaultEnvironment ?? 'production' }),
})

export const userKind = defineKind<UserSpec, UserStatus>({
  kind: 'User',
  plural: 'users',
  scope: 'Cluster',
  description: 'A person or a machine that acts.',
  spec: UserSpec,
  status: UserStatus,
  columns: [],
  access: {},
})

export const kernelTestKinds: KindDefinition[] = [appKind, buildKind, releaseKind, environmentKind, teamKind, userKind]
