/** The installation itself, for its administrators: processes, queue, builds, storage, versions, settings. */
import type { HostCapabilities } from '@pavior/contract'
import { Code, Table, Text } from '@mantine/core'
import { useCollection } from '../../frame/collections.ts'
import { useLatest } from '../../frame/latest.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { bytesText } from '../../pieces/number-text.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import { durationText } from '../../pieces/time-text.ts'
import { inOrder, buildEntry } from '../../pieces/deployment-entry.tsx'
import { Timeline } from '../../pieces/timeline.tsx'
import type { Build } from '../../frame/apps.ts'
import { SettingsTable, type Setting } from './platform-settings.tsx'

interface ProcessRow {
  role: string
  pid: number
  listens?: string
  uptimeSeconds: number
  memoryBytes: number
  version: string
}

interface StatusView {
  version: string
  agent: string
  host?: HostCapabilities
  instances: number
  processes: ProcessRow[]
}

interface PlatformView {
  queue: { controllers: { name: string; due: number; running: number; later: number; failing: number }[]; failing: { controller: string; key: string; attempts: number; error: string; runAt: string }[] }
  storage: { home: string; diskBytes: number; freeBytes: number; databaseBytes: number; artifacts: number; sources: number }
  versions: { node: string; postgresql: string }
  settings: Setting[]
}

const shownBuilds = 5
const littleSpace = 0.1

export default function Platform() {
  const { value: status, error: statusError } = useLatest<StatusView>('/v1/status?follow=1')
  const { value: platform, error: platformError } = useLatest<PlatformView>('/v1/platform?follow=1')
  const error = statusError ?? platformError
  return (
    <>
      <PageHeader
        title="Platform"
        beside={status && <Status word={status.agent === 'ok' ? 'Running' : 'Degraded'} tone={status.agent === 'ok' ? 'good' : 'warn'} />}
        actions={
          <GoLink size="sm" underline="always" to="/platform/objectives">
            What it promises
          </GoLink>
        }
        text={status && `Pavior ${status.version}${status.agent === 'ok' ? '' : `. ${status.agent}`}`}
      />
      {error && <ErrorState error={error} />}
      {!error && (!status || !platform) && <RowsSkeleton />}
      {status && platform && <Known status={status} platform={platform} />}
    </>
  )
}

function Known({ status, platform }: { status: StatusView; platform: PlatformView }) {
  return (
    <>
      <Stats stats={statsOf(status, platform)} />
      <Section title="Processes">
        <Processes rows={status.processes} />
      </Section>
      <Section title="Queue">
        <Queue queue={platform.queue} />
      </Section>
      <Section title="Builds">
        <Builds />
      </Section>
      <Section title="How apps run here">
        <Host host={status.host} versions={platform.versions} />
      </Section>
      <Section title="Settings">
        <SettingsTable settings={platform.settings} />
      </Section>
    </>
  )
}

function statsOf({ processes, instances }: StatusView, { queue, storage }: PlatformView): Stat[] {
  const memory = processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  const waiting = queue.controllers.reduce((sum, { due }) => sum + due, 0)
  const free = storage.freeBytes / storage.diskBytes
  return [
    { label: 'Instances', value: instances, hint: 'of all apps' },
    { label: 'Memory', value: bytesText(memory), hint: 'of the platform itself' },
    { label: 'Queue', value: waiting, hint: queue.failing.length === 0 ? 'nothing fails' : `${queue.failing.length} fail`, ...(queue.failing.length > 0 ? { tone: 'bad' as const } : {}) },
    { label: 'Free disk', value: bytesText(storage.freeBytes), hint: `of ${bytesText(storage.diskBytes)}`, ...(free < littleSpace ? { tone: 'bad' as const } : {}) },
    { label: 'Database', value: bytesText(storage.databaseBytes), hint: `${counted(storage.artifacts, 'artifact')}, ${counted(storage.sources, 'source')}` },
  ]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function Processes({ rows }: { rows: ProcessRow[] }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={480}>
      <Table aria-label="Processes" verticalSpacing={5}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Process</Table.Th>
            <Table.Th>Listens on</Table.Th>
            <Table.Th ta="right">Process id</Table.Th>
            <Table.Th ta="right">Memory</Table.Th>
            <Table.Th ta="right">Up for</Table.Th>
            <Table.Th>Version</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ role, pid, listens, uptimeSeconds, memoryBytes, version }) => (
            <Table.Tr key={`${role} ${pid}`}>
              <Table.Td>{role}</Table.Td>
              <Table.Td>{listens ?? '–'}</Table.Td>
              <Table.Td ta="right">{pid}</Table.Td>
              <Table.Td ta="right">{bytesText(memoryBytes)}</Table.Td>
              <Table.Td ta="right">{durationText(uptimeSeconds * 1000)}</Table.Td>
              <Table.Td>{version}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Queue({ queue: { controllers, failing } }: { queue: PlatformView['queue'] }) {
  if (controllers.length === 0) return <Text size="sm" c="dimmed">Empty: everything is as it was asked for.</Text>
  return (
    <>
      <Table.ScrollContainer type="native" tabIndex={0} minWidth={420}>
        <Table aria-label="Queue by reconciler" verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Reconciler</Table.Th>
              <Table.Th ta="right">Due</Table.Th>
              <Table.Th ta="right">Running</Table.Th>
              <Table.Th ta="right">Later</Table.Th>
              <Table.Th ta="right">Failing</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {controllers.map((each) => (
              <Table.Tr key={each.name}>
                <Table.Td>{each.name}</Table.Td>
                <Table.Td ta="right">{each.due}</Table.Td>
                <Table.Td ta="right">{each.running}</Table.Td>
                <Table.Td ta="right">{each.later}</Table.Td>
                <Table.Td ta="right">{each.failing}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {failing.length > 0 && (
        <Timeline label="What fails" entries={failing.map(({ controller, key, attempts, error, runAt }) => ({ key: `${controller} ${key}`, word: 'Failing', tone: 'bad', at: runAt, title: `${controller}: ${key}`, text: `Tried ${attempts} times. ${error}` }))} />
      )}
    </>
  )
}

function Builds() {
  const { items, loading } = useCollection<Build>('builds')
  if (loading) return <RowsSkeleton count={2} />
  const entries = inOrder(items.map((each) => buildEntry({ team: each.metadata.namespace!, app: each.spec.app }, each))).slice(0, shownBuilds)
  return entries.length === 0 ? <EmptyState title="Nothing was built yet." /> : <Timeline label="Latest builds" entries={entries} />
}

function Host({ host, versions }: { host: HostCapabilities | undefined; versions: PlatformView['versions'] }) {
  return (
    <Text size="sm" component="div">
      Sandbox <Code>{host?.sandbox ?? 'unknown'}</Code>, limits by cgroup <Code>{host?.cgroup ?? 'unknown'}</Code>, Node.js <Code>{versions.node}</Code>, PostgreSQL <Code>{versions.postgresql}</Code>.
      {host?.notes.map((note) => <div key={note}>{note}</div>)}
    </Text>
  )
}
