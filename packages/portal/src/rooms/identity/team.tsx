/** One team: who belongs to it and as what, and the way in for new people. */
import type { Resource, Role, TeamSpec, UserSpec } from '@pavior/contract'
import { ActionIcon, Button, Group, Select, Table, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconTrash, IconUserPlus } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { put, remove } from '../../frame/api.ts'
import { useCollection, useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { showUndo } from '../../pieces/undo.tsx'
import { Invite } from './invite.tsx'
import { roles } from './roles.ts'

type Person = Resource<UserSpec>

export default function Team() {
  const { team: name = '' } = useParams({ strict: false })
  const session = useSession()
  const { resource: team, loading } = useResource<Resource<TeamSpec>>('teams', undefined, name)
  const [inviting, setInviting] = useState(false)
  const crumbs = [{ label: 'Teams', to: '/teams' }]
  if (loading) return <RowsSkeleton />
  if (!team) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no team ${name}.`} text="It may have been deleted, or the name is another one." />
      </>
    )
  }
  const may = mayAs(session, 'admin', name)
  const invite = may && (
    <Button size="xs" leftSection={<IconUserPlus size={14} />} onClick={() => setInviting(true)}>
      Invite
    </Button>
  )
  return (
    <>
      <PageHeader title={team.spec.displayName ?? name} crumbs={crumbs} text={team.spec.description ?? `Deploys go to ${team.spec.defaultEnvironment ?? 'production'} when nothing else is said.`} actions={invite} />
      <Invite team={name} opened={inviting} close={() => setInviting(false)} />
      <Section title="Members">
        <Members team={team} may={may} />
      </Section>
      <Section title="More">
        <Group gap="md">
          <GoLink size="sm" to="/apps" search={{ team: name }}>
            Its apps
          </GoLink>
          <GoLink size="sm" to="/tokens">
            Tokens
          </GoLink>
          {session.admin && (
            <GoLink size="sm" to={genericHref('teams', undefined, name)}>
              Edit as form or YAML
            </GoLink>
          )}
        </Group>
      </Section>
    </>
  )
}

function Members({ team, may }: { team: Resource<TeamSpec>; may: boolean }) {
  const { items: people } = useCollection<Person>('users')
  const { name } = team.metadata
  const members = team.spec.members ?? []
  if (members.length === 0) return <EmptyState title="Nobody belongs to this team yet." text="Invite the first person." />
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={320}>
      <Table aria-label={`Members of ${name}`} verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Person</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {members.map(({ user, role }) => (
            <Member key={user} team={name} user={user} role={role} may={may} person={people.find(({ metadata }) => metadata.name === user)} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Member({ team, user, role, may, person }: { team: string; user: string; role: Role; may: boolean; person: Person | undefined }) {
  const [removing, setRemoving] = useState(false)
  const path = `/v1/teams/${encodeURIComponent(team)}/members/${encodeURIComponent(user)}`
  const change = (next: Role): void => {
    put(path, { role: next }).then(
      () => showUndo({ message: `${user} is ${next} in ${team}.`, undo: () => put(path, { role }) }),
      (error: Error) => notifications.show({ color: 'red', closeButtonProps: { 'aria-label': 'Close' }, title: 'The role was not changed', message: error.message }),
    )
  }
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {person?.spec.displayName ?? user}
        </Text>
        <Text size="xs" c="dimmed">
          {[user, person?.spec.email, person?.spec.suspended ? 'suspended' : undefined].filter(Boolean).join(' · ')}
        </Text>
      </Table.Td>
      <Table.Td>{may ? <Select size="xs" w={130} aria-label={`Role of ${user}`} data={roles} value={role} allowDeselect={false} onChange={(next) => next && next !== role && change(next as Role)} /> : role}</Table.Td>
      <Table.Td w={44}>
        {may && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${user}`} onClick={() => setRemoving(true)}>
            <IconTrash size={14} />
          </ActionIcon>
        )}
        <Confirm opened={removing} close={() => setRemoving(false)} title={`Remove ${user} from ${team}?`} losses={[`${user} loses every right in team ${team}; what they deployed stays.`, 'Their account stays, and their other teams.']} action="Remove" confirm={() => remove(path)} />
      </Table.Td>
    </Table.Tr>
  )
}
