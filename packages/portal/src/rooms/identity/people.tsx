/** Every account, for administrators of the platform: who they are, a new link, suspension. */
import type { Resource, TeamSpec, UserSpec, UserStatus } from '@pavior/contract'
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMemo, useState } from 'react'
import { patch, post, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { showUndo } from '../../pieces/undo.tsx'
import { LoginLink } from './login-link.tsx'

type Person = Resource<UserSpec, UserStatus>

interface Row {
  person: Person
  teams: string
}

interface Link {
  user: string
  url: string
}

export default function People() {
  const { items, loading } = useCollection<Person>('users')
  const { items: teams } = useCollection<Resource<TeamSpec>>('teams')
  const { user, admin } = useSession()
  const [link, setLink] = useState<Link>()
  const rows = useMemo(() => items.map((person) => ({ person, teams: teamsOf(person.metadata.name, teams) })), [items, teams])
  const columns = useMemo(() => columnsFor(user, admin, setLink), [user, admin])
  return (
    <>
      <PageHeader title="People" text="Accounts of this platform. People come in through the invitation of a team." />
      <DataTable label="people" rows={rows} columns={columns} rowKey={({ person }) => person.metadata.uid} initialSort={{ key: 'name', descending: false }} loading={loading} />
      <Modal opened={link !== undefined} onClose={() => setLink(undefined)} title={`Login link of ${link?.user ?? ''}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        {link && (
          <Stack>
            <Text size="sm">It signs in once, within a day. Give it over a channel that you trust.</Text>
            <LoginLink url={link.url} />
          </Stack>
        )}
      </Modal>
    </>
  )
}

function teamsOf(user: string, teams: Resource<TeamSpec>[]): string {
  return teams.filter(({ spec }) => spec.members?.some((member) => member.user === user)).map(({ metadata }) => metadata.name).join(', ')
}

function stateOf({ spec }: Person): string {
  return spec.suspended ? 'Suspended' : spec.admin ? 'Administrator' : 'Active'
}

function columnsFor(own: string, admin: boolean, show: (link: Link) => void): Column<Row>[] {
  return [
    { key: 'name', label: 'Name', value: ({ person }) => person.metadata.name, show: ({ person }) => <Text span inherit fw={600}>{person.metadata.name}</Text> },
    { key: 'full', label: 'Full name', hideBelow: 'sm', value: ({ person }) => person.spec.displayName },
    { key: 'state', label: 'State', width: '140px', value: ({ person }) => stateOf(person), show: ({ person }) => <Status word={stateOf(person)} tone={person.spec.suspended ? 'idle' : 'good'} /> },
    { key: 'seen', label: 'Last seen', width: '130px', hideBelow: 'md', value: ({ person }) => person.status?.lastSeenAt ?? '', show: ({ person }) => (person.status?.lastSeenAt ? <Ago at={person.status.lastSeenAt} /> : 'never') },
    { key: 'teams', label: 'Teams', hideBelow: 'md', value: ({ teams }) => teams },
    ...(admin ? [{ key: 'actions', label: 'Actions', width: '200px', value: () => '', show: ({ person }: Row) => <Actions person={person} own={own} show={show} /> }] : []),
  ]
}

function Actions({ person: { metadata, spec }, own, show }: { person: Person; own: string; show: (link: Link) => void }) {
  const { name } = metadata
  const failed = (error: Error): void => void notifications.show({ color: 'red', closeButtonProps: { 'aria-label': 'Close' }, title: 'It did not work', message: error.message })
  const link = (): void => {
    post<{ url: string }>(`/v1/users/${encodeURIComponent(name)}/login-link`).then(({ url }) => show({ user: name, url }), failed)
  }
  const suspend = (suspended: boolean): Promise<unknown> => patch(resourcePath('users', undefined, name), { spec: { suspended } })
  const toggle = (): void => {
    const next = spec.suspended !== true
    suspend(next).then(() => showUndo({ message: next ? `${name} may not act any more.` : `${name} may act again.`, undo: () => suspend(!next) }), failed)
  }
  return (
    <Group gap={4} wrap="nowrap">
      <Button size="compact-xs" variant="default" onClick={link} aria-label={`Login link of ${name}`}>
        Login link
      </Button>
      {name !== own && (
        <Button size="compact-xs" variant="default" onClick={toggle} aria-label={`${spec.suspended ? 'Let in' : 'Suspend'} ${name}`}>
          {spec.suspended ? 'Let in' : 'Suspend'}
        </Button>
      )}
    </Group>
  )
}
