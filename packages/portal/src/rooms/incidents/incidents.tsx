/** All incidents of the team: what is wrong now, and how it went before. */
import type { ReliabilityFigures, SpanFigures } from '@pavior/contract'
import { Anchor, Button, Group } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconMoodCheck, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { OpenIncident } from './open-incident.tsx'
import { byUrgency, figuresQuery, incidentPath, isOver, severityOf, sinceOf, spanText, stateOf, who, type Incident } from './reads.ts'

const columns: Column<Incident>[] = [
  { key: 'name', label: 'Incident', value: ({ metadata }) => metadata.name, width: '100px' },
  { key: 'title', label: 'What is wrong', value: ({ spec }) => spec.title },
  { key: 'severity', label: 'Severity', value: ({ spec }) => spec.severity, show: (one) => <Status {...severityOf(one)} />, width: '90px', hideBelow: 'xs' },
  { key: 'state', label: 'State', value: (one) => stateOf(one).word, show: (one) => <Status {...stateOf(one)} />, width: '130px' },
  { key: 'app', label: 'App', value: ({ spec }) => spec.app ?? '', width: '120px', hideBelow: 'sm' },
  { key: 'with', label: 'With', value: ({ spec, status }) => spec.roles?.commander ?? who(status?.acknowledged?.by), width: '110px', hideBelow: 'md' },
  { key: 'since', label: 'Began', value: sinceOf, show: (one) => <Ago at={sinceOf(one)} />, width: '110px', hideBelow: 'sm' },
  { key: 'restore', label: 'Took', value: ({ status }) => status?.seconds?.restore ?? null, show: ({ status }) => spanText(status?.seconds?.restore), width: '80px', align: 'right', hideBelow: 'lg' },
]

export default function Incidents() {
  const team = useTeam()
  const session = useSession()
  const [opened, { open, close }] = useDisclosure(false)
  const { items, loading } = useCollection<Incident>('incidents', { team })
  const { items: pages } = useCollection('statuspages', { team })
  const ordered = useMemo(() => items.toSorted(byUrgency), [items])
  const figuresTeam = team ?? Object.keys(session.roles)[0]
  const figures = useQuery(figuresQuery(figuresTeam))
  const own = Object.keys(session.roles).filter((each) => mayAs(session, 'developer', each))
  const now = items.filter((one) => !isOver(one)).length
  return (
    <>
      <PageHeader
        title="Incidents"
        text={now === 0 ? 'Nothing is wrong that anybody knows of. An alert that wakes somebody opens an incident by itself.' : `${now} ${now === 1 ? 'is' : 'are'} open.`}
        actions={
          <Group gap="md">
            {pages.length > 0 && (
              <Anchor size="sm" href={`/status/${encodeURIComponent(pages[0]!.metadata.namespace!)}`}>
                Status page
              </Anchor>
            )}
            <GoLink size="sm" to="/postmortems">
              Postmortems
            </GoLink>
            <GoLink size="sm" to="/actions">
              Actions
            </GoLink>
            {(own.length > 0 || session.admin) && (
              <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>
                Open one
              </Button>
            )}
          </Group>
        }
      />
      {figures.data && figures.data.incidents > 0 && (
        <div style={{ marginBottom: 16 }}>
          <Stats stats={statsOf(figures.data)} />
        </div>
      )}
      <DataTable
        label="incidents"
        rows={ordered}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={incidentPath}
        loading={loading}
        empty={<EmptyState icon={IconMoodCheck} title="There was no incident yet" text="When something is wrong that no alert has seen, open one: it collects what changed, who does what, and what was said." commands={['pavior incident open "Checkout answers slowly" --app checkout-api']} />}
      />
      <OpenIncident opened={opened} close={close} team={team ?? own[0] ?? figuresTeam ?? ''} />
    </>
  )
}

function statsOf({ days, detect, acknowledge, restore, postmortems, actions, repeats }: ReliabilityFigures): Stat[] {
  const span = (label: string, { median, p90 }: SpanFigures): Stat => ({ label, value: spanText(median), hint: p90 === undefined ? `nothing known in ${days} days` : `nine of ten within ${spanText(p90)}` })
  return [
    span('Until detected', detect),
    span('Until taken', acknowledge),
    span('Until well again', restore),
    { label: 'Postmortems', value: `${postmortems.published} of ${postmortems.required}`, hint: 'published', ...(postmortems.published < postmortems.required ? { tone: 'warn' as const } : {}) },
    { label: 'Actions', value: `${actions.open} open`, hint: actions.overdue > 0 ? `${actions.overdue} overdue` : `${actions.done} done`, ...(actions.overdue > 0 ? { tone: 'bad' as const } : {}) },
    { label: 'Repeats', value: repeats, hint: `in ${days} days` },
  ]
}
