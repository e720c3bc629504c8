/** Is it fine, what changed, what to do: the first tab of an app. */
import type { Traffic } from '@pavior/contract'
import { Group, Text } from '@mantine/core'
import { useMemo } from 'react'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { percentText, scaleText, shortNumber } from '../../pieces/number-text.ts'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { TimeRangePicker, useTimeRange } from '../../pieces/time-range.tsx'
import { TimeSeries, type Marker } from '../../pieces/time-series.tsx'
import { deploymentMarkers, incidentMarkers, inTime } from '../../pieces/change-markers.ts'
import { Timeline, type TimelineEntry } from '../../pieces/timeline.tsx'
import { buildEntry, deploymentEntry, inOrder, releasesByVersion } from '../../pieces/deployment-entry.tsx'
import { wentWrong } from '../../frame/phases.ts'
import { urlOf, type App } from '../../frame/app-health.ts'
import { appPath, useApp, useAppPlace, useDeployments, useEnvironment, useInstanceSets, useReleases, useUnreleasedBuilds, type AppPlace, type Deployment, type InstanceSet } from '../../frame/apps.ts'
import { useTraffic } from '../../frame/traffic.ts'
import { leftText, sloPath, useSlosOf, type Slo } from '../reliability/reads.ts'
import { incidentPath, severityOf, sinceOf, spanText, useIncidentsOf, type Incident } from '../incidents/reads.ts'
import { OpenIncidents } from './open-incidents.tsx'

const shownDeployments = 5
const shownChanges = 6
/** More than one request in a hundred that fails is bad. */
const tolerableErrors = 0.01

export default function Overview() {
  const place = useAppPlace()
  const { environment } = useEnvironment(place)
  const range = useTimeRange()
  const { resource: app } = useApp(place)
  const { items: deployments, loading } = useDeployments(place, environment)
  const { items: sets } = useInstanceSets(place, environment)
  const traffic = useTraffic(place, environment, range)
  const slos = useSlosOf(place, environment)
  const incidents = useIncidentsOf(place, environment)
  const markers = useMemo(() => inTime([...deploymentMarkers(deployments), ...incidentMarkers(incidents, (traffic?.times.at(-1) ?? 0) + (traffic?.stepSeconds ?? 0))]), [deployments, incidents, traffic])
  if (!app) return <RowsSkeleton />
  if (!loading && deployments.length === 0) return <NeverDeployed {...place} />
  return (
    <>
      <OpenIncidents place={place} environment={environment} />
      <Trouble app={app} environment={environment} deployment={deployments[0]} sets={sets} place={place} />
      <Stats stats={[...statsOf(app, environment, sets, traffic), ...budgetOf(slos)]} />
      <Section
        title="Traffic"
        actions={
          <Group gap="md">
            <GoLink size="sm" to="/explore/metrics" search={{ q: `sum by (release, code) (rate(pavior_http_requests_total{app="${place.app}",environment="${environment}"}[5m]))`, team: place.team }}>
              Explore
            </GoLink>
            <GoLink size="sm" to={`/dashboards/${encodeURIComponent(place.team)}/debug`} search={{ 'var-app': place.app, 'var-environment': environment }}>
              Debug
            </GoLink>
            <TimeRangePicker />
          </Group>
        }
      >
        <Charts traffic={traffic} markers={markers} zoom={range.zoom} url={urlOf(app, environment)} />
      </Section>
      <Recent place={place} deployments={deployments} incidents={incidents} loading={loading} />
    </>
  )
}

/** What to do, when there is something. */
function Trouble({ app, environment, deployment, sets, place }: { app: App; environment: string; deployment: Deployment | undefined; sets: InstanceSet[]; place: AppPlace }) {
  const failed = wentWrong(deployment?.status?.phase) ? deployment : undefined
  const problem = failed?.status?.problem ?? sets.find(({ status }) => status?.problem)?.status?.problem ?? app.status?.problem ?? app.status?.environments?.[environment]?.refused
  if (!problem) return null
  return (
    <div style={{ marginBottom: 16 }}>
      <ProblemState problem={problem} />
      <Group gap="md" mt={6}>
        {failed && (
          <GoLink size="sm" to={appPath(place, 'deployments', failed.metadata.name)}>
            {failed.status?.phase === 'RolledBack' ? 'The deployment that was taken back' : 'The deployment that failed'}
          </GoLink>
        )}
        <GoLink size="sm" to={appPath(place, 'logs')} search={{ level: 'warn' }}>
          Warnings and errors in its log
        </GoLink>
      </Group>
    </div>
  )
}

function statsOf(app: App, environment: string, sets: InstanceSet[], traffic: Traffic | undefined): Stat[] {
  const wanted = sets.reduce((sum, { spec }) => sum + spec.replicas, 0)
  const ready = sets.reduce((sum, { status }) => sum + (status?.ready ?? 0), 0)
  const totals = traffic?.totals
  const errors = totals && totals.requests > 0 ? totals.errors / totals.requests : 0
  const release = app.status?.environments?.[environment]?.release
  return [
    { label: 'Instances', value: `${ready} of ${wanted}`, hint: ready >= wanted ? 'healthy' : 'healthy; more are wanted', ...(ready < wanted ? { tone: 'bad' as const } : {}) },
    { label: 'Requests', value: totals && shortNumber(totals.requests), hint: traffic && `${scaleText(latestOf(traffic), '/s')} lately` },
    { label: 'Errors', value: totals && percentText(totals.errors, totals.requests), hint: totals && (totals.requests === 0 ? 'of requests' : `${totals.errors} ${totals.errors === 1 ? 'answer' : 'answers'} of 5xx`), ...(errors > tolerableErrors ? { tone: 'bad' as const } : {}) },
    { label: '95 of 100 within', value: totals && scaleText(totals.p95Ms, 'ms'), hint: totals && (totals.requests === 0 ? 'of requests' : `half within ${scaleText(totals.p50Ms, 'ms')}`) },
    { label: 'Release', value: release === undefined ? '–' : `v${release}`, hint: release === undefined ? 'nothing serves' : `serves in ${environment}` },
  ]
}

/** What is left of the budget that is worst off. */
function budgetOf([worst]: Slo[]): Stat[] {
  if (!worst) return []
  const gone = (worst.status?.budget?.remaining ?? 1) <= 0
  const hint = (
    <GoLink size="xs" to={sloPath(worst)}>
      {worst.metadata.name}
      {worst.spec.draft ? ', a draft' : ''}
    </GoLink>
  )
  return [{ label: 'Error budget', value: leftText(worst.status?.budget?.remaining), hint, ...(gone ? { tone: 'bad' as const } : {}) }]
}

/** The last step is still being counted. */
function latestOf({ all }: Traffic): number {
  return all.requestsPerSecond.at(-2) ?? all.requestsPerSecond.at(-1) ?? 0
}

interface ChartsProps {
  traffic: Traffic | undefined
  markers: Marker[]
  zoom: (from: number, until: number) => void
  url: string | undefined
}

function Charts({ traffic, markers, zoom, url }: ChartsProps) {
  const lines = useMemo(
    () =>
      traffic && {
        requests: [
          { label: 'requests', values: traffic.all.requestsPerSecond, fill: true },
          { label: 'errors', values: traffic.all.errorsPerSecond, colour: 1 },
        ],
        durations: [
          { label: 'p50', values: traffic.all.p50Ms, colour: 2 },
          { label: 'p95', values: traffic.all.p95Ms, colour: 0 },
          { label: 'p99', values: traffic.all.p99Ms, colour: 1 },
        ],
      },
    [traffic],
  )
  if (!traffic || !lines) return <RowsSkeleton />
  const shared = { times: traffic.times, markers, sync: 'app', onZoom: zoom }
  return (
    <>
      {traffic.totals.requests === 0 && (
        <Group gap="xs" mb="xs">
          <Text size="sm" c="dimmed">
            No requests in this time.
          </Text>
          {url && <CopyCommand command={`curl ${url}`} />}
        </Group>
      )}
      <TimeSeries {...shared} title="Requests a second" lines={lines.requests} unit="/s" />
      <TimeSeries {...shared} title="Time to answer" lines={lines.durations} unit="ms" />
    </>
  )
}

function Recent({ place, deployments, incidents, loading }: { place: AppPlace; deployments: Deployment[]; incidents: Incident[]; loading: boolean }) {
  const { items } = useReleases(place)
  const releases = useMemo(() => releasesByVersion(items), [items])
  const builds = useUnreleasedBuilds(place)
  const entries = inOrder([...deployments.slice(0, shownDeployments).map((each) => deploymentEntry(place, each, releases, false)), ...builds.map((each) => buildEntry(place, each)), ...incidents.map(incidentEntry)]).slice(0, shownChanges)
  const all = (
    <GoLink size="sm" to={appPath(place, 'deployments')}>
      All deployments
    </GoLink>
  )
  return (
    <Section title="What changed" actions={all}>
      {loading ? <RowsSkeleton count={3} /> : <Timeline label="Latest deployments and incidents" entries={entries} />}
    </Section>
  )
}

function incidentEntry(incident: Incident): TimelineEntry {
  const { metadata, spec, status } = incident
  const restored = status?.seconds?.restore
  return {
    key: metadata.uid,
    ...severityOf(incident),
    at: sinceOf(incident),
    title: (
      <>
        <GoLink to={incidentPath(incident)} fw={600}>
          {metadata.name}
        </GoLink>{' '}
        {spec.title}
      </>
    ),
    text: restored === undefined ? 'Users are not known to be well again.' : `Users were well again after ${spanText(restored)}.`,
  }
}

/** Its builds are shown all the same: the first one may be on its way, or have failed. */
function NeverDeployed({ team, app }: AppPlace) {
  const builds = useUnreleasedBuilds({ team, app })
  const newest = inOrder(builds.map((each) => buildEntry({ team, app }, each)))
  const problem = builds.toSorted((one, other) => other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp))[0]?.status?.problem
  if (newest.length > 0) {
    return (
      <>
        {problem && <ProblemState problem={problem} />}
        <Section title="Builds">
          <Timeline label="Builds" entries={newest} />
        </Section>
      </>
    )
  }
  return <EmptyState title={`${app} has not been deployed here yet.`} text="Deploy it from its directory; this page follows." commands={[`pavior deploy --app ${app} --team ${team}`]} />
}
