/** Who is on call now, who follows, when nobody is, and who stands in. */
import { Button, Group, SegmentedControl, Text } from '@mantine/core'
import { IconCalendarUser, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { OnCallCalendar } from './on-call-calendar.tsx'
import { StandIn } from './stand-in.tsx'
import type { Schedule } from './reads.ts'

export default function OnCall() {
  const team = useTeam()
  const session = useSession()
  const { items, loading } = useCollection<Schedule>('oncallschedules', { team })
  const [chosen, choose] = useSearchParam('schedule')
  const ordered = items.toSorted((one, other) => keyOf(one).localeCompare(keyOf(other)))
  const schedule = ordered.find((one) => keyOf(one) === chosen) ?? ordered[0]
  if (loading) return <PageSkeleton />
  return (
    <>
      <PageHeader
        title="On call"
        text="Who answers when something breaks."
        actions={
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/oncallschedules/create" {...props} />}>
            Write a schedule
          </Button>
        }
      />
      {!schedule && <EmptyState icon={IconCalendarUser} title="Nobody is on call" text="A schedule says who answers when, by layers of turns, holidays and overrides." commands={['pavior explain oncallschedule']} />}
      {ordered.length > 1 && <SegmentedControl size="xs" mb="md" aria-label="Schedule" data={ordered.map((one) => ({ value: keyOf(one), label: team ? one.metadata.name : keyOf(one) }))} value={keyOf(schedule!)} onChange={choose} />}
      {schedule && <One key={schedule.metadata.uid} schedule={schedule} may={mayAs(session, 'developer', schedule.metadata.namespace!)} />}
    </>
  )
}

function keyOf({ metadata }: Schedule): string {
  return `${metadata.namespace}/${metadata.name}`
}

function One({ schedule, may }: { schedule: Schedule; may: boolean }) {
  const [standing, setStanding] = useState(false)
  const { metadata, spec, status = {} } = schedule
  return (
    <>
      <Stats stats={statsOf(schedule)} />
      {status.unknownUsers && status.unknownUsers.length > 0 && (
        <Text size="sm" mt="xs">There is no active user {status.unknownUsers.join(', ')}, and whoever cannot sign in cannot answer either.</Text>
      )}
      <Section
        title={`Turns of ${metadata.name}`}
        actions={
          <Group gap="xs">
            <GoLink size="sm" to={genericHref('oncallschedules', metadata.namespace, metadata.name)}>Settings of {metadata.name}</GoLink>
            {may && <Button size="xs" variant="default" onClick={() => setStanding(true)}>Stand in</Button>}
          </Group>
        }
      >
        <Text size="sm" c="dimmed" mb="xs">Local times of {spec.timeZone} make the turns; days here are those of your own zone.</Text>
        <OnCallCalendar schedule={schedule} />
      </Section>
      <StandIn schedule={schedule} opened={standing} close={() => setStanding(false)} />
    </>
  )
}

function statsOf({ status = {} }: Schedule): Stat[] {
  const { now, next, gaps = [] } = status
  return [
    { label: 'Now', value: now?.user ?? 'nobody', hint: now && <>until <Ago at={now.until} /></>, ...(now ? {} : { tone: 'bad' as const }) },
    { label: 'Next', value: next?.user ?? '–', hint: next && <Ago at={next.from} /> },
    { label: 'Without anybody', value: gaps.length === 0 ? 'never' : `${gaps.length} times`, hint: gaps[0] ? <>first <Ago at={gaps[0].from} /></> : 'in the next 28 days', ...(gaps.length > 0 ? { tone: 'warn' as const } : {}) },
  ]
}
