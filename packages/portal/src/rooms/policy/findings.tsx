/** A table of findings: what, where, and how to fix it. */
import type { PolicyFinding } from '@pavior/contract'
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { rankOf, Word } from './words.tsx'

export interface FindingsProps {
  items: PolicyFinding[]
  /** Tell which app: not on the page of one. */
  apps?: boolean
  /** What can be done about one. */
  action?: (finding: PolicyFinding) => ReactNode
  empty: ReactNode
}

function What({ finding: { message, outcome, fix, exception } }: { finding: PolicyFinding }) {
  return (
    <>
      <Text span size="sm">
        {outcome === 'exempt' ? `Covered by the exception ${exception}.` : message}
      </Text>
      {(outcome === 'broken' || outcome === 'error') && fix && (
        <Text size="xs" c="dimmed">
          {fix}
        </Text>
      )}
    </>
  )
}

export function FindingsTable({ items, apps = false, action, empty }: FindingsProps) {
  const columns: Column<PolicyFinding>[] = [
    { key: 'outcome', label: 'Outcome', width: '110px', value: ({ outcome }) => outcome, show: ({ outcome }) => <Word word={outcome} /> },
    ...(apps
      ? [{ key: 'app', label: 'App', value: ({ team, app, name }: PolicyFinding) => `${team}/${app || name}`, show: ({ team, app, name }: PolicyFinding) => (app ? <GoLink to={`/apps/${team}/${app}/policies`}>{`${team}/${app}`}</GoLink> : `${team}/${name}`) }]
      : [{ key: 'policy', label: 'Policy', value: ({ policy }: PolicyFinding) => policy, show: ({ policy }: PolicyFinding) => <GoLink to={`/policies/${policy}`}>{policy}</GoLink> }]),
    { key: 'severity', label: 'Severity', width: '100px', hideBelow: 'sm', value: ({ severity }) => rankOf(severity), show: ({ severity }) => severity },
    { key: 'environment', label: 'Environment', width: '130px', hideBelow: 'md', value: ({ environment }) => environment },
    { key: 'what', label: 'What, and how to fix it', hideBelow: 'xs', value: ({ message, fix }) => `${message} ${fix ?? ''}`, show: (finding) => <What finding={finding} /> },
    { key: 'since', label: 'Since', width: '110px', hideBelow: 'lg', value: ({ since }) => since, show: ({ since }) => <Ago at={since} /> },
    ...(action ? [{ key: 'action', label: 'Exception', width: '170px', value: () => undefined, show: action }] : []),
  ]
  return <DataTable label="findings" rows={items} columns={columns} rowKey={({ team, app, kind, name, environment, policy, rule }) => [team, app, kind, name, environment, policy, rule].join('/')} initialSort={{ key: 'outcome', descending: false }} empty={empty} />
}
