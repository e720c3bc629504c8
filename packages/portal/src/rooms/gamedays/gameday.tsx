/** The console of one game day: what is believed, what is done to find out, what is seen, and the way to stop it. */
import { Button, Group, Text } from '@mantine/core'
import { IconHandStop } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useResource } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { gameDayPath, isOver, perform, personText, stateOf, stepText, type GameDay } from './reads.ts'
import { StepList } from './steps.tsx'
import { Verdict } from './verdict.tsx'

const crumbs = [{ label: 'Game days', to: '/gamedays' }]
const usualPercent = 25

export default function GameDayPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: gameDay, loading } = useResource<GameDay>('gamedays', team, name)
  if (loading) return <PageSkeleton />
  if (!gameDay) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no game day ${name} in team ${team}.`} commands={[`pavior gameday list --team ${team}`]} />
      </>
    )
  }
  const { spec, status = {} } = gameDay
  return (
    <>
      <PageHeader title={name} crumbs={crumbs} actions={<Acts gameDay={gameDay} />} />
      <Text fw={600} mb={4}>
        {spec.hypothesis}
      </Text>
      <Text size="sm" mb="sm" aria-live="polite">
        <Status {...stateOf(gameDay)} /> {status.message ?? `Nothing has been injected into ${spec.app} in ${spec.environment} yet.`}
      </Text>
      <Text size="sm" c="dimmed" mb="sm">
        <GoLink size="sm" underline="always" to={`/apps/${encodeURIComponent(team)}/${encodeURIComponent(spec.app)}`}>
          {spec.app}
        </GoLink>{' '}
        in {spec.environment}
        {status.startedAt && (
          <>
            , begun <Ago at={status.startedAt} /> by {personText(status.startedBy)}
          </>
        )}
        {spec.owner && `, led by ${spec.owner}`}
        {spec.runbook && (
          <>
            ; at hand:{' '}
            <GoLink size="sm" underline="always" to={`/runbooks/${encodeURIComponent(team)}/${encodeURIComponent(spec.runbook)}`}>
              {spec.runbook}
            </GoLink>
          </>
        )}
      </Text>
      {status.startedAt && <Stats stats={statsOf(gameDay)} />}
      <Asked gameDay={gameDay} />
      <Section title="Steps">
        <StepList spec={spec} steps={status.steps ?? spec.steps.map((step) => ({ name: stepText(step), state: 'Pending' as const }))} />
      </Section>
      {!status.startedAt && <Limits gameDay={gameDay} />}
      {isOver(gameDay) && <Verdict gameDay={gameDay} />}
    </>
  )
}

/** Live figures, each beside what ends it. */
function statsOf(gameDay: GameDay): Stat[] {
  const { spec, status = {} } = gameDay
  const { now, limits = [] } = status
  const limitOf = (text: string): string | undefined => {
    const found = limits.find((limit) => limit.text === text)
    return found && `more than ${found.limit} ${found.unit} ends it`
  }
  return [
    { label: 'Requests', value: now?.requests ?? '–', hint: isOver(gameDay) ? 'in its last 20 s' : 'in the last 20 s' },
    { label: 'Fail', value: now ? `${Number(now.errorPercent.toFixed(1))} %` : '–', hint: limitOf('Requests that fail') ?? 'no limit' },
    { label: '95th percentile', value: now?.p95Ms == null ? '–' : `${Math.round(now.p95Ms)} ms`, hint: limitOf('95th percentile') ?? 'no limit' },
    { label: 'Blast radius', value: `${spec.blastRadius?.percent ?? usualPercent} %`, hint: 'of requests or instances' },
  ]
}

const inStats = new Set(['Requests that fail', '95th percentile'])

/** Conditions that are asked for: objectives and queries, which may be long. */
function Asked({ gameDay: { status } }: { gameDay: GameDay }) {
  const asked = (status?.limits ?? []).filter(({ text }) => !inStats.has(text))
  return asked.map(({ text, value, limit, unit }) => (
    <Text key={text} size="sm" mt="xs" style={{ overflowWrap: 'anywhere' }}>
      {text}: <b>{value === undefined ? 'nothing measured' : `${value} ${unit}`}</b>, more than {limit} {unit} ends it
    </Text>
  ))
}

function Limits({ gameDay: { spec } }: { gameDay: GameDay }) {
  const conditions = (spec.abort ?? []).map(({ slo, burnRate, errorPercent, p95Ms, query, above }) => (slo !== undefined ? `${slo} burns more than ${burnRate} times too fast` : errorPercent !== undefined ? `more than ${errorPercent} % of the requests fail` : p95Ms !== undefined ? `the 95th percentile is above ${p95Ms} ms` : `${query} is above ${above}`))
  const all = [...conditions, ...(spec.pages === 'expected' ? [] : ['somebody is paged for the app, or an incident of it is opened']), `it takes longer than ${spec.blastRadius?.minutes ?? 30} minutes`]
  return (
    <Section title="It ends at once when">
      <ul>
        {all.map((text) => (
          <li key={text}>
            <Text size="sm">{text}</Text>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Acts({ gameDay }: { gameDay: GameDay }) {
  const session = useSession()
  const go = useGo()
  const [asking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  const { metadata, spec, status } = gameDay
  const may = mayAs(session, 'developer', metadata.namespace!)
  const running = status?.state === 'Running'
  const planned = (status?.state ?? 'Planned') === 'Planned'
  const stop = (): void => act(() => perform(gameDay, 'stop'))
  useShortcuts(may && running ? [{ keys: 's', label: 'Stop the game day', group: 'Game day', run: stop }] : [])
  if (!may) return planned ? <CopyCommand command={`pavior gameday start ${metadata.name} --team ${metadata.namespace}`} /> : null
  return (
    <>
      <Group gap="xs">
        {planned && (
          <Button size="sm" onClick={() => setAsking(true)}>
            Start
          </Button>
        )}
        {running && (
          <Button size="md" color="red" loading={busy} leftSection={<IconHandStop size={18} aria-hidden />} rightSection={<Keys keys="s" hint />} onClick={stop}>
            Stop
          </Button>
        )}
        {isOver(gameDay) && (
          <Button size="sm" variant="default" loading={busy} onClick={() => act(async () => go(gameDayPath(await perform(gameDay, 'again'))))}>
            Plan it again
          </Button>
        )}
      </Group>
      {error && <ErrorState error={error} />}
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={`Start ${metadata.name}?`}
        losses={[`Faults are injected into ${spec.app} in ${spec.environment}.`, ...spec.steps.map((step) => `${stepText(step)}, ${step.seconds} s`)]}
        action="Start"
        confirm={() => perform(gameDay, 'start')}
      />
    </>
  )
}
