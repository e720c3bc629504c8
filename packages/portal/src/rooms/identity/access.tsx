/** Who may do what: who can, what was given to whom and until when, which roles there are, and a higher role for a while. */
import type { Resource, RoleBindingSpec } from '@pavior/contract'
import { Button, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { remove, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { ElevateButton, Elevations } from './elevation.tsx'
import { GrantButton } from './grant.tsx'
import { rolesQuery, type RoleRow } from './roles.ts'
import { WhoCan } from './who-can.tsx'

type Binding = Resource<RoleBindingSpec>

const tabs = [['who', 'Who can'], ['given', 'Given roles'], ['roles', 'Roles']] as const

export default function Access() {
  const session = useSession()
  const [tab = 'who', setTab] = useSearchParam('tab')
  const manages = session.admin || Object.values(session.roles).includes('admin')
  return (
    <>
      <PageHeader
        title="Roles and access"
        text="Who may do what, by what, and until when. Groups and service accounts are given roles as people are."
        actions={
          <>
            <ElevateButton />
            {manages && <GrantButton />}
          </>
        }
      />
      <Elevations />
      <Tabs value={tab} onChange={(next) => setTab(next === 'who' ? undefined : (next ?? undefined), { push: true })} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="who">
          <WhoCan />
        </Tabs.Panel>
        <Tabs.Panel value="given">
          <Bindings />
        </Tabs.Panel>
        <Tabs.Panel value="roles">
          <Roles />
        </Tabs.Panel>
      </Tabs>
      <Text size="sm" mt="lg">
        <GoLink to="/kinds/groups">Groups</GoLink> · <GoLink to="/kinds/serviceaccounts">Service accounts</GoLink> · <GoLink to="/kinds/roles">Custom roles</GoLink>
      </Text>
    </>
  )
}

function Bindings() {
  const inTeams = useCollection<Binding>('rolebindings')
  const everywhere = useCollection<Binding>('clusterrolebindings')
  const rows = [...everywhere.items, ...inTeams.items]
  return (
    <DataTable
      label="given roles"
      name="given"
      rows={rows}
      columns={bindingColumns}
      rowKey={({ metadata }) => metadata.uid}
      initialSort={{ key: 'team', descending: false }}
      loading={inTeams.loading || everywhere.loading}
      empty={<EmptyState title="No role was given beside those of members" text="Members of a team have the role that the team says. A role for longer or shorter, for a group or a service account is given here." commands={['pavior auth grant on-call user:ada --team shop']} />}
    />
  )
}

const subjects = ({ spec }: Binding): string => spec.subjects.map(({ kind, name, team }) => `${kind === 'User' ? '' : `${kind === 'Group' ? 'group' : 'service account'} `}${team ? `${team}/` : ''}${name}`).join(', ')

const bindingColumns: Column<Binding>[] = [
  { key: 'who', label: 'Who', value: subjects },
  { key: 'role', label: 'Role', width: '150px', value: ({ spec }) => spec.role },
  { key: 'team', label: 'Where', width: '130px', hideBelow: 'xs', value: ({ metadata }) => metadata.namespace ?? 'everywhere' },
  { key: 'ends', label: 'Ends', width: '130px', hideBelow: 'sm', value: ({ spec }) => spec.expiresAt ?? '', show: ({ spec }) => (spec.expiresAt ? <Ago at={spec.expiresAt} /> : 'never') },
  { key: 'reason', label: 'Why', hideBelow: 'md', value: ({ spec }) => spec.reason },
  { key: 'actions', label: 'Actions', width: '110px', value: () => '', show: (binding) => <TakeBack binding={binding} /> },
]

function TakeBack({ binding }: { binding: Binding }) {
  const session = useSession()
  const [asking, setAsking] = useState(false)
  const { namespace: team, name } = binding.metadata
  if (!(team === undefined ? session.admin : mayAs(session, 'admin', team))) return null
  const path = resourcePath(team === undefined ? 'clusterrolebindings' : 'rolebindings', team, name)
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={() => setAsking(true)} aria-label={`Take back ${name}`}>
        Take back
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title={`Take the role ${binding.spec.role} back?`} losses={[`${subjects(binding)} ${binding.spec.subjects.length > 1 ? 'have' : 'has'} it no more, at once; what is open with it ends.`]} action="Take back" confirm={() => remove(path)} />
    </>
  )
}

const places: Record<string, string> = { platform: 'everywhere', team: 'in a team', both: 'in a team or everywhere' }

const roleColumns: Column<RoleRow>[] = [
  { key: 'name', label: 'Role', width: '160px', value: ({ name }) => name, show: ({ name }) => <Text span inherit fw={600}>{name}</Text> },
  { key: 'what', label: 'What it is for', value: ({ description }) => description },
  { key: 'where', label: 'Given', width: '190px', hideBelow: 'sm', value: ({ scope }) => places[scope] ?? scope },
  { key: 'origin', label: 'Made by', width: '120px', hideBelow: 'md', value: ({ builtIn }) => (builtIn ? 'the platform' : 'you') },
]

function Roles() {
  const { data, isPending } = useQuery(rolesQuery)
  return <DataTable label="roles" name="roles" rows={data?.items ?? []} columns={roleColumns} rowKey={({ name }) => name} loading={isPending} />
}
