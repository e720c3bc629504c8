/** Makes a token and shows it the only time that it can be seen. */
import type { Role } from '@pavior/contract'
import { Alert, Button, Group, Modal, NumberInput, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconKey } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import { post } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeams } from '../../frame/team.ts'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { roleMeanings, roles } from './roles.ts'

const usualDays = 90
const mostDays = 366
const me = ''

export function NewToken({ opened, close }: { opened: boolean; close: () => void }) {
  const [token, setToken] = useState<string>()
  const leave = (): void => {
    close()
    setToken(undefined)
  }
  return (
    <Modal opened={opened} onClose={leave} title="New token" closeOnClickOutside={token === undefined} closeButtonProps={{ 'aria-label': 'Close' }}>
      {token === undefined ? <Ask done={setToken} /> : <Shown token={token} close={leave} />}
    </Modal>
  )
}

function Ask({ done }: { done: (token: string) => void }) {
  const session = useSession()
  const { teams } = useTeams()
  const [description, setDescription] = useState('')
  const [team, setTeam] = useState(me)
  const [role, setRole] = useState<Role>('developer')
  const [app, setApp] = useState('')
  const [account, setAccount] = useState('')
  const [bounds, setBounds] = useState({ verbs: '', kinds: '', environments: '' })
  const [days, setDays] = useState<number | string>(usualDays)
  const [error, setError] = useState<Error>()
  const mine = [{ value: me, label: `me, ${session.user}` }, ...teams.filter((name) => mayAs(session, 'admin', name)).map((name) => ({ value: name, label: `team ${name}` }))]
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const forTeam = team === me ? {} : { team, ...(account ? { serviceAccount: account } : { role }), ...(app ? { app } : {}) }
    const within = Object.fromEntries(Object.entries(bounds).flatMap(([name, text]) => (text.trim() ? [[name, text.split(',').map((word) => word.trim())]] : [])))
    post<{ token: string }>('/v1/tokens', { description, expiresInDays: Number(days), ...forTeam, ...within }).then(({ token }) => done(token), setError)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="What for" placeholder="pipeline of checkout" required maxLength={100} data-autofocus value={description} onChange={({ currentTarget }) => setDescription(currentTarget.value)} />
        <Select label="Acts as" data={mine} value={team} allowDeselect={false} onChange={(next) => setTeam(next ?? me)} />
        {team !== me && (
          <Group grow align="start">
            <Select label="Role" description={account ? 'That of the account.' : roleMeanings[role]} disabled={account !== ''} data={roles} value={role} allowDeselect={false} onChange={(next) => next && setRole(next as Role)} />
            <TextInput label="Only for the app" description="Empty: every app of the team." maxLength={40} value={app} onChange={({ currentTarget }) => setApp(currentTarget.value)} />
          </Group>
        )}
        {team !== me && <TextInput label="Service account" description="Empty: a token of the team itself." maxLength={40} value={account} onChange={({ currentTarget }) => setAccount(currentTarget.value)} />}
        <Bounds bounds={bounds} change={setBounds} />
        <NumberInput label="Ends after days" min={1} max={mostDays} required value={days} onChange={setDays} />
        {error && <ErrorState error={error} />}
        <Button type="submit">Make the token</Button>
      </Stack>
    </form>
  )
}

type BoundTexts = Record<'verbs' | 'kinds' | 'environments', string>

/** What the token may do at most, whatever its owner may; lists separated by commas. */
function Bounds({ bounds, change }: { bounds: BoundTexts; change: (next: BoundTexts) => void }) {
  const field = (name: keyof BoundTexts, label: string, placeholder: string) => <TextInput label={label} placeholder={placeholder} maxLength={300} value={bounds[name]} onChange={({ currentTarget }) => change({ ...bounds, [name]: currentTarget.value })} />
  return (
    <details>
      <summary>Bounds</summary>
      <Stack gap="xs" mt="xs">
        {field('verbs', 'Only these verbs', 'get, list, create')}
        {field('kinds', 'Only these kinds', 'App, Deployment')}
        {field('environments', 'Changes only in these environments', 'staging')}
      </Stack>
    </details>
  )
}

function Shown({ token, close }: { token: string; close: () => void }) {
  return (
    <Stack>
      <Alert icon={<IconKey size={18} />} title="Copy it now">
        It is shown this once; only a digest of it is kept.
      </Alert>
      <PasswordInput label="Token" value={token} readOnly rightSectionWidth={64} rightSection={<CopyButton text={token} label="Copy the token" />} />
      <Text size="sm" c="dimmed" component="div">
        For the command line: <code>pavior login {location.origin} --token …</code> <CopyButton text={`pavior login ${location.origin} --token ${token}`} label="Copy the command with the token" />
      </Text>
      <Button onClick={close}>I have it</Button>
    </Stack>
  )
}
