/** The command line on this machine asks to act as whoever is signed in here; it listens on the loopback for the answer. */
import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { useAct } from '../../pieces/use-act.ts'

/** The server checks it too; here it keeps this page from sending anybody elsewhere. */
function loopback(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const address = new URL(text)
  return address.protocol === 'http:' && (address.hostname === '127.0.0.1' || address.hostname === '[::1]') ? address : undefined
}

export default function Authorize() {
  const { user } = useSession()
  const [asked] = useState(() => new URLSearchParams(location.search))
  const { busy, error, act } = useAct()
  const redirect = loopback(asked.get('redirect_uri') ?? '')
  const [challenge, state] = [asked.get('code_challenge'), asked.get('state')]
  if (!redirect || challenge === null || state === null) {
    return (
      <>
        <PageHeader title="Sign in the command line" />
        <EmptyState title="This page is opened by the command line." text="It shows which one asks to act as you." commands={[`pavior login ${location.origin}`]} />
      </>
    )
  }
  const answer = (parameters: Record<string, string>): void => {
    redirect.search = new URLSearchParams({ ...parameters, state }).toString()
    location.assign(redirect.href)
  }
  const allow = (): void => act(async () => answer(await post<{ code: string }>('/v1/cli/authorize', { redirectUri: asked.get('redirect_uri'), challenge })))
  return (
    <Stack maw={520}>
      <PageHeader title="Sign in the command line" text={`The pavior command on ${asked.get('machine') || 'this machine'} asks to act as ${user}.`} />
      <Text size="sm">Go on only if you have just run pavior login on that machine. It can then do what you can, for 30 days, until its token is revoked under Tokens.</Text>
      {error && <ErrorState error={error} />}
      <Group gap="xs">
        <Button onClick={allow} loading={busy} autoFocus>
          Let it act as {user}
        </Button>
        <Button variant="default" onClick={() => answer({ error: 'access_denied' })}>
          No
        </Button>
      </Group>
    </Stack>
  )
}
