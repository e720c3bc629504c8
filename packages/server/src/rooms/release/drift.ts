/** What differs between what is declared and what runs. Pure; values of variables are never told. */
import { isDeepStrictEqual } from 'node:util'
import type { AppSpec, ConfigDrift, Difference, EnvironmentSpec, InstanceSetSpec, InstanceStatus, ReleaseSpec, RouteSpec } from '@pavior/contract'
import type { InstanceSet, Route } from './context.ts'
import type { WantedRoute } from './hosts.ts'
import { previewSpecOf } from './previews/plan.ts'
import { sleepAfterMsOf } from './previews/sleep.ts'
import { configDigest, wantedSets, webProcess } from './snapshot.ts'

export interface DriftInput {
  team: string
  app: string
  environment: string
  spec: AppSpec
  declared: EnvironmentSpec | undefined
  /** Release that serves. */
  release: ReleaseSpec
  /** Digest of what the App asked for when its newest deployment was made. */
  configAtDeployment: string | undefined
  preview: boolean
  /** Name of the set of a process of the deployment that serves. */
  setName: (process: string) => string
  sets: InstanceSet[]
  routes: Route[]
  /** Names of routes by what they are to be. */
  wanted: { name: string; route: WantedRoute }[]
  instances: InstanceStatus[]
}

export function driftOf(input: DriftInput): Difference[] {
  return [...configuration(input), ...sets(input), ...instances(input), ...routes(input)]
}

function configuration({ spec, environment, configAtDeployment, preview }: DriftInput): Difference[] {
  if (preview || configAtDeployment === undefined || configAtDeployment === configDigest(spec, environment)) return []
  return [{ what: 'release', name: 'configuration', field: 'config', declared: 'changed', running: 'as it was at the last deployment' }]
}

const text = (value: unknown): string => (value === undefined ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value))

function sets(input: DriftInput): Difference[] {
  const { team, app, environment, spec, release, declared } = input
  const settings = input.preview ? previewSpecOf(spec, {}) : spec
  const wanted = wantedSets({ team, app, environment, release, scale: settings.scale?.[environment] ?? {}, restartToken: settings.restart?.[environment], sleepAfterMs: sleepAfterMsOf(declared) })
  const found = new Map(input.sets.map((set) => [set.metadata.name, set]))
  const names = new Set(wanted.map(({ process }) => input.setName(process)))
  return [
    ...wanted.flatMap(({ process, spec: one }) => {
      const set = found.get(input.setName(process))
      if (!set) return [{ what: 'set' as const, name: process, field: 'instances', declared: `${one.replicas} of v${release.version}`, running: 'none' }]
      // Replicas may be the manifest's, which changes them without a release.
      const replicas = settings.processes?.[process]?.replicas
      return settingsOf(process, replicas === undefined || settings.scale?.[environment]?.[process] !== undefined ? one : { ...one, replicas }, set.spec)
    }),
    ...input.sets.filter(({ metadata }) => !names.has(metadata.name)).map(({ spec: one }) => ({ what: 'set' as const, name: one.process, field: 'instances', declared: 'none', running: `${one.replicas} of v${one.release}` })),
  ]
}

function settingsOf(process: string, declared: InstanceSetSpec, running: InstanceSetSpec): Difference[] {
  const { env: wantedEnv, ...wanted } = declared
  const { env, ...spec } = running
  const plain = [...new Set([...Object.keys(wanted), ...Object.keys(spec)])] as (keyof typeof wanted)[]
  const variables = [...new Set([...Object.keys(wantedEnv), ...Object.keys(env)])].toSorted()
  const state = (value: string | undefined): string => (value === undefined ? 'not set' : '…')
  return [
    ...plain.filter((field) => !isDeepStrictEqual(wanted[field], spec[field])).map((field) => ({ what: 'set' as const, name: process, field, declared: text(wanted[field]), running: text(spec[field]) })),
    ...variables.filter((name) => wantedEnv[name] !== env[name]).map((name) => ({ what: 'set' as const, name: process, field: `env.${name}`, declared: state(wantedEnv[name]), running: state(env[name]) })),
  ]
}

function instances({ sets: all, instances: running }: DriftInput): Difference[] {
  return all.flatMap(({ metadata, spec }) => {
    const healthy = running.filter(({ set, state }) => set === metadata.uid && state === 'healthy').length
    return healthy === spec.replicas ? [] : [{ what: 'instances' as const, name: spec.process, field: 'healthy', declared: String(spec.replicas), running: String(healthy) }]
  })
}

function routes({ wanted, routes: found, release, setName }: DriftInput): Difference[] {
  if (!release.processes[webProcess]) return []
  const weights = (backends: RouteSpec['backends']): string => backends.map(({ instanceSet, weight }) => `${instanceSet} ${weight} %`).join(', ') || 'nowhere'
  const backends = weights([{ instanceSet: setName(webProcess), weight: 100 }])
  return wanted.flatMap(({ name, route }) => {
    const one = found.find(({ metadata }) => metadata.name === name)
    if (!one) return [{ what: 'route' as const, name, field: 'hosts', declared: route.hosts.join(', '), running: 'none' }]
    return [
      ...(one.spec.hosts.join() === route.hosts.join() ? [] : [{ what: 'route' as const, name, field: 'hosts', declared: route.hosts.join(', '), running: one.spec.hosts.join(', ') }]),
      ...(weights(one.spec.backends) === backends ? [] : [{ what: 'route' as const, name, field: 'weights', declared: backends, running: weights(one.spec.backends) }]),
      ...(one.status?.observedGeneration === one.metadata.generation ? [] : [{ what: 'route' as const, name, field: 'router', declared: 'the newest table', running: 'an older one' }]),
    ]
  })
}

/** What a repository declares of the App, and is not so. */
export function repositoryDrift(repository: string, drift: ConfigDrift[], app: string): Difference[] {
  return drift.filter(({ kind, name }) => kind === 'App' && name === app).flatMap(({ fields, file }) => fields.map((field) => ({ what: 'repository' as const, name: `${repository}: ${file}`, field, declared: '…', running: '…' })))
}
