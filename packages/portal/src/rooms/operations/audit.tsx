/** Who changed what and when; every filter stands in the address. */
import type { AuditRow } from '@pavior/contract'
import { Button, Group, SegmentedControl, Select, Table, Text, TextInput } from '@mantine/core'
import { IconArrowUp } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useLayoutEffect, useState, type FormEvent } from 'react'
import { kindsQuery } from '../../frame/kinds.ts'
import { genericHref } from '../../frame/registry.ts'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { useEarlier, useNewer, type Filter } from './audit-rows.ts'
import { Chain } from './audit-chain.tsx'
import classes from './audit.module.css'

const verbs = ['create', 'update', 'patch', 'delete', 'denied']
/** Pixels from the top within which newer rows go in at once. */
const nearTop = 40

export default function Audit() {
  const filter = useFilter()
  const { admin } = useSession()
  const pages = useEarlier(filter)
  const earlier = pages.data?.pages.flatMap(({ items }) => items) ?? []
  const newer = useNewer(filter, pages.data && (pages.data.pages[0]?.items[0]?.id ?? '0'))
  const { shown, waiting } = useSettled(newer)
  const rows = [...shown, ...earlier]
  return (
    <>
      <PageHeader title="Audit" text={<>Who changed what and when, as it happens. In a terminal: <span className="nowrap">pavior audit --follow</span></>} />
      {admin && <Chain />}
      <Filters />
      {pages.error && <ErrorState error={pages.error} />}
      {pages.isLoading && <RowsSkeleton />}
      {waiting > 0 && (
        <div className={classes.newer} role="status">
          <Button size="compact-sm" radius="xl" leftSection={<IconArrowUp size={14} />} onClick={() => window.scrollTo({ top: 0 })}>
            {waiting} newer {waiting === 1 ? 'change' : 'changes'}
          </Button>
        </div>
      )}
      {pages.data && rows.length === 0 && <EmptyState title="No change matches." text="Take a filter away, or choose another team above. What is changed from now on appears here." />}
      {rows.length > 0 && <Rows rows={rows} fresh={shown.length} />}
      {pages.hasNextPage && (
        <Button mt="sm" size="xs" variant="subtle" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Earlier ones
        </Button>
      )}
    </>
  )
}

/** From the address. People only, unless everything or a part of the platform is asked for. */
function useFilter(): Filter {
  const team = useTeam()
  const { actor, kind, name, verb, everything } = useSearchParams()
  const people = everything !== undefined || actor?.startsWith('system:') ? undefined : 'true'
  return Object.entries({ team, actor, people, kind, name, verb }).flatMap(([key, value]) => (value ? [[key, value] as [string, string]] : []))
}

/** Newer rows go in only while the top is in sight: what somebody reads stays where it is. */
function useSettled(newer: AuditRow[]): { shown: AuditRow[]; waiting: number } {
  const [upTo, setUpTo] = useState<string>()
  const newest = newer[0]?.id
  useLayoutEffect(() => {
    const settle = (): void => {
      if (window.scrollY <= nearTop) setUpTo(newest)
    }
    settle()
    window.addEventListener('scroll', settle, { passive: true })
    return () => window.removeEventListener('scroll', settle)
  }, [newest])
  const waiting = upTo === undefined ? newer.length : Math.max(0, newer.findIndex(({ id }) => id === upTo))
  return { shown: newer.slice(waiting), waiting }
}

function Filters() {
  const { actor = '', kind, name = '', verb, everything } = useSearchParams()
  const { data: kinds = [] } = useQuery(kindsQuery)
  const { user } = useSession()
  const set = useSetSearchParams()
  const [typedActor, setTypedActor] = useState(actor)
  const [typedName, setTypedName] = useState(name)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    set({ actor: typedActor, name: typedName })
  }
  return (
    <form onSubmit={submit}>
      <Group gap="xs" mb="sm">
        <SegmentedControl size="xs" aria-label="By whom" data={[{ value: 'people', label: 'People' }, { value: 'everything', label: 'Everything' }]} value={everything === undefined ? 'people' : 'everything'} onChange={(next) => set({ everything: next === 'everything' ? '1' : undefined })} />
        <TextInput size="xs" aria-label="Who" placeholder={`Who, as user:${user}`} value={typedActor} onChange={({ currentTarget }) => setTypedActor(currentTarget.value)} />
        <Select size="xs" w={110} aria-label="Did" placeholder="Any change" clearable data={verbs} value={verb ?? null} onChange={(next) => set({ verb: next ?? undefined })} />
        <Select size="xs" w={130} aria-label="Kind" placeholder="Any kind" clearable searchable data={kinds.map((each) => each.kind)} value={kind ?? null} onChange={(next) => set({ kind: next ?? undefined })} />
        <TextInput size="xs" aria-label="Name" placeholder="Name" value={typedName} onChange={({ currentTarget }) => setTypedName(currentTarget.value)} />
        <Button size="xs" type="submit" variant="default">
          Filter
        </Button>
      </Group>
    </form>
  )
}

/** The first `fresh` of them came while the page was open. */
function Rows({ rows, fresh }: { rows: AuditRow[]; fresh: number }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={440}>
      <Table aria-label="Changes" verticalSpacing={5}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Did</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th visibleFrom="sm">Team</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr key={row.id} className={index < fresh ? classes.fresh : undefined}>
              <Table.Td>
                <Ago at={row.time} />
              </Table.Td>
              <Table.Td>
                <span title={row.address && `from ${row.address}`}>{row.actor}</span>
                {row.token && (
                  <Text span size="xs" c="dimmed" visibleFrom="sm" title="Prefix of the token">
                    {' '}
                    {row.token}…
                  </Text>
                )}
              </Table.Td>
              <Table.Td>{row.verb}</Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }} title={row.requestId && `request ${row.requestId}`}>
                {row.kind} <What row={row} />
                {row.reason && (
                  <Text size="xs" c="dimmed">
                    {row.reason}
                  </Text>
                )}
              </Table.Td>
              <Table.Td visibleFrom="sm">{row.team ?? '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function What({ row: { kind, team, name, verb } }: { row: AuditRow }) {
  const { data: kinds } = useQuery(kindsQuery)
  const plural = kinds?.find((each) => each.kind === kind)?.plural
  return verb === 'delete' || plural === undefined ? <b>{name}</b> : <GoLink to={genericHref(plural, team, name)} underline="always">{name}</GoLink>
}
