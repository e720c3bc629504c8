/** A machine without a browser shows a code; whoever enters it here lets that machine act as them. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { post } from '../../frame/api.ts'
import { useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { useAct } from '../../pieces/use-act.ts'

interface Machine {
  machine: string
  address: string
}

export default function Device() {
  const { user } = useSession()
  const [code, setCode] = useState(() => new URLSearchParams(location.search).get('code') ?? '')
  const [found, setFound] = useState<Machine>()
  const [approved, setApproved] = useState(false)
  const { busy, error, act } = useAct()
  const look = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => setFound(await post<Machine>('/v1/device/look', { userCode: code })))
  }
  const approve = (): void =>
    act(async () => {
      await post('/v1/device/approve', { userCode: code })
      setApproved(true)
    })
  return (
    <Stack maw={520}>
      <PageHeader title="Sign in a device" text={approved ? `It acts as ${user} now; you can close this page.` : 'Enter the code that the device shows.'} />
      {!found && (
        <form onSubmit={look}>
          <Stack>
            <TextInput label="Code" placeholder="BCDF-GHJK" autoComplete="off" required maxLength={20} autoFocus value={code} onChange={({ currentTarget }) => setCode(currentTarget.value)} />
            <Group>
              <Button type="submit" loading={busy}>
                Go on
              </Button>
            </Group>
          </Stack>
        </form>
      )}
      {found && !approved && (
        <>
          <Text size="sm">
            <b>{found.machine || 'A machine without a name'}</b>, at {found.address}, asks to act as {user}. Go on only if you started it yourself.
          </Text>
          <Group gap="xs">
            <Button onClick={approve} loading={busy} autoFocus>
              Let it act as {user}
            </Button>
            <Button variant="default" onClick={() => setFound(undefined)}>
              No
            </Button>
          </Group>
        </>
      )}
      {error && <ErrorState error={error} />}
    </Stack>
  )
}
