/** What runs: each process with its instances, their CPU and memory, and how many are wanted. */
import type { InstanceStatus } from '@pavior/contract'
import { ActionIcon, Button, Group, Table, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconMinus, IconPlus, IconRefresh } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useLatest } from '../../frame/latest.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { bytesText } from '../../pieces/number-text.ts'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Sparkline } from '../../pieces/sparkline.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import { showUndo } from '../../pieces/undo.tsx'
import { appApi, appPath, useAppPlace, useEnvironment, useInstanceSets, type AppPlace, type InstanceSet } from '../../frame/apps.ts'

type Instance = InstanceStatus & { process: string; release: number; environment: string }
interface Figures {
  /** ISO 8601. */
  at: string
  items: Instance[]
}

const tones: Record<string, Tone> = { healthy: 'good', starting: 'busy', draining: 'busy', stopping: 'busy', unhealthy: 'bad', backoff: 'bad', stopped: 'idle' }
const mostInstances = 100
/** One every two seconds. */
const keptReadings = 60

export default function Processes() {
  const place = useAppPlace()
  const session = useSession()
  const { environment } = useEnvironment(place)
  const { items: sets, loading } = useInstanceSets(place, environment)
  const { value: figures } = useLatest<Figures>(appApi(place, 'instances?follow=1'))
  const cpu = useCpu(figures)
  const [restarting, setRestarting] = useState(false)
  if (loading) return <RowsSkeleton />
  if (sets.length === 0) return <EmptyState title={`Nothing runs in ${environment}.`} text="Processes come with the first deploy." commands={[`pavior deploy --app ${place.app} --team ${place.team}`]} />
  const may = mayAs(session, 'developer', place.team)
  const restart = (): Promise<unknown> => patch(resourcePath('apps', place.team, place.app), { spec: { restart: { [environment]: new Date().toISOString() } } })
  return (
    <>
      {may && (
        <Group justify="flex-end">
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} onClick={() => setRestarting(true)}>
            Restart
          </Button>
          <Confirm opened={restarting} close={() => setRestarting(false)} title={`Restart ${place.app} in ${environment}?`} losses={['Every instance is replaced, one after the other; requests go on being answered.', 'What instances hold only in memory is gone.']} action="Restart" harmless confirm={restart} />
        </Group>
      )}
      {sets.toSorted((one, other) => one.spec.process.localeCompare(other.spec.process)).map((set) => (
        <Process key={set.metadata.uid} place={place} set={set} instances={(figures?.items ?? []).filter(({ set: of }) => of === set.metadata.uid)} cpu={cpu} may={may} />
      ))}
    </>
  )
}

/** Cores in use by each instance between two readings, the newest last. */
function useCpu(figures: Figures | undefined): Map<string, number[]> {
  const before = useRef<Figures>(undefined)
  const [cpu, setCpu] = useState(new Map<string, number[]>())
  useEffect(() => {
    if (!figures) return
    const last = before.current
    before.current = figures
    if (!last || last.at === figures.at) return
    const seconds = (Date.parse(figures.at) - Date.parse(last.at)) / 1000
    const used = new Map(last.items.map(({ id, cpuSeconds }) => [id, cpuSeconds]))
    const now = figures.items.flatMap(({ id, cpuSeconds }) => (cpuSeconds === undefined || used.get(id) === undefined ? [] : [[id, Math.max(0, cpuSeconds - used.get(id)!) / seconds] as const]))
    setCpu((known) => new Map(now.map(([id, cores]) => [id, [...(known.get(id) ?? []), cores].slice(-keptReadings)])))
  }, [figures])
  return cpu
}

interface ProcessProps {
  place: AppPlace
  set: InstanceSet
  instances: Instance[]
  cpu: Map<string, number[]>
  may: boolean
}

function Process({ place, set, instances, cpu, may }: ProcessProps) {
  const { spec, status } = set
  return (
    <Section title={spec.process} actions={<Scale place={place} set={set} may={may} />}>
      {status?.problem && <ProblemState problem={status.problem} />}
      <Table.ScrollContainer type="native" tabIndex={0} minWidth={520}>
        <Table aria-label={`Instances of ${spec.process}`} verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Instance</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th ta="right">CPU</Table.Th>
              <Table.Th ta="right">Memory</Table.Th>
              <Table.Th ta="right">Restarts</Table.Th>
              <Table.Th ta="right">Started</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {instances.map((instance) => (
              <InstanceRow key={instance.id} place={place} instance={instance} set={set} cpu={cpu.get(instance.id)} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed">
        <code>{spec.command.at(-1)?.replace(/^exec /, '')}</code> · v{spec.release} · each may use {spec.cpu} {spec.cpu === 1 ? 'core' : 'cores'} and {bytesText(spec.memoryBytes)}
      </Text>
    </Section>
  )
}

function InstanceRow({ place, instance, set, cpu }: { place: AppPlace; instance: Instance; set: InstanceSet; cpu: number[] | undefined }) {
  const { id, state, crashLoop, asleepSince, memoryBytes, restarts, startedAt, problem } = instance
  return (
    <Table.Tr>
      <Table.Td>
        <GoLink to={appPath(place, 'logs')} search={{ instance: id }}>
          {id}
        </GoLink>
      </Table.Td>
      <Table.Td>
        <Status word={crashLoop ? 'crash loop' : asleepSince ? 'asleep' : state} tone={crashLoop ? 'bad' : asleepSince ? 'idle' : (tones[state] ?? 'idle')} />
        {problem && (
          <Text size="xs" c="var(--tone-bad)">
            {problem.message}
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right" title={`of ${set.spec.cpu} cores`}>
        {cpu === undefined ? '–' : <Cpu readings={cpu} />}
      </Table.Td>
      <Table.Td ta="right" title={`of ${bytesText(set.spec.memoryBytes)}`} c={memoryBytes !== undefined && memoryBytes > set.spec.memoryBytes * 0.9 ? 'var(--tone-bad)' : undefined}>
        {memoryBytes === undefined ? '–' : bytesText(memoryBytes)}
      </Table.Td>
      <Table.Td ta="right">{restarts}</Table.Td>
      <Table.Td ta="right">
        <Ago at={startedAt} />
      </Table.Td>
    </Table.Tr>
  )
}

function Cpu({ readings }: { readings: number[] }) {
  const now = readings.at(-1) ?? 0
  const text = `${(now * 100).toFixed(now < 0.1 ? 1 : 0)} %`
  return (
    <Group gap={8} justify="flex-end" wrap="nowrap">
      {readings.length > 1 && <Sparkline values={readings} label={`CPU of the last minutes, ${text} now`} />}
      <span className="nowrap">{text}</span>
    </Group>
  )
}

/** The new number shows at once; what runs follows. */
function Scale({ place, set, may }: { place: AppPlace; set: InstanceSet; may: boolean }) {
  const { process, replicas, environment } = set.spec
  const [wanted, setWanted] = useState<number>()
  useEffect(() => {
    if (wanted === replicas) setWanted(undefined)
  }, [wanted, replicas])
  const shown = wanted ?? replicas
  const write = (count: number): Promise<unknown> => patch(resourcePath('apps', place.team, place.app), { spec: { scale: { [environment]: { [process]: count } } } })
  const scale = (count: number): void => {
    setWanted(count)
    write(count).then(
      () => showUndo({ message: `${process} runs with ${count} ${count === 1 ? 'instance' : 'instances'}.`, undo: () => write(replicas) }),
      (error: Error) => {
        setWanted(undefined)
        notifications.show({ color: 'red', closeButtonProps: { 'aria-label': 'Close' }, title: `${process} was not scaled`, message: error.message })
      },
    )
  }
  return (
    <Group gap={6} role="group" aria-label={`Instances wanted of ${process}`}>
      <Text size="sm" c="dimmed">
        {set.status?.ready ?? 0} of {shown} healthy
      </Text>
      {may && (
        <>
          <ActionIcon variant="default" size="md" aria-label={`One ${process} less`} disabled={shown <= 0} onClick={() => scale(shown - 1)}>
            <IconMinus size={14} />
          </ActionIcon>
          <Text fw={600} miw={20} ta="center" aria-live="polite">
            {shown}
          </Text>
          <ActionIcon variant="default" size="md" aria-label={`One ${process} more`} disabled={shown >= mostInstances} onClick={() => scale(shown + 1)}>
            <IconPlus size={14} />
          </ActionIcon>
        </>
      )}
    </Group>
  )
}
