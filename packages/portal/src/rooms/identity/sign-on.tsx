/** Identity providers: which there are, whether they answer, and what they have to be told. */
import type { IdentityProviderSpec, Resource } from '@pavior/contract'
import { Box, Button, Code, Group, Modal, PasswordInput, Stack, Table, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconLogin2, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, post, put, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'

type Provider = Resource<IdentityProviderSpec>

interface Check {
  issuer: string
  keys: number
  pkce: boolean
  logout: boolean
  redirectUri: string
  backchannelLogoutUri: string
  secretSet: boolean
}

export default function SignOn() {
  const { items, loading } = useCollection<Provider>('identityproviders')
  const [adding, setAdding] = useState(false)
  return (
    <>
      <PageHeader
        title="Single sign-on"
        text="People sign in with the accounts that they have already. Local accounts go on beside it, also when the provider does not answer."
        actions={
          <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
            Add a provider
          </Button>
        }
      />
      <Modal opened={adding} onClose={() => setAdding(false)} title="Add an identity provider" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Add close={() => setAdding(false)} />
      </Modal>
      {loading && <RowsSkeleton />}
      {!loading && items.length === 0 && <EmptyState icon={IconLogin2} title="There is no identity provider yet." text={<>Register this platform at your provider with the redirect URI <Code>{location.origin}/v1/sso/callback</Code>, then add it here.</>} />}
      {items.map((provider) => (
        <One key={provider.metadata.uid} provider={provider} />
      ))}
    </>
  )
}

function One({ provider: { metadata, spec } }: { provider: Provider }) {
  const { name } = metadata
  const [secret, setSecret] = useState(false)
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['sso-check', name], queryFn: () => get<Check>(`/v1/sso/${encodeURIComponent(name)}/check`), enabled: !spec.disabled, retry: false })
  return (
    <Section
      title={spec.displayName}
      actions={
        <Group gap="xs">
          <GoLink size="sm" to={genericHref('identityproviders', undefined, name)}>
            Edit
          </GoLink>
          <Button size="compact-xs" variant="default" onClick={() => setSecret(true)} aria-label={`Set the client secret of ${name}`}>
            Client secret
          </Button>
          <Button size="compact-xs" variant="default" loading={isFetching} disabled={spec.disabled === true} onClick={() => void refetch()} aria-label={`Test ${name}`}>
            Test
          </Button>
        </Group>
      }
    >
      <Secret name={name} opened={secret} close={() => setSecret(false)} saved={() => void refetch()} />
      {error && <Box mb="xs"><ErrorState error={error} /></Box>}
      <Facts spec={spec} check={data} failed={error !== null} />
    </Section>
  )
}

function Facts({ spec, check, failed }: { spec: IdentityProviderSpec; check: Check | undefined; failed: boolean }) {
  const state = spec.disabled ? <Status word="Disabled" tone="idle" /> : failed ? <Status word="Does not answer" tone="bad" /> : check ? <Status word="Answers" tone="good" /> : <Status word="Asking" tone="busy" />
  const rows: [string, React.ReactNode][] = [
    ['State', state],
    ['Issuer', <Code key="issuer">{spec.issuer}</Code>],
    ['Who comes in', [spec.users === 'known' ? 'only people who have an account here' : 'whoever the provider signs in', spec.allowedDomains && `with an address of ${spec.allowedDomains.join(', ')}`].filter(Boolean).join(', ')],
    ['Groups', spec.groupsClaim ? `by the claim ${spec.groupsClaim}` : 'not taken from the provider'],
    ...(check
      ? ([
          ['Client secret', check.secretSet ? 'set' : 'none; the client has to be a public one'],
          ['Signing keys', String(check.keys)],
          ['Sign-out', check.logout ? 'ends the session at the provider too' : 'ends the session here only'],
          ['Redirect URI', <Address key="redirect" text={check.redirectUri} />],
          ['Back-channel logout', <Address key="logout" text={check.backchannelLogoutUri} />],
        ] as [string, React.ReactNode][])
      : []),
  ]
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={300}>
      <Table aria-label={`Facts of ${spec.displayName}`} verticalSpacing={4} layout="auto">
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th w={170} fw={400}>
                {label}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Address({ text }: { text: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Code>{text}</Code>
      <CopyButton text={text} label={`Copy ${text}`} />
    </Group>
  )
}

function Secret({ name, opened, close, saved }: { name: string; opened: boolean; close: () => void; saved: () => void }) {
  const [secret, setSecret] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await put(`/v1/sso/${encodeURIComponent(name)}/secret`, { secret })
      setSecret('')
      saved()
      close()
      notifications.show({ closeButtonProps: { 'aria-label': 'Close' }, message: 'The client secret is kept, sealed.' })
    })
  }
  return (
    <Modal opened={opened} onClose={close} title={`Client secret of ${name}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack>
          <PasswordInput label="Client secret" description="Kept sealed; nobody can read it here again." autoComplete="off" required maxLength={4096} data-autofocus value={secret} onChange={({ currentTarget }) => setSecret(currentTarget.value)} />
          {error && <ErrorState error={error} />}
          <Button type="submit" loading={busy}>
            Keep it
          </Button>
        </Stack>
      </form>
    </Modal>
  )
}

function Add({ close }: { close: () => void }) {
  const [name, setName] = useState('')
  const [displayName, setDisplayName] = useState('')
  const [issuer, setIssuer] = useState('')
  const [clientId, setClientId] = useState('')
  const [groupsClaim, setGroupsClaim] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await post(resourcePath('identityproviders'), { metadata: { name }, spec: { displayName, issuer, clientId, ...(groupsClaim ? { groupsClaim } : {}) } })
      close()
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" description="In addresses; it does not change." placeholder="corporate" required maxLength={40} data-autofocus value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        <TextInput label="Shown as" placeholder="Example Corp" required maxLength={60} value={displayName} onChange={({ currentTarget }) => setDisplayName(currentTarget.value)} />
        <TextInput label="Issuer" placeholder="https://login.example.com" required maxLength={500} value={issuer} onChange={({ currentTarget }) => setIssuer(currentTarget.value)} />
        <TextInput label="Client id" required maxLength={300} value={clientId} onChange={({ currentTarget }) => setClientId(currentTarget.value)} />
        <TextInput label="Claim with groups" description="Empty: groups are not taken from the provider." placeholder="groups" maxLength={100} value={groupsClaim} onChange={({ currentTarget }) => setGroupsClaim(currentTarget.value)} />
        <Text size="xs" c="dimmed">
          Domains, scopes and who comes in are on its own page.
        </Text>
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Add
        </Button>
      </Stack>
    </form>
  )
}
