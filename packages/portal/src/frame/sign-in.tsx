/** The two ways in: a password, and the link that an administrator or the first start gives. */
import { Anchor, Button, Center, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { ErrorState, ProblemState } from '../pieces/error-state.tsx'
import { ApiError, get } from './api.ts'
import { useSignIn, type Credentials } from './session.ts'

function Page({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w="100%" maw={380}>
        <Title order={1}>{title}</Title>
        {children}
      </Stack>
    </Center>
  )
}

/** Only paths of this portal: a link must not lead elsewhere after the sign-in. */
function nextPath(): string {
  const next = new URLSearchParams(location.search).get('next') ?? '/'
  return /^\/(?![/\\])/.test(next) ? next : '/'
}

function useEntrance() {
  const { signIn } = useSignIn()
  const router = useRouter()
  return useMutation({ mutationFn: (credentials: Credentials) => signIn(credentials), onSuccess: () => router.history.push(nextPath()) })
}

/** Codes that a sign-in elsewhere came back with; a page in the address may say nothing else. */
const problems: Record<string, string> = {
  SSO_REFUSED: 'The identity provider knows you, but you may not come in here.',
  SSO_INVALID: 'The answer of the identity provider does not belong to a sign-in of this browser, or is too old. Begin again.',
  SSO_UNAVAILABLE: 'The identity provider does not answer. Try again, or sign in with a password or a login link.',
}

function Problem() {
  const code = new URLSearchParams(location.search).get('problem')
  if (code === null) return null
  return <ProblemState problem={{ code, message: problems[code] ?? 'The sign-in did not work.', fix: code === 'SSO_REFUSED' ? 'Ask an administrator of the platform.' : 'Begin again.' }} />
}

/** Whether the server waits for the code of a second factor. */
function asksForCode(error: Error | null): boolean {
  return error instanceof ApiError && (error.code === 'SECOND_FACTOR_WRONG' || (error.code === 'SECOND_FACTOR_NEEDED' && error.details.facts?.setUp !== true))
}

/** The field for the code says it all. */
function isFirstAsk(error: Error): boolean {
  return asksForCode(error) && (error as ApiError).code === 'SECOND_FACTOR_NEEDED'
}

function Code({ value, change }: { value: string; change: (next: string) => void }) {
  return <TextInput label="Code" description="Six digits of your authenticator app, or a recovery code." autoComplete="one-time-code" autoFocus required maxLength={20} value={value} onChange={({ currentTarget }) => change(currentTarget.value)} />
}

interface Provider {
  name: string
  displayName: string
}

function Providers({ items }: { items: Provider[] }) {
  return items.map(({ name, displayName }) => (
    <Button key={name} component="a" variant="default" href={`/v1/sso/${encodeURIComponent(name)}/start?${new URLSearchParams({ to: nextPath() }).toString()}`}>
      Sign in with {displayName}
    </Button>
  ))
}

export function SignIn() {
  const entrance = useEntrance()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const second = asksForCode(entrance.error) || code !== ''
  const providers = useQuery({ queryKey: ['providers'], queryFn: () => get<{ items: Provider[] }>('/v1/sso'), staleTime: Infinity, retry: false })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    entrance.mutate({ username, password, ...(code === '' ? {} : { code }) })
  }
  // A moment of nothing, so that the page does not jump when the buttons come.
  if (providers.isPending) return null
  return (
    <Page title="Sign in">
      <Problem />
      <Providers items={providers.data?.items ?? []} />
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" autoComplete="username" autoFocus required value={username} onChange={({ currentTarget }) => setUsername(currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={({ currentTarget }) => setPassword(currentTarget.value)} />
          {second && <Code value={code} change={setCode} />}
          {entrance.error && !isFirstAsk(entrance.error) && <ErrorState error={entrance.error} />}
          <Button type="submit" loading={entrance.isPending}>
            Sign in
          </Button>
        </Stack>
      </form>
      <Text size="sm" c="dimmed">
        No password yet? The command <code>pavior users login-link &lt;name&gt;</code> makes a link that signs in once; an administrator can send you one.
      </Text>
    </Page>
  )
}

/** Behind a login link. A preview of the link must not use it up, so the person presses the button. */
export function Welcome() {
  const entrance = useEntrance()
  const [key] = useState(() => new URLSearchParams(location.search).get('key') ?? '')
  const [code, setCode] = useState('')
  return (
    <Page title="Welcome to Pavior">
      <Text>This link signs you in once.</Text>
      {(asksForCode(entrance.error) || code !== '') && <Code value={code} change={setCode} />}
      {entrance.error && !isFirstAsk(entrance.error) && <ErrorState error={entrance.error} />}
      <Button onClick={() => entrance.mutate({ key, ...(code === '' ? {} : { code }) })} loading={entrance.isPending} disabled={key === ''} autoFocus>
        Sign in
      </Button>
      <Anchor href="/sign-in" size="sm">
        Sign in with a password
      </Anchor>
    </Page>
  )
}
