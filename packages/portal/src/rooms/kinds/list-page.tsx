import { Anchor, Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { resourceHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status, toneOf } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import type { Cell } from '../../pieces/table-plan.ts'
import { useLiveTable, type TableColumn, type TableRow } from './table.ts'
import { useKind, type KnownKind } from './use-kind.ts'

const truths: Record<string, string> = { True: 'Yes', False: 'No', Unknown: 'Unknown' }

export default function ListPage() {
  const kind = useKind()
  return kind ? <List kind={kind} /> : <PageSkeleton />
}

function List({ kind }: { kind: KnownKind }) {
  const chosen = useTeam()
  const team = kind.namespaced ? chosen : undefined
  const session = useSession()
  const { columns, rows, loading, error } = useLiveTable(kind.plural, team)
  const shown = useMemo(() => columnsOf(columns, kind.namespaced && team === undefined), [columns, kind.namespaced, team])
  const create = kind.verbs.includes('create') && (kind.namespaced ? Object.keys(session.roles).some((own) => mayAs(session, 'developer', own)) || session.admin : session.admin)
  return (
    <>
      <PageHeader
        title={severalOf(kind)}
        crumbs={[{ label: 'Resources', to: '/kinds' }]}
        text={kind.schema.description}
        actions={
          create && (
            <Button size="sm" leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to={`/kinds/${kind.plural}/create`} {...props} />}>
              Create
            </Button>
          )
        }
      />
      {error && <ProblemState problem={{ message: error.message ?? 'The list cannot be read.' }} />}
      <DataTable
        label={kind.plural}
        rows={rows}
        columns={shown}
        rowKey={({ object }) => object.metadata.uid}
        href={({ object }) => resourceHref(kind.plural, object)}
        loading={loading}
        empty={<EmptyState title={`There are no ${kind.plural}${team === undefined ? '' : ` in team ${team}`} yet`} text={kind.schema.description} commands={[`pavior explain ${kind.plural}`, 'pavior apply -f <file>']} />}
      />
    </>
  )
}

/** InstanceSets, Policies: as the path has it, but written as the kind is. */
function severalOf({ kind, plural }: KnownKind): string {
  const stem = kind.toLowerCase()
  return plural.startsWith(stem) ? kind + plural.slice(stem.length) : plural.startsWith(stem.slice(0, -1)) ? kind.slice(0, -1) + plural.slice(stem.length - 1) : kind
}

/** The kind's own columns; the name leads, and the team follows where there are several. */
function columnsOf(definitions: TableColumn[], withTeam: boolean): Column<TableRow>[] {
  const own = definitions.map((definition, index): Column<TableRow> => {
    const { name, type, priority } = definition
    const value = ({ cells }: TableRow): Cell => cells[index] as Cell
    const base = { key: name.toLowerCase(), label: name, value, ...(index === 0 ? { width: '24%' } : {}), ...(type === 'integer' || type === 'number' ? { align: 'right' as const } : {}), ...(priority > 0 ? { hideBelow: 'lg' as const } : index > 1 ? { hideBelow: 'sm' as const } : {}) }
    if (name === 'Age') return { ...base, value: ({ object }) => object.metadata.creationTimestamp, show: ({ object }) => <Ago at={object.metadata.creationTimestamp} />, width: '110px', hideBelow: 'xs' }
    if (['Ready', 'Phase', 'Status'].includes(name)) return { ...base, width: '130px', show: (row) => statusOf(String(value(row) ?? '')) }
    return { ...base, show: (row) => linkOf(value(row)) }
  })
  const team: Column<TableRow> = { key: 'team', label: 'Team', value: ({ object }) => object.metadata.namespace, width: '110px', hideBelow: 'sm' }
  return withTeam && own.length > 0 ? [own[0]!, team, ...own.slice(1)] : own
}

function statusOf(word: string) {
  return word === '' ? '–' : <Status word={truths[word] ?? word} tone={toneOf(word)} />
}

function linkOf(value: Cell) {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value)) return undefined
  return (
    <Anchor size="sm" href={value} target="_blank" rel="noopener noreferrer">
      {value.replace(/^https?:\/\//, '')}
    </Anchor>
  )
}
