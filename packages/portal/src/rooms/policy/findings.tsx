/** A table of findings: what and where; how to fix it stands at the rule and on the app. */
import type { PolicyFinding } from '@pavior/contract'
import type { ReactNode } from 'react'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { rankOf, Word } from './words.tsx'

export interface FindingsProps {
  items: PolicyFinding[]
  empty: ReactNode
}

const columns: Column<PolicyFinding>[] = [
  { key: 'outcome', label: 'Outcome', width: '110px', value: ({ outcome }) => outcome, show: ({ outcome }) => <Word word={outcome} /> },
  { key: 'app', label: 'App', value: ({ team, app, name }) => `${team}/${app || name}`, show: ({ team, app, name }) => (app ? <GoLink to={`/apps/${team}/${app}/policies`}>{`${team}/${app}`}</GoLink> : `${team}/${name}`) },
  { key: 'severity', label: 'Severity', width: '100px', hideBelow: 'sm', value: ({ severity }) => rankOf(severity), show: ({ severity }) => severity },
  { key: 'environment', label: 'Environment', width: '130px', hideBelow: 'md', value: ({ environment }) => environment },
  { key: 'what', label: 'What', hideBelow: 'xs', value: ({ message, outcome, exception }) => (outcome === 'exempt' ? `Covered by the exception ${exception}.` : message) },
  { key: 'since', label: 'Since', width: '110px', hideBelow: 'lg', value: ({ since }) => since, show: ({ since }) => <Ago at={since} /> },
]

export function FindingsTable({ items, empty }: FindingsProps) {
  return <DataTable label="findings" rows={items} columns={columns} rowKey={({ team, app, kind, name, environment, policy, rule }) => [team, app, kind, name, environment, policy, rule].join('/')} initialSort={{ key: 'outcome', descending: false }} empty={empty} />
}
