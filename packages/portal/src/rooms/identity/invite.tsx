/** A new person in a team: makes the account and gives the link that signs in once. */
import type { Role } from '@pavior/contract'
import { Alert, Button, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import { post } from '../../frame/api.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { roleMeanings, roles } from './roles.ts'
import { LoginLink } from './login-link.tsx'

interface Invited {
  user: string
  /** Absent for somebody who had an account. */
  url?: string
}

export function Invite({ team, opened, close }: { team: string; opened: boolean; close: () => void }) {
  const [invited, setInvited] = useState<Invited>()
  const leave = (): void => {
    close()
    setInvited(undefined)
  }
  return (
    <Modal opened={opened} onClose={leave} title={`Invite to ${team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {invited ? <Done team={team} invited={invited} close={leave} /> : <Ask team={team} done={setInvited} />}
    </Modal>
  )
}

function Ask({ team, done }: { team: string; done: (invited: Invited) => void }) {
  const [name, setName] = useState('')
  const [displayName, setDisplayName] = useState('')
  const [role, setRole] = useState<Role>('developer')
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    post<Invited>(`/v1/teams/${encodeURIComponent(team)}/invitations`, { name, role, ...(displayName ? { displayName } : {}) })
      .then(done, setError)
      .finally(() => setBusy(false))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" description="What they sign in with: lower case, no spaces. Somebody who has an account is added." placeholder="ada" required maxLength={40} data-autofocus value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        <TextInput label="Full name" placeholder="Ada Lovelace" maxLength={100} value={displayName} onChange={({ currentTarget }) => setDisplayName(currentTarget.value)} />
        <Select label="Role" description={roleMeanings[role]} data={roles} value={role} allowDeselect={false} onChange={(next) => next && setRole(next as Role)} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Invite
        </Button>
      </Stack>
    </form>
  )
}

function Done({ team, invited: { user, url }, close }: { team: string; invited: Invited; close: () => void }) {
  return (
    <Stack>
      <Alert icon={<IconCheck size={18} />} title={`${user} belongs to ${team}`}>
        {url === undefined ? 'They had an account already and sign in as before.' : 'Give them this link over a channel that you trust. It signs in once, within a day.'}
      </Alert>
      {url !== undefined && <LoginLink url={url} />}
      {url !== undefined && (
        <>
          <Text size="sm" c="dimmed">
            For the command line, in place of the browser:
          </Text>
          <CopyCommand command={`pavior login "${url}"`} />
        </>
      )}
      <Button variant="default" onClick={close}>
        Done
      </Button>
    </Stack>
  )
}
