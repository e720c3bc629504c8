/** Every app that one may see: is it fine, where it answers, how busy it is, when it last changed. */
import { Anchor, Text } from '@mantine/core'
import { IconApps } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { percentText, shortNumber } from '../../pieces/number-text.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { healthOf, urgency, urlOf, type App, type Health } from '../../frame/app-health.ts'
import { appPath, totalsMinutes, useTotals, type AppTotals, type Deployment } from '../../frame/apps.ts'

interface Row {
  app: App
  health: Health
  url: string | undefined
  release: string
  lastDeploy: Deployment | undefined
  requestsPerSecond: number
  requests: number
  errors: number
}

const columns: Column<Row>[] = [
  { key: 'app', label: 'App', value: ({ app }) => app.metadata.name, show: ({ app }) => <Text span inherit fw={600}>{app.metadata.name}</Text> },
  { key: 'health', label: 'Health', width: '140px', value: ({ health }) => `${urgency(health)} ${health.word}`, show: ({ health }) => <Status word={health.word} tone={health.tone} /> },
  { key: 'team', label: 'Team', width: '120px', hideBelow: 'md', value: ({ app }) => app.metadata.namespace, show: ({ app }) => <GoLink to={`/teams/${app.metadata.namespace}`} c="inherit">{app.metadata.namespace}</GoLink> },
  { key: 'release', label: 'Release', width: '90px', hideBelow: 'sm', value: ({ release }) => release },
  { key: 'requests', label: 'Requests', width: '110px', align: 'right', hideBelow: 'sm', value: ({ requestsPerSecond }) => requestsPerSecond, show: ({ requests, requestsPerSecond }) => (requests === 0 ? '–' : <span title={`${requests} in the last ${totalsMinutes} minutes`}>{shortNumber(requestsPerSecond)}/s</span>) },
  { key: 'errors', label: 'Errors', width: '90px', align: 'right', hideBelow: 'sm', value: ({ requests, errors }) => (requests === 0 ? undefined : errors / requests), show: ({ requests, errors }) => <Text span inherit c={errors > 0 ? 'var(--tone-bad)' : undefined}>{percentText(errors, requests)}</Text> },
  { key: 'deployed', label: 'Last deploy', width: '120px', hideBelow: 'xs', value: ({ lastDeploy }) => lastDeploy?.metadata.creationTimestamp, show: ({ lastDeploy }) => <Ago at={lastDeploy?.metadata.creationTimestamp} /> },
  { key: 'url', label: 'Address', hideBelow: 'lg', value: ({ url }) => url, show: ({ url }) => url && <Anchor inherit href={url} target="_blank" rel="noopener">{url.replace(/^https?:\/\//, '')}</Anchor> },
]

export default function Apps() {
  const team = useTeam()
  const { rows, loading } = useRows(team)
  return (
    <>
      <PageHeader title="Apps" text={team === undefined ? 'Of all your teams.' : `Of team ${team}.`} />
      <DataTable label="apps" rows={rows} columns={columns} rowKey={({ app }) => app.metadata.uid} href={({ app }) => appPath({ team: app.metadata.namespace!, app: app.metadata.name })} initialSort={{ key: 'health', descending: false }} loading={loading} empty={<NoApps team={team} />} />
    </>
  )
}

function useRows(team: string | undefined): { rows: Row[]; loading: boolean } {
  const { items: apps, loading } = useCollection<App>('apps', { team })
  const { items: deployments } = useCollection<Deployment>('deployments', { team })
  const totals = useTotals()
  const rows = useMemo(() => {
    const newest = newestByApp(deployments)
    const busy = totalsByApp(totals ?? [])
    return apps.map((app) => {
      const key = `${app.metadata.namespace}/${app.metadata.name}`
      const { requests, errors } = busy.get(key) ?? { requests: 0, errors: 0 }
      const releases = Object.values(app.status?.environments ?? {}).flatMap(({ release, preview }) => (release === undefined || preview ? [] : [`v${release}`]))
      return { app, health: healthOf(app), url: urlOf(app), release: releases.join(' '), lastDeploy: newest.get(key), requestsPerSecond: requests / (totalsMinutes * 60), requests, errors }
    })
  }, [apps, deployments, totals])
  return { rows, loading }
}

function newestByApp(deployments: Deployment[]): Map<string, Deployment> {
  const newest = new Map<string, Deployment>()
  for (const deployment of deployments) {
    const key = `${deployment.metadata.namespace}/${deployment.spec.app}`
    const known = newest.get(key)
    if (!known || known.metadata.creationTimestamp < deployment.metadata.creationTimestamp) newest.set(key, deployment)
  }
  return newest
}

function totalsByApp(totals: AppTotals[]): Map<string, { requests: number; errors: number }> {
  const sums = new Map<string, { requests: number; errors: number }>()
  for (const { team, app, requests, errors } of totals) {
    const known = sums.get(`${team}/${app}`) ?? { requests: 0, errors: 0 }
    sums.set(`${team}/${app}`, { requests: known.requests + requests, errors: known.errors + errors })
  }
  return sums
}

function NoApps({ team }: { team: string | undefined }) {
  return (
    <EmptyState
      icon={IconApps}
      title="No apps yet"
      text="An app comes into being with its first deploy. Sign the command line in once, with a token of the page Tokens, then deploy a directory; this page shows it at once."
      commands={[`pavior login ${location.origin} --token …`, `cd your-app && pavior deploy${team === undefined || team === 'default' ? '' : ` --team ${team}`}`]}
    />
  )
}
