/** Makes a secret and sets its first value. */
import { isSecretKey, secretName, type SecretSpec } from '@pavior/contract'
import { Button, Checkbox, Modal, Select, Stack, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { ApiError, post, resourcePath } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { ValueField } from './value-field.tsx'

/** Opened by ?set=new, so that the palette and links lead to it. */
export function SetNew({ team, app }: { team: string | undefined; app?: string }) {
  const session = useSession()
  const { set } = useSearch({ strict: false }) as { set?: string }
  const navigate = useNavigate()
  const teams = Object.keys(session.roles).filter((name) => mayAs(session, 'developer', name))
  const open = (value: string | undefined): void => void navigate({ to: '.', search: ((before: object) => ({ ...before, set: value })) as never, replace: true })
  if (!session.admin && (team === undefined ? teams.length === 0 : !mayAs(session, 'developer', team))) return null
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => open('new')}>
        Set a secret
      </Button>
      <Modal opened={set === 'new'} onClose={() => open(undefined)} title="Set a secret" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Form team={team} teams={teams} app={app} close={() => open(undefined)} />
      </Modal>
    </>
  )
}

function Form({ team: given, teams, app: givenApp, close }: { team: string | undefined; teams: string[]; app?: string | undefined; close: () => void }) {
  const [team, setTeam] = useState(given ?? teams[0] ?? 'default')
  const [key, setKey] = useState('')
  const [app, setApp] = useState(givenApp ?? '')
  const [environments, setEnvironments] = useState('')
  const [file, setFile] = useState(false)
  const [value, setValue] = useState('')
  const { busy, error, act } = useAct()
  const wrongKey = key !== '' && !isSecretKey(key)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const named = environments.split(',').map((name) => name.trim()).filter(Boolean)
    const spec: SecretSpec = { key, ...(app === '' ? {} : { app }), ...(named.length === 0 ? {} : { environments: named }), ...(file ? { as: 'file' } : {}) }
    act(async () => {
      await setFirst(team, spec, value)
      setValue('')
      close()
    })
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack>
        {given === undefined && <Select label="Team" data={teams} allowDeselect={false} value={team} onChange={(name) => setTeam(name ?? team)} />}
        <TextInput label="Key" description="Name of the variable, for example DATABASE_URL." required data-autofocus value={key} onChange={({ currentTarget }) => setKey(currentTarget.value)} error={wrongKey ? 'Letters, digits and _; not a name that the shell or Pavior uses.' : undefined} />
        <TextInput label="App" description="Empty: every app of the team." value={app} onChange={({ currentTarget }) => setApp(currentTarget.value)} />
        <TextInput label="Environments" description="Separated by commas. Empty: all but previews." value={environments} onChange={({ currentTarget }) => setEnvironments(currentTarget.value)} />
        <Checkbox label={`Give it as a file, and its path in ${key || 'KEY'}_FILE`} checked={file} onChange={({ currentTarget }) => setFile(currentTarget.checked)} />
        <ValueField value={value} change={setValue} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy} disabled={wrongKey}>
          Set it
        </Button>
      </Stack>
    </form>
  )
}

/** A secret that is there gets its next version. */
async function setFirst(team: string, spec: SecretSpec, value: string): Promise<void> {
  const name = secretName(spec)
  await post(resourcePath('secrets', team), { metadata: { name }, spec }).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.details.code !== 'ALREADY_EXISTS') throw error
  })
  await post(`/v1/teams/${encodeURIComponent(team)}/secrets/${encodeURIComponent(name)}/versions`, { value })
}
