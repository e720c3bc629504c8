/** A code beside the password: set up with an authenticator app, with recovery codes for a lost device. */
import { Alert, Button, Code, Group, Image, Modal, PasswordInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, post, put, remove } from '../../frame/api.ts'
import { useSession } from '../../frame/session.ts'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'

interface Setup {
  secret: string
  svg: string
}

type Asking = 'set-up' | 'remove' | undefined

export function SecondFactor() {
  const { user } = useSession()
  const client = useQueryClient()
  const path = `/v1/users/${encodeURIComponent(user)}/second-factor`
  const queryKey = ['second-factor', user]
  const { data } = useQuery({ queryKey, queryFn: () => get<{ set: boolean; left: number }>(path) })
  const [asking, setAsking] = useState<Asking>()
  const done = (): void => {
    setAsking(undefined)
    void client.invalidateQueries({ queryKey })
  }
  if (!data) return null
  return (
    <Section
      title="Second factor"
      actions={
        <Button size="xs" variant="default" onClick={() => setAsking(data.set ? 'remove' : 'set-up')}>
          {data.set ? 'Take it away' : 'Set up'}
        </Button>
      }
    >
      <Group gap="sm">
        <Status word={data.set ? 'On' : 'Off'} tone={data.set ? 'good' : 'idle'} />
        <Text size="sm" c="dimmed">
          {data.set ? `Your password needs a code of your authenticator app beside it. Recovery codes left: ${data.left}.` : 'With it a stolen password alone opens nothing.'}
        </Text>
      </Group>
      <Modal opened={asking !== undefined} onClose={done} title={asking === 'remove' ? 'Take the second factor away' : 'Set up a second factor'} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': 'Close' }}>
        {asking === 'set-up' && <SetUp path={path} done={done} />}
        {asking === 'remove' && <Remove path={path} done={done} />}
      </Modal>
    </Section>
  )
}

function SetUp({ path, done }: { path: string; done: () => void }) {
  const [current, setCurrent] = useState('')
  const [setup, setSetup] = useState<Setup>()
  const [codes, setCodes] = useState<string[]>()
  const { busy, error, act } = useAct()
  if (codes) return <Codes codes={codes} done={done} />
  if (setup) return <Confirm path={path} setup={setup} confirmed={setCodes} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => setSetup(await post<Setup>(path, current === '' ? {} : { current })))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordInput label="Your password" description="Empty if you have none." autoComplete="current-password" data-autofocus value={current} onChange={({ currentTarget }) => setCurrent(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Go on
        </Button>
      </Stack>
    </form>
  )
}

function Confirm({ path, setup: { secret, svg }, confirmed }: { path: string; setup: Setup; confirmed: (codes: string[]) => void }) {
  const [code, setCode] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => confirmed((await put<{ recoveryCodes: string[] }>(path, { code })).recoveryCodes))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">Scan this with your authenticator app, or type the key into it.</Text>
        <Image src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt="The key as a QR code" w={200} mx="auto" />
        <Group gap={4} justify="center">
          <Code>{secret}</Code>
          <CopyButton text={secret} label="Copy the key" />
        </Group>
        <CodeInput value={code} change={setCode} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Confirm
        </Button>
      </Stack>
    </form>
  )
}

function CodeInput({ value, change }: { value: string; change: (next: string) => void }) {
  return <TextInput label="Code" description="Six digits of the app, or a recovery code." inputMode="text" autoComplete="one-time-code" required maxLength={20} data-autofocus value={value} onChange={({ currentTarget }) => change(currentTarget.value)} />
}

function Codes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <Stack>
      <Alert title="Keep these recovery codes">Each signs you in once when your device is lost. They are shown this once.</Alert>
      <SimpleGrid cols={2} spacing="xs">
        {codes.map((code) => (
          <Code key={code}>{code}</Code>
        ))}
      </SimpleGrid>
      <Group justify="space-between">
        <CopyButton text={codes.join('\n')} label="Copy the recovery codes" />
        <Button onClick={done}>I have them</Button>
      </Group>
    </Stack>
  )
}

function Remove({ path, done }: { path: string; done: () => void }) {
  const [code, setCode] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await remove(path, { code })
      done()
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <CodeInput value={code} change={setCode} />
        {error && <ErrorState error={error} />}
        <Button type="submit" color="red.9" loading={busy}>
          Take it away
        </Button>
      </Stack>
    </form>
  )
}
