/** A question about rights and everybody it is true for. The question is in the address. */
import { verbs } from '@pavior/contract'
import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get } from '../../frame/api.ts'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { kindsQuery } from '../../frame/kinds.ts'
import { useSession } from '../../frame/session.ts'
import { useTeams } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import type { Column } from '../../pieces/table-column.ts'

interface Source {
  role: string
  by: string
  expiresAt?: string
}

interface Answer {
  question: string
  items: { name: string; displayName?: string; by: Source[] }[]
}

interface Row extends Source {
  who: string
}

const everywhere = ''

export function WhoCan() {
  const { verb, kind, team, environment } = useSearchParams()
  const asked = verb !== undefined && kind !== undefined
  const query = new URLSearchParams(Object.entries({ verb, kind, team, environment }).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
  const { data, error, isFetching } = useQuery({ queryKey: ['who-can', query], queryFn: () => get<Answer>(`/v1/auth/who-can?${query}`), enabled: asked, retry: false, staleTime: 0 })
  const rows = (data?.items ?? []).flatMap(({ name, displayName, by }) => by.map((source): Row => ({ who: displayName === undefined ? name : `${displayName} (${name})`, ...source })))
  return (
    <>
      <Question key={query} />
      {error && <ErrorState error={error} />}
      {asked && !error && (
        <>
          <Text size="sm" mb="xs" aria-live="polite">
            {data ? `${data.items.length === 1 ? 'One' : data.items.length === 0 ? 'Nobody' : data.items.length} may ${data.question}.` : ' '}
          </Text>
          <DataTable label="answers" name="who" rows={rows} columns={columns} rowKey={({ who, role, by }) => `${who} ${role} ${by}`} loading={isFetching && !data} empty={<EmptyState title="Nobody may." text="Administrators of the platform may always, so there is none." />} />
        </>
      )}
    </>
  )
}

const columns: Column<Row>[] = [
  { key: 'who', label: 'Who', value: ({ who }) => who },
  { key: 'role', label: 'Role', width: '150px', value: ({ role }) => role },
  { key: 'by', label: 'By', hideBelow: 'xs', value: ({ by }) => by },
  { key: 'until', label: 'Until', width: '130px', hideBelow: 'sm', value: ({ expiresAt }) => expiresAt ?? '', show: ({ expiresAt }) => (expiresAt ? <Ago at={expiresAt} /> : 'always') },
]

function Question() {
  const found = useSearchParams()
  const setSearch = useSetSearchParams()
  const { admin } = useSession()
  const { teams } = useTeams()
  const { data: kinds = [] } = useQuery(kindsQuery)
  const [verb, setVerb] = useState(found.verb ?? 'create')
  const [kind, setKind] = useState(found.kind ?? 'Deployment')
  const [team, setTeam] = useState(found.team ?? teams[0] ?? everywhere)
  const [environment, setEnvironment] = useState(found.environment ?? '')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setSearch({ verb, kind, team: team === everywhere ? undefined : team, environment: environment || undefined }, { push: true })
  }
  return (
    <form onSubmit={submit}>
      <Group align="end" gap="xs" mb="md">
        <Select label="Who may" w={110} data={[...verbs]} value={verb} allowDeselect={false} onChange={(next) => next && setVerb(next)} />
        <Select label="what" w={180} searchable data={[...new Set([...kinds.map((each) => each.kind), kind, 'Audit'])].toSorted()} value={kind} allowDeselect={false} onChange={(next) => next && setKind(next)} />
        <Select label="in team" w={150} data={[...(admin ? [{ value: everywhere, label: 'no team' }] : []), ...teams]} value={team} allowDeselect={false} onChange={(next) => setTeam(next ?? everywhere)} />
        <TextInput label="in environment" placeholder="any" w={150} value={environment} onChange={({ currentTarget }) => setEnvironment(currentTarget.value)} />
        <Button type="submit">Ask</Button>
      </Group>
    </form>
  )
}
