/** Who changed what and when; every filter stands in the address. */
import { Button, Group, Select, Table, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get } from '../../frame/api.ts'
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

interface AuditRow {
  time: string
  actor: string
  token?: string
  verb: string
  kind: string
  team?: string
  name: string
  resourceVersion: string
  requestId?: string
}

interface AuditPage {
  items: AuditRow[]
  continue?: string
}

const pageSize = 100
/** The catalogue of kinds in words of the audit; the API says so when one is not there. */
const kinds = ['App', 'Build', 'Deployment', 'Environment', 'InstanceSet', 'Release', 'Route', 'Team', 'User']
const plurals: Record<string, string> = { App: 'apps', Build: 'builds', Deployment: 'deployments', Environment: 'environments', InstanceSet: 'instancesets', Release: 'releases', Route: 'routes', Team: 'teams', User: 'users' }
const verbs = ['create', 'update', 'delete']

export default function Audit() {
  const team = useTeam()
  const { actor, kind, name, verb } = useSearchParams()
  const filter = Object.entries({ team, actor, kind, name, verb }).flatMap(([key, value]) => (value ? [[key, value] as [string, string]] : []))
  const pages = useInfiniteQuery({
    queryKey: ['audit', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => get<AuditPage>(`/v1/audit?${new URLSearchParams([...filter, ['limit', String(pageSize)], ...(pageParam ? [['continue', pageParam] as [string, string]] : [])]).toString()}`, signal),
    getNextPageParam: (last) => last.continue,
  })
  const rows = pages.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <PageHeader
        title="Audit"
        text="Who changed what and when. The same on the command line: pavior audit"
        actions={
          <Button size="xs" variant="default" loading={pages.isRefetching} onClick={() => void pages.refetch()}>
            Look again
          </Button>
        }
      />
      <Filters />
      {pages.error && <ErrorState error={pages.error} />}
      {pages.isLoading && <RowsSkeleton />}
      {pages.data && rows.length === 0 && <EmptyState title="No change matches." text="Take a filter away, or choose another team above." />}
      {rows.length > 0 && <Rows rows={rows} />}
      {pages.hasNextPage && (
        <Button mt="sm" size="xs" variant="subtle" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Earlier ones
        </Button>
      )}
    </>
  )
}

function Filters() {
  const { actor = '', kind, name = '', verb } = useSearchParams()
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
        <TextInput size="xs" aria-label="Who" placeholder={`Who, as user:${user}`} value={typedActor} onChange={({ currentTarget }) => setTypedActor(currentTarget.value)} />
        <Select size="xs" w={110} aria-label="Did" placeholder="Any change" clearable data={verbs} value={verb ?? null} onChange={(next) => set({ verb: next ?? undefined })} />
        <Select size="xs" w={130} aria-label="Kind" placeholder="Any kind" clearable data={kinds} value={kind ?? null} onChange={(next) => set({ kind: next ?? undefined })} />
        <TextInput size="xs" aria-label="Name" placeholder="Name" value={typedName} onChange={({ currentTarget }) => setTypedName(currentTarget.value)} />
        <Button size="xs" type="submit" variant="default">
          Filter
        </Button>
      </Group>
    </form>
  )
}

function Rows({ rows }: { rows: AuditRow[] }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={560}>
      <Table aria-label="Changes" verticalSpacing={5}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Did</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Team</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={`${row.resourceVersion} ${row.kind} ${row.name} ${row.time}`}>
              <Table.Td>
                <Ago at={row.time} />
              </Table.Td>
              <Table.Td>
                {row.actor}
                {row.token && (
                  <Text span size="xs" c="dimmed" title="Prefix of the token">
                    {' '}
                    {row.token}…
                  </Text>
                )}
              </Table.Td>
              <Table.Td>{row.verb}</Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }} title={row.requestId && `request ${row.requestId}`}>
                {row.kind} <What row={row} />
              </Table.Td>
              <Table.Td>{row.team ?? '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function What({ row: { kind, team, name, verb } }: { row: AuditRow }) {
  const plural = plurals[kind]
  return verb === 'delete' || plural === undefined ? <b>{name}</b> : <GoLink to={genericHref(plural, team, name)} underline="always">{name}</GoLink>
}
