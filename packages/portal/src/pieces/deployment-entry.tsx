/** A deployment as one line of a timeline. */
import { Text } from '@mantine/core'
import { GoLink } from './go-link.tsx'
import type { TimelineEntry } from './timeline.tsx'
import { durationText } from './time-text.ts'
import { appPath, type AppPlace, type Build, type Deployment, type Release } from '../frame/apps.ts'

export function deploymentEntry(place: AppPlace, { metadata, spec, status }: Deployment, releases: Map<number, Release>, severalEnvironments: boolean): TimelineEntry {
  const revision = releases.get(spec.release)?.spec.revision
  const phase = status?.phase ?? 'Pending'
  const took = status?.startedAt && status.finishedAt ? durationText(Date.parse(status.finishedAt) - Date.parse(status.startedAt)) : undefined
  const details = [revision?.message, revision?.commit?.slice(0, 7), revision?.author, severalEnvironments ? spec.environment : undefined, took && `took ${took}`].filter(Boolean)
  return {
    key: metadata.uid,
    word: phase,
    at: metadata.creationTimestamp,
    title: (
      <>
        <GoLink to={appPath(place, 'deployments', metadata.name)} fw={600}>
          v{spec.release}
        </GoLink>{' '}
        {spec.reason}
      </>
    ),
    text: (
      <>
        {details.join(' · ')}
        {status?.problem && (
          <Text size="sm" c="var(--tone-bad)">
            {status.problem.message}
          </Text>
        )}
      </>
    ),
  }
}

/** A build that did not become a deployment. */
export function buildEntry(place: AppPlace, { metadata, spec, status }: Build): TimelineEntry {
  const { revision } = spec
  return {
    key: metadata.uid,
    word: status?.phase ?? 'Queued',
    at: metadata.creationTimestamp,
    title: (
      <>
        <GoLink to={appPath(place, 'builds', metadata.name)} fw={600}>
          {metadata.name}
        </GoLink>{' '}
        {spec.environment === undefined ? 'build only' : revision.type === 'git' ? 'push' : revision.type}
      </>
    ),
    text: (
      <>
        {[revision.message, revision.commit?.slice(0, 7), revision.author].filter(Boolean).join(' · ')}
        {status?.problem && (
          <Text size="sm" c="var(--tone-bad)">
            {status.problem.message}
          </Text>
        )}
      </>
    ),
  }
}

/** The newest first; both are given in that order or in none. */
export function inOrder(entries: TimelineEntry[]): TimelineEntry[] {
  return entries.toSorted((one, other) => (other.at ?? '').localeCompare(one.at ?? ''))
}

export function releasesByVersion(releases: Release[]): Map<number, Release> {
  return new Map(releases.map((release) => [release.spec.version, release]))
}
