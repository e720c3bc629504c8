/** Secrets as rows: key, where it goes, its version and age, whether it is fine. */
import { IconLock } from '@tabler/icons-react'
import { useMemo } from 'react'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { currentSince, stateOf, whereText, type Secret } from './reads.ts'

const columns: Column<Secret>[] = [
  { key: 'key', label: 'Key', value: ({ spec }) => spec.key },
  { key: 'app', label: 'App', width: '140px', hideBelow: 'xs', value: ({ spec }) => spec.app ?? 'every app' },
  { key: 'where', label: 'Given out in', hideBelow: 'md', value: ({ spec }) => whereText(spec) },
  { key: 'state', label: 'State', width: '130px', value: (secret) => stateOf(secret).word, show: (secret) => <StateOf secret={secret} /> },
  { key: 'version', label: 'Version', width: '90px', align: 'right', hideBelow: 'sm', value: ({ status }) => status?.version ?? 0, show: ({ status }) => (status?.version === undefined ? '–' : `v${status.version}`) },
  { key: 'age', label: 'Age', width: '120px', hideBelow: 'sm', value: (secret) => currentSince(secret) ?? '', show: (secret) => <Ago at={currentSince(secret)} /> },
  { key: 'expires', label: 'Expires', width: '120px', hideBelow: 'md', value: ({ spec }) => spec.expiresAt ?? '', show: ({ spec }) => <Ago at={spec.expiresAt} /> },
]

export function StateOf({ secret }: { secret: Secret }) {
  const { word, tone, text } = stateOf(secret)
  return (
    <span title={text}>
      <Status word={word} tone={tone} />
    </span>
  )
}

export function SecretsTable({ items, loading, app }: { items: Secret[]; loading: boolean; app?: string }) {
  const team = useMemo(() => (new Set(items.map(({ metadata }) => metadata.namespace)).size > 1 ? [{ key: 'team', label: 'Team', width: '110px', hideBelow: 'sm', value: ({ metadata }: Secret) => metadata.namespace } satisfies Column<Secret>] : []), [items])
  return (
    <DataTable
      label="secrets"
      rows={items}
      columns={[...columns.slice(0, 1), ...team, ...columns.slice(1)]}
      rowKey={({ metadata }) => metadata.uid}
      href={({ metadata }) => `/secrets/${metadata.namespace}/${metadata.name}`}
      initialSort={{ key: 'key', descending: false }}
      loading={loading}
      empty={<EmptyState icon={IconLock} title="No secrets" text="A secret is stored sealed and given to apps; nobody can read it back." commands={[`pavior secrets set DATABASE_URL${app === undefined ? '' : ` --app ${app}`}`]} />}
    />
  )
}
