/** By what people are told, and whether it works. */
import { Button } from '@mantine/core'
import { IconPlus, IconSend } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useCollection } from '../../frame/collections.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { channelPath, typeOf, type Channel } from './reads.ts'
import { ChannelState } from './channel-state.tsx'

const columns: Column<Channel>[] = [
  { key: 'name', label: 'Channel', value: ({ metadata }) => metadata.name },
  { key: 'type', label: 'Type', value: typeOf, width: '130px' },
  { key: 'state', label: 'State', value: ({ status }) => status?.state ?? 'Not used yet', show: ({ status }) => (status?.state ? <ChannelState status={status} /> : <Status word="Not used yet" tone="idle" />), width: '140px' },
  { key: 'since', label: 'Since', value: ({ status }) => status?.since ?? '', show: ({ status }) => <Ago at={status?.since} />, width: '110px', hideBelow: 'sm' },
  { key: 'fallback', label: 'Fallback', value: ({ spec }) => spec.fallback ?? '', width: '130px', hideBelow: 'md' },
  { key: 'message', label: 'Answered last', value: ({ status }) => status?.message ?? '', hideBelow: 'md' },
]

export default function Channels() {
  const team = useTeam()
  const { items, loading } = useCollection<Channel>('notificationchannels', { team })
  return (
    <>
      <PageHeader
        title="Channels"
        crumbs={[{ label: 'Alerts', to: '/alerts' }]}
        text="By what people and other systems are told: mail, Slack, Teams, PagerDuty, webhooks, ServiceNow."
        actions={
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/notificationchannels/create" {...props} />}>
            Add a channel
          </Button>
        }
      />
      <DataTable
        label="channels"
        rows={items}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={channelPath}
        initialSort={{ key: 'name', descending: false }}
        loading={loading}
        empty={<EmptyState icon={IconSend} title="Nobody can be sent a message yet" text="Add a channel, then name it in an EscalationPolicy called default." commands={['pavior explain notificationchannel', 'pavior alerts test <channel>']} />}
      />
    </>
  )
}
