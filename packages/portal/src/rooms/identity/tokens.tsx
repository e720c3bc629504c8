/** Tokens of programs and sessions of browsers: made, shown once, revoked. */
import type { TokenRow } from '@pavior/contract'
import { Button, Group, Table, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { remove } from '../../frame/api.ts'
import { useLatest } from '../../frame/latest.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { NewToken } from './new-token.tsx'
import { SecondFactor } from './second-factor.tsx'

const PasswordChange = lazy(() => import('../../frame/password-change.tsx'))

export default function Tokens() {
  const { value: data, error } = useLatest<{ items: TokenRow[] }>('/v1/tokens?follow=1')
  const [making, setMaking] = useState(false)
  const [changing, setChanging] = useState(false)
  const unique = [...new Map((data?.items ?? []).map((token) => [token.id, token])).values()]
  const tokens = unique.filter(({ session }) => !session)
  const sessions = unique.filter(({ session }) => session)
  return (
    <>
      <PageHeader
        title="Tokens and sessions"
        text="Programs act with a token, browsers with a session. Revoke what you do not know."
        actions={
          <>
            <Button size="xs" variant="default" onClick={() => setChanging(true)}>
              Change password
            </Button>
            <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
              New token
            </Button>
          </>
        }
      />
      <NewToken opened={making} close={() => setMaking(false)} />
      <Suspense>{changing && <PasswordChange close={() => setChanging(false)} />}</Suspense>
      {error && <ErrorState error={error} />}
      {!data && !error && <RowsSkeleton />}
      {data && (
        <>
          <Section title="Tokens">{tokens.length === 0 ? <EmptyState title="No token yet" text="A token lets the command line, a pipeline or another program act in your name or that of a team." /> : <List tokens={tokens} label="Tokens" />}</Section>
          <Section title="Browsers that are signed in">
            <List tokens={sessions} label="Sessions" />
          </Section>
          <SecondFactor />
        </>
      )}
    </>
  )
}

function List({ tokens, label }: { tokens: TokenRow[]; label: string }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={300}>
      <Table aria-label={label} verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What for</Table.Th>
            <Table.Th visibleFrom="sm">Acts as</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th visibleFrom="sm">Ends</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Row key={token.id} token={token} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Row({ token }: { token: TokenRow }) {
  const [asking, setAsking] = useState(false)
  const { id, prefix, description, username, team, role, app, serviceAccount, bounds, lastUsed, expiresAt, session } = token
  const name = description || prefix
  const revoke = (): Promise<unknown> => remove(`/v1/tokens/${encodeURIComponent(id)}`)
  return (
    <Table.Tr>
      <Table.Td>
        {name}
        <Text size="xs" c="dimmed">
          {prefix}…
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">{[username ?? (team ? `team ${team}` : 'a directory over SCIM'), team && serviceAccount, role, app && `only ${app}`, bounds && 'with bounds'].filter(Boolean).join(', ')}</Table.Td>
      <Table.Td>{lastUsed ? <Ago at={lastUsed} /> : 'never'}</Table.Td>
      <Table.Td visibleFrom="sm">{expiresAt ? <Ago at={expiresAt} /> : 'never'}</Table.Td>
      <Table.Td>
        <Group justify="flex-end">
          <Button size="compact-xs" variant="default" onClick={() => setAsking(true)} aria-label={`Revoke ${name}`}>
            Revoke
          </Button>
        </Group>
        <Confirm opened={asking} close={() => setAsking(false)} title={session ? `End the session "${name}"?` : `Revoke the token "${name}"?`} losses={[session ? 'That browser is signed out at once.' : 'Whatever uses it is refused from now on. A new token can be made; this one does not come back.']} action="Revoke" confirm={revoke} />
      </Table.Td>
    </Table.Tr>
  )
}
