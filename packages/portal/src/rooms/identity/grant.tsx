/** Gives a role to somebody: to a person, a group or a service account, in a team or everywhere, perhaps until a day. */
import { Button, Group, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeams } from '../../frame/team.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { rolesQuery } from './roles.ts'

const dayMs = 24 * 3600_000
const everywhere = ''
const subjectKinds = [
  { value: 'User', label: 'person' },
  { value: 'Group', label: 'group' },
  { value: 'ServiceAccount', label: 'service account' },
]

export function GrantButton() {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setOpened(true)}>
        Give a role
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Give a role" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Ask close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function Ask({ close }: { close: () => void }) {
  const session = useSession()
  const { teams } = useTeams()
  const places = [...teams.filter((team) => mayAs(session, 'admin', team)).map((team) => ({ value: team, label: `team ${team}` })), ...(session.admin ? [{ value: everywhere, label: 'everywhere' }] : [])]
  const { data } = useQuery(rolesQuery)
  const [place, setPlace] = useState(places[0]?.value ?? everywhere)
  const [kind, setKind] = useState('User')
  const [name, setName] = useState('')
  const [role, setRole] = useState('on-call')
  const [days, setDays] = useState<number | string>('')
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const roles = (data?.items ?? []).filter(({ scope }) => place === everywhere || scope !== 'platform').map((each) => each.name)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const [team, account] = kind === 'ServiceAccount' && name.includes('/') ? (name.split('/', 2) as [string, string]) : [undefined, name]
    const spec = { role, subjects: [{ kind, name: account, ...(team ? { team } : {}) }], ...(days === '' ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }), ...(reason ? { reason } : {}) }
    act(async () => {
      await post(resourcePath(place === everywhere ? 'clusterrolebindings' : 'rolebindings', place === everywhere ? undefined : place), { metadata: { generateName: `${role}-${account}-` }, spec })
      close()
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Group grow align="start">
          <Select label="To a" data={subjectKinds} value={kind} allowDeselect={false} onChange={(next) => next && setKind(next)} />
          <TextInput label="Name" required placeholder={kind === 'ServiceAccount' ? 'ci, or team/ci' : 'ada'} maxLength={90} data-autofocus value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        </Group>
        <Group grow align="start">
          <Select label="Role" data={roles} value={role} allowDeselect={false} onChange={(next) => next && setRole(next)} />
          <Select label="Where" data={places} value={place} allowDeselect={false} onChange={(next) => setPlace(next ?? everywhere)} />
        </Group>
        <Group grow align="start">
          <NumberInput label="Ends after days" placeholder="never" min={1} value={days} onChange={setDays} />
          <TextInput label="Why" maxLength={500} value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        </Group>
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Give the role
        </Button>
      </Stack>
    </form>
  )
}
