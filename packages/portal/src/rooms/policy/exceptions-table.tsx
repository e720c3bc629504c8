/** Exceptions, and the decision on those that somebody asked for. */
import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { phaseOf, requestedBy, type PolicyException } from './reads.ts'
import { Word } from './words.tsx'

const columns: Column<PolicyException>[] = [
  { key: 'policy', label: 'Policy', value: ({ spec }) => (spec.rule === undefined ? spec.policy : `${spec.policy}/${spec.rule}`) },
  { key: 'for', label: 'For', hideBelow: 'xs', value: ({ metadata, spec }) => (spec.app === undefined ? `all of ${metadata.namespace}` : `${metadata.namespace}/${spec.app}`) },
  { key: 'phase', label: 'State', width: '120px', hideBelow: 'xs', value: phaseOf, show: (exception) => <Word word={phaseOf(exception)} /> },
  { key: 'reason', label: 'Reason', hideBelow: 'md', value: ({ spec }) => spec.reason },
  { key: 'owner', label: 'Owner', width: '110px', hideBelow: 'sm', value: ({ spec }) => spec.owner },
  { key: 'ends', label: 'Ends', width: '120px', hideBelow: 'sm', value: ({ spec }) => spec.expiresAt, show: ({ spec }) => <Ago at={spec.expiresAt} /> },
  { key: 'decision', label: 'Decision', width: '150px', value: ({ status }) => status?.by, show: (exception) => <Decision exception={exception} /> },
]

export function ExceptionsTable({ items, name = 'exceptions' }: { items: PolicyException[]; name?: string }) {
  return <DataTable label={name === 'exceptions' ? 'exceptions' : `${name} exceptions`} name={name} rows={items} columns={columns} rowKey={({ metadata }) => metadata.uid} initialSort={{ key: 'ends', descending: false }} empty={<EmptyState title="No exceptions" text="Ask for one where a policy does not fit." commands={['pavior exception request <policy> --app <app> --reason "…" --days 30']} />} />
}

function Decision({ exception }: { exception: PolicyException }) {
  const session = useSession()
  const [asked, setAsked] = useState<'grant' | 'deny'>()
  const { metadata, spec, status } = exception
  const own = metadata.annotations?.[requestedBy] === session.name
  if (phaseOf(exception) !== 'Requested') return <Text size="xs" c="dimmed">{status?.by ?? ''}</Text>
  if (!session.admin && (own || !mayAs(session, 'admin', metadata.namespace))) return <Text size="xs" c="dimmed">Waits for another administrator</Text>
  const what = `${spec.policy} for ${spec.app ?? `team ${metadata.namespace}`}`
  return (
    <Group gap={4} wrap="nowrap">
      <Button size="compact-xs" onClick={() => setAsked('grant')} aria-label={`Grant the exception from ${what}`}>
        Grant
      </Button>
      <Button size="compact-xs" variant="default" onClick={() => setAsked('deny')} aria-label={`Deny the exception from ${what}`}>
        Deny
      </Button>
      <Confirm
        opened={asked !== undefined}
        close={() => setAsked(undefined)}
        title={asked === 'deny' ? `Deny the exception from ${what}?` : `Grant the exception from ${what}?`}
        losses={[`${metadata.annotations?.[requestedBy] ?? 'Somebody'} asks: ${spec.reason}`, `It ends on ${spec.expiresAt.slice(0, 10)}; ${spec.owner} answers for it.`]}
        action={asked === 'deny' ? 'Deny it' : 'Grant it'}
        harmless={asked !== 'deny'}
        confirm={() => post(`/v1/teams/${encodeURIComponent(metadata.namespace!)}/exceptions/${encodeURIComponent(metadata.name)}/${asked}`, {})}
      />
    </Group>
  )
}
