/** Every team that one may see. */
import type { Resource, TeamSpec } from '@pavior/contract'
import { Button, Modal, Stack, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMemo, useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { useSession } from '../../frame/session.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Column } from '../../pieces/table-column.ts'

interface Row {
  team: Resource<TeamSpec>
  apps: number
  role: string
}

const columns: Column<Row>[] = [
  { key: 'team', label: 'Team', value: ({ team }) => team.metadata.name },
  { key: 'name', label: 'Name', hideBelow: 'sm', value: ({ team }) => team.spec.displayName },
  { key: 'description', label: 'What it does', hideBelow: 'md', value: ({ team }) => team.spec.description },
  { key: 'members', label: 'Members', width: '100px', align: 'right', value: ({ team }) => team.spec.members?.length ?? 0 },
  { key: 'apps', label: 'Apps', width: '80px', align: 'right', value: ({ apps }) => apps },
  { key: 'role', label: 'You are', width: '120px', value: ({ role }) => role },
]

export default function Teams() {
  const { admin, roles } = useSession()
  const { items, loading } = useCollection<Resource<TeamSpec>>('teams')
  const { items: apps } = useCollection('apps')
  const [making, setMaking] = useState(false)
  const rows = useMemo(
    () => items.map((team) => ({ team, apps: apps.filter(({ metadata }) => metadata.namespace === team.metadata.name).length, role: roles[team.metadata.name] ?? '' })),
    [items, apps, roles],
  )
  const make = admin && (
    <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
      New team
    </Button>
  )
  return (
    <>
      <PageHeader title="Teams" text="A team owns apps, environments and tokens; its members share them." actions={make} />
      <DataTable label="teams" rows={rows} columns={columns} rowKey={({ team }) => team.metadata.uid} href={({ team }) => `/teams/${team.metadata.name}`} initialSort={{ key: 'team', descending: false }} loading={loading} />
      <Modal opened={making} onClose={() => setMaking(false)} title="New team" closeButtonProps={{ 'aria-label': 'Close' }}>
        <NewTeam />
      </Modal>
    </>
  )
}

function NewTeam() {
  const { user } = useSession()
  const go = useGo()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [error, setError] = useState<Error>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    post(resourcePath('teams'), { metadata: { name }, spec: { ...(description ? { description } : {}), members: [{ user, role: 'admin' }] } }).then(() => go(`/teams/${name}`), setError)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" description="Lower case; part of the address of its apps." placeholder="payments" required maxLength={30} data-autofocus value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        <TextInput label="What it does" value={description} maxLength={1000} onChange={({ currentTarget }) => setDescription(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Button type="submit">Make the team</Button>
      </Stack>
    </form>
  )
}
