/**
 * A table that sorts, filters by typing, walks by keyboard, copies as CSV and holds ten thousand rows.
 * Sort and filter live in the address (?sort=-age&filter=web), so a link shows the same to everybody.
 */
import { Table } from '@mantine/core'
import { useDeferredValue, useMemo, useRef, type ReactNode } from 'react'
import { useShortcuts } from '../frame/shortcuts.ts'
import { TableBody } from './data-table-body.tsx'
import { TableHead } from './data-table-head.tsx'
import { TableTools, useTableState } from './data-table-tools.tsx'
import { RowsSkeleton } from './page-skeleton.tsx'
import type { Column } from './table-column.ts'
import { filterRows, searchTexts, sortRows, type Sort } from './table-plan.ts'
import classes from './data-table.module.css'

export interface DataTableProps<R> {
  /** What the rows are, for screen readers and the count: "apps". */
  label: string
  rows: readonly R[]
  columns: readonly Column<R>[]
  rowKey: (row: R) => string
  /** Page of a row; the first column becomes its link, and Enter goes there. */
  href?: (row: R) => string
  /** The order when the person has not chosen one. */
  initialSort?: Sort
  loading?: boolean
  /** In place of the table when there is no row at all. */
  empty?: ReactNode
  /** More filters, beside the one for typing. */
  tools?: ReactNode
  /** Tells tables of one page apart in the address: `builds` gives ?builds.sort=… */
  name?: string
}

export function DataTable<R>({ label, rows, columns, rowKey, href, initialSort, loading = false, empty, tools, name }: DataTableProps<R>) {
  const state = useTableState(name)
  const sort = state.sort ?? initialSort
  const typed = useDeferredValue(state.filter)
  const texts = useMemo(() => searchTexts(rows, columns), [rows, columns])
  const shown = useMemo(() => sortRows(filterRows(rows, texts, typed), sort, columns), [rows, texts, typed, sort, columns])
  const filter = useRef<HTMLInputElement>(null)
  useShortcuts([{ keys: 'f', label: `Filter ${label}`, group: 'Table', run: () => filter.current?.focus() }])
  if (loading && rows.length === 0) return <RowsSkeleton />
  if (rows.length === 0 && empty) return empty
  return (
    <div>
      <TableTools label={label} state={state} filterRef={filter} shown={shown} total={rows.length} columns={columns}>
        {tools}
      </TableTools>
      <Table className={classes.table} aria-label={label} aria-rowcount={shown.length + 1} layout="fixed" highlightOnHover>
        <TableHead columns={columns} sort={sort} setSort={state.setSort} />
        <TableBody rows={shown} columns={columns} rowKey={rowKey} href={href} />
      </Table>
      {shown.length === 0 && <p className={classes.nothing}>No {label} match “{typed}”.</p>}
    </div>
  )
}
