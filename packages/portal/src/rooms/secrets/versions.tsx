/** Versions, the newest first: put one in force again, or destroy its value. */
import type { SecretVersion } from '@pavior/contract'
import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { secretApi, versionTones, type Secret } from './reads.ts'

const columns: Column<SecretVersion>[] = [
  { key: 'version', label: 'Version', width: '90px', value: ({ version }) => version, show: ({ version }) => `v${version}` },
  { key: 'state', label: 'State', width: '120px', value: ({ state }) => state, show: ({ state }) => <Status word={state} tone={versionTones[state] ?? 'idle'} /> },
  { key: 'at', label: 'Stored', width: '130px', hideBelow: 'xs', value: ({ at }) => at, show: ({ at }) => <Ago at={at} /> },
  { key: 'by', label: 'By', hideBelow: 'sm', value: ({ by }) => by },
]

export function Versions({ secret, may }: { secret: Secret; may: boolean }) {
  const acts: Column<SecretVersion>[] = may ? [{ key: 'acts', label: 'Acts', width: '45%', value: () => '', show: (version) => <Acts secret={secret} version={version} /> }] : []
  return (
    <Section title="Versions">
      <DataTable label="versions" name="versions" rows={secret.status?.versions ?? []} columns={[...columns, ...acts]} rowKey={({ version }) => String(version)} initialSort={{ key: 'version', descending: true }} empty={<EmptyState title="It has no value yet" commands={[`pavior secrets set ${secret.spec.key}`]} />} />
    </Section>
  )
}

function Acts({ secret, version: { version, state } }: { secret: Secret; version: SecretVersion }) {
  const [asked, setAsked] = useState<'use' | 'revoke'>()
  if (state === 'current' || state === 'revoked') return null
  const use = asked !== 'revoke'
  return (
    <Group gap={4}>
      <Button size="compact-xs" variant="default" onClick={() => setAsked('use')} aria-label={`Put in force: version ${version}`}>
        Put in force
      </Button>
      <Button size="compact-xs" variant="default" onClick={() => setAsked('revoke')} aria-label={`Revoke version ${version}`}>
        Revoke
      </Button>
      <Confirm
        opened={asked !== undefined}
        close={() => setAsked(undefined)}
        title={use ? `Put version ${version} in force?` : `Revoke version ${version}?`}
        losses={use ? ['Every app that gets this secret gets a release with it, one instance first.'] : ['Its value is destroyed for good.', 'Releases that were made with it cannot be rolled back to.']}
        action={use ? 'Put in force' : 'Revoke'}
        harmless={use}
        confirm={() => (use ? post(secretApi(secret, 'use'), { version }) : post(secretApi(secret, `versions/${version}/revoke`), {}))}
      />
    </Group>
  )
}
