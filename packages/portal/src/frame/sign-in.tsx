/** The two ways in: a password, and the link that an administrator or the first start gives. */
import { Anchor, Button, Center, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { ErrorState } from '../pieces/error-state.tsx'
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

export function SignIn() {
  const entrance = useEntrance()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    entrance.mutate({ username, password })
  }
  return (
    <Page title="Sign in">
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" autoComplete="username" autoFocus required value={username} onChange={({ currentTarget }) => setUsername(currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={({ currentTarget }) => setPassword(currentTarget.value)} />
          {entrance.error && <ErrorState error={entrance.error} />}
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
  return (
    <Page title="Welcome to Pavior">
      <Text>This link signs you in once.</Text>
      {entrance.error && <ErrorState error={entrance.error} />}
      <Button onClick={() => entrance.mutate({ key })} loading={entrance.isPending} disabled={key === ''} autoFocus>
        Sign in
      </Button>
      <Anchor href="/sign-in" size="sm">
        Sign in with a password
      </Anchor>
    </Page>
  )
}
