/** What a person wants to know first: is it fine, what needs me, what changed, what next. */
import { Group, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useApprovals } from '../../frame/approvals.ts'
import { useCollection, useNewest } from '../../frame/collections.ts'
import { useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { percentText, shortNumber } from '../../pieces/number-text.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Timeline, type TimelineEntry } from '../../pieces/timeline.tsx'
import { buildEntry, deploymentEntry, inOrder } from '../../pieces/deployment-entry.tsx'
import { FirstSteps } from './first-steps.tsx'
import { wentWrong } from '../../frame/phases.ts'
import { healthOf, urgency, type App } from '../../frame/app-health.ts'
import { appPath, totalsMinutes, useTotals, type AppTotals, type Build, type Deployment } from '../../frame/apps.ts'

const recentChanges = 10

export default function Home() {
  const team = useTeam()
  const { user } = useSession()
  const { items: apps, loading } = useCollection<App>('apps', { team })
  const deployments = useNewest(useCollection<Deployment>('deployments', { team }).items)
  const { items: builds } = useCollection<Build>('builds', { team })
  const totals = useTotals()
  return (
    <>
      <PageHeader title={`Hello ${user}`} text={team === undefined ? 'All your teams.' : `Team ${team}.`} />
      {loading ? <RowsSkeleton /> : apps.length > 0 && <Stats stats={statsOf(apps, deployments, totals)} />}
      <FirstSteps apps={apps} deployments={deployments} loading={loading} />
      {!loading && <NeedsMe apps={apps} builds={builds} team={team} />}
      <Changes deployments={deployments} builds={builds} loading={loading} />
    </>
  )
}

function statsOf(apps: App[], deployments: Deployment[], totals: AppTotals[] | undefined): Stat[] {
  const bad = apps.filter((app) => ['bad', 'warn'].includes(healthOf(app).tone)).length
  const known = new Set(apps.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  const own = totals?.filter(({ team, app }) => known.has(`${team}/${app}`))
  const requests = own?.reduce((sum, each) => sum + each.requests, 0)
  const errors = own?.reduce((sum, each) => sum + each.errors, 0)
  const dayAgo = new Date(Date.now() - 24 * 3600_000).toISOString()
  const today = deployments.filter(({ metadata }) => metadata.creationTimestamp > dayAgo)
  const failed = today.filter(({ status }) => wentWrong(status?.phase)).length
  return [
    { label: 'Apps', value: <GoLink to="/apps" c="inherit">{apps.length}</GoLink>, hint: bad === 0 ? 'all are fine' : `${bad} ${bad === 1 ? 'needs' : 'need'} a look`, ...(bad > 0 ? { tone: 'bad' as const } : {}) },
    { label: 'Requests', value: requests !== undefined && shortNumber(requests), hint: `in the last ${totalsMinutes} minutes` },
    { label: 'Errors', value: requests !== undefined && percentText(errors ?? 0, requests), hint: 'of requests' },
    { label: 'Deployments', value: today.length, hint: failed === 0 ? 'within a day' : `within a day, ${failed} failed` },
  ]
}

/** What waits for this person's approval, apps that are not fine, and builds that failed since the app was last deployed. */
function NeedsMe({ apps, builds, team }: { apps: App[]; builds: Build[]; team: string | undefined }) {
  const { waiting } = useApprovals(useSession(), team)
  const entries = useMemo(() => {
    const unwell = apps.map((app) => ({ app, health: healthOf(app) })).filter(({ health }) => health.tone === 'bad' || health.tone === 'warn')
    return unwell
      .toSorted((one, other) => urgency(one.health) - urgency(other.health))
      .map(({ app: { metadata, status }, health }) => {
        const place = { team: metadata.namespace!, app: metadata.name }
        const problem = status?.problem
        return {
          key: metadata.uid,
          word: health.word,
          tone: health.tone,
          at: status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime,
          title: <GoLink to={appPath(place)} fw={600}>{metadata.name}</GoLink>,
          text: problem ? `${problem.message} ${problem.fix}` : health.message,
        }
      })
  }, [apps])
  const failed = builds.filter((build) => build.status?.phase === 'Failed' && isNewest(build, builds)).map((build) => buildEntry({ team: build.metadata.namespace!, app: build.spec.app }, build))
  const approvals = waiting.filter(({ may }) => may).map(({ deployment }) => approvalEntry(deployment))
  if (apps.length === 0) return null
  return (
    <Section title="What needs you">
      {approvals.length + entries.length + failed.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing. Every app has its instances, and the last deployments went well.
        </Text>
      ) : (
        <Timeline label="What needs you" entries={[...approvals, ...entries, ...failed]} />
      )}
    </Section>
  )
}

function approvalEntry({ metadata, spec }: Deployment): TimelineEntry {
  return {
    key: metadata.uid,
    word: 'Approval',
    tone: 'warn',
    at: metadata.creationTimestamp,
    title: (
      <GoLink to={appPath({ team: metadata.namespace!, app: spec.app }, 'deployments', metadata.name)} fw={600}>
        {spec.app} v{spec.release} to {spec.environment}
      </GoLink>
    ),
    text: `It waits until somebody who did not make the change agrees. ${spec.reason ?? ''}`,
  }
}

function isNewest({ metadata, spec }: Build, builds: Build[]): boolean {
  return !builds.some((other) => other.spec.app === spec.app && other.metadata.namespace === metadata.namespace && other.metadata.creationTimestamp > metadata.creationTimestamp)
}

function Changes({ deployments, builds, loading }: { deployments: Deployment[]; builds: Build[]; loading: boolean }) {
  const entries = useMemo(() => {
    const own = deployments.slice(0, recentChanges).map((each) => {
      const place = { team: each.metadata.namespace!, app: each.spec.app }
      const entry = deploymentEntry(place, each, new Map(), false)
      const title = (
        <Group gap={6}>
          <GoLink to={appPath(place)} c="inherit">{each.spec.app}</GoLink>
          <span>
            <GoLink to={appPath(place, 'deployments', each.metadata.name)} fw={600}>v{each.spec.release}</GoLink> to {each.spec.environment}
          </span>
        </Group>
      )
      return { ...entry, title, text: <>{each.spec.reason}{each.status?.finishedAt ? ' · ' : ' '}{entry.text}</> }
    })
    const going = builds.filter(({ status }) => status?.phase === 'Queued' || status?.phase === 'Building').map((each) => buildEntry({ team: each.metadata.namespace!, app: each.spec.app }, each))
    return inOrder([...going, ...own])
  }, [deployments, builds])
  return (
    <Section title="Recent changes">
      {loading ? <RowsSkeleton count={4} /> : entries.length === 0 ? <EmptyState title="Nothing has changed yet." text="Deployments of your teams appear here as they happen." /> : <Timeline label="Recent changes" entries={entries} />}
    </Section>
  )
}
