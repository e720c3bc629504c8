/** What pages about one app read; other rooms' tabs of an app stand on it too. */
import type { BuildSpec, BuildStatus, DeploymentSpec, DeploymentStatus, InstanceSetSpec, InstanceSetStatus, ReleaseSpec, Resource, TeamSpec } from '@pavior/contract'
import { useParams } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useCollection, useNewest, useResource, type One, type Snapshot } from './collections.ts'
import { useLatest } from './latest.ts'
import { useSearchParam } from './search-params.ts'
import { lastingEnvironments, shownEnvironment, type App } from './app-health.ts'

export type { App } from './app-health.ts'
export type Deployment = Resource<DeploymentSpec, DeploymentStatus>
export type Build = Resource<BuildSpec, BuildStatus>
export type Release = Resource<ReleaseSpec>
export type InstanceSet = Resource<InstanceSetSpec, InstanceSetStatus>

export interface AppPlace {
  team: string
  app: string
}

/** From the path: /apps/$team/$app. */
export function useAppPlace(): AppPlace {
  const { team = '', app = '' } = useParams({ strict: false })
  return { team, app }
}

export function appPath({ team, app }: AppPlace, ...rest: string[]): string {
  return ['/apps', ...[team, app, ...rest].map(encodeURIComponent)].join('/')
}

/** Of the API: `/v1/teams/{team}/apps/{app}/…`. */
export function appApi({ team, app }: AppPlace, rest: string): string {
  return `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/${rest}`
}

export function useApp({ team, app }: AppPlace): One<App> {
  return useResource<App>('apps', team, app)
}

/** The environment that the page shows, and how to show another. */
export function useEnvironment({ team, app }: AppPlace): { environment: string; environments: string[]; choose: (environment: string) => void } {
  const [asked, set] = useSearchParam('environment')
  const { resource } = useApp({ team, app })
  const { resource: owner } = useResource<Resource<TeamSpec>>('teams', undefined, team)
  const environment = shownEnvironment(resource, asked, owner?.spec.defaultEnvironment ?? 'production')
  const environments = useMemo(() => [...new Set([environment, ...lastingEnvironments(resource)])].toSorted(), [environment, resource])
  return { environment, environments, choose: (next) => set(next) }
}

/** Newest first; of one environment or of all. */
export function useDeployments({ team, app }: AppPlace, environment?: string): Snapshot<Deployment> {
  const all = useCollection<Deployment>('deployments', { team, fieldSelector: `spec.app=${app}` })
  const newest = useNewest(all.items)
  const items = useMemo(() => (environment === undefined ? newest : newest.filter(({ spec }) => spec.environment === environment)), [newest, environment])
  return { ...all, items }
}

/** Builds of the app that did not become a deployment: on their way, failed or canceled. */
export function useUnreleasedBuilds({ team, app }: AppPlace): Build[] {
  const { items } = useCollection<Build>('builds', { team, fieldSelector: `spec.app=${app}` })
  return useMemo(() => items.filter(({ status }) => status?.phase !== 'Succeeded'), [items])
}

export function useReleases({ team, app }: AppPlace): Snapshot<Release> {
  return useCollection<Release>('releases', { team, fieldSelector: `spec.app=${app}` })
}

/** Those of the environment that are not on their way out. */
export function useInstanceSets({ team, app }: AppPlace, environment: string): Snapshot<InstanceSet> {
  const all = useCollection<InstanceSet>('instancesets', { team, fieldSelector: `spec.app=${app}` })
  const items = useMemo(() => all.items.filter(({ spec, metadata }) => spec.environment === environment && !metadata.deletionTimestamp), [all.items, environment])
  return { ...all, items }
}

export interface AppTotals {
  team: string
  app: string
  environment: string
  requests: number
  errors: number
}

export const totalsMinutes = 60

/** Requests and errors of the last hour, of every app that had any. */
export function useTotals(): AppTotals[] | undefined {
  return useLatest<{ items: AppTotals[] }>(`/v1/traffic?follow=1&minutes=${totalsMinutes}`).value?.items
}
