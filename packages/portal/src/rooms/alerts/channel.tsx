/** One channel: whether it works, a message to try it, and everything that was sent by it. */
import { Button, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { ChannelState } from './channel-state.tsx'
import { Deliveries } from './deliveries.tsx'
import { apiOf, logQuery, typeOf, type Channel } from './reads.ts'

const crumbs = [{ label: 'Alerts', to: '/alerts' }, { label: 'Channels', to: '/channels' }]

export default function ChannelPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: channel, loading } = useResource<Channel>('notificationchannels', team, name)
  const log = useQuery(logQuery('notificationchannels', channel))
  if (loading) return <PageSkeleton />
  if (!channel) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no channel ${name} in team ${team}.`} text="It may have been deleted." commands={[`pavior get notificationchannels --team ${team}`]} />
      </>
    )
  }
  const { spec, status } = channel
  return (
    <>
      <PageHeader
        title={name}
        crumbs={crumbs}
        beside={status?.state && <ChannelState status={status} />}
        text={spec.description ?? `Messages by ${typeOf(channel)}.`}
        actions={<GoLink size="sm" to={genericHref('notificationchannels', team, name)}>Settings of {name}</GoLink>}
      />
      <Test channel={channel} />
      {spec.fallback && <Text size="sm" mt="xs">What it does not deliver is taken over by {spec.fallback}.</Text>}
      <Section title="What was sent by it">
        {log.error ? <ErrorState error={log.error} /> : <Deliveries rows={log.data ?? []} loading={log.isPending} nothing="Nothing yet. Send a test." />}
      </Section>
    </>
  )
}

function Test({ channel }: { channel: Channel }) {
  const session = useSession()
  const client = useQueryClient()
  const [answer, setAnswer] = useState<string>()
  const { busy, error, act } = useAct()
  if (!mayAs(session, 'developer', channel.metadata.namespace!)) return <CopyCommand command={`pavior alerts test ${channel.metadata.name} --team ${channel.metadata.namespace}`} />
  const send = (): void => {
    setAnswer(undefined)
    act(() => post<{ answer: string }>(apiOf('notificationchannels', channel, 'test'), {}).then(({ answer: said }) => setAnswer(said)).finally(() => client.invalidateQueries({ queryKey: ['notifications', 'notificationchannels'] })))
  }
  return (
    <>
      <Button size="xs" loading={busy} onClick={send}>Send a test</Button>
      {answer !== undefined && <Text size="sm" mt="xs" role="status">It works. {answer}</Text>}
      {error && <ErrorState error={error} />}
    </>
  )
}
