/** The rows. Many of them are only there while they are near the screen; a few are all there, so that the browser finds text in them. */
import { Table } from '@mantine/core'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react'
import { useGo } from '../frame/navigation.ts'
import { useShortcuts } from '../frame/shortcuts.ts'
import type { Column } from './table-column.ts'
import classes from './data-table.module.css'

const rowHeightPx = 40
const virtualFrom = 200
const overscanRows = 12

interface TableBodyProps<R> {
  rows: readonly R[]
  columns: readonly Column<R>[]
  rowKey: (row: R) => string
  href: ((row: R) => string) | undefined
}

export function TableBody<R>({ rows, columns, rowKey, href }: TableBodyProps<R>) {
  const body = useRef<HTMLTableSectionElement>(null)
  const { from, to, scrollTo } = useVisible(body, rows.length)
  const { active, walk } = useWalk(body, rows.length, scrollTo)
  const go = useGo()
  const hear = (event: KeyboardEvent): void => {
    const row = rows[active]
    // Enter within a link or button of the row is theirs.
    if (event.key === 'Enter' && href && row !== undefined && (event.target as HTMLElement).tagName === 'TR') return go(href(row))
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: rows.length - 1 }
    const next = moves[event.key]
    if (next === undefined) return
    event.preventDefault()
    walk(next)
  }
  /** One listener for all rows: a router's link in each is too dear when hundreds pass by in a second. */
  const follow = (event: MouseEvent): void => {
    const link = (event.target as HTMLElement).closest('a')
    if (!link?.classList.contains(classes.link!) || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(link.getAttribute('href')!)
  }
  return (
    <Table.Tbody ref={body} onKeyDown={hear} onClick={follow}>
      <Gap rows={from} columns={columns.length} />
      {rows.slice(from, to).map((row, index) => (
        <Row key={rowKey(row)} row={row} index={from + index} columns={columns as readonly Column<unknown>[]} href={href?.(row)} reachable={from + index === active} />
      ))}
      <Gap rows={rows.length - to} columns={columns.length} />
    </Table.Tbody>
  )
}

/** Which rows are there, and how to bring another one to the screen. */
function useVisible(body: { current: HTMLElement | null }, count: number): { from: number; to: number; scrollTo: (index: number) => void } {
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => {
    const top = body.current ? Math.round(body.current.getBoundingClientRect().top + window.scrollY) : 0
    if (top !== offset) setOffset(top)
  })
  const few = count <= virtualFrom
  const virtualizer = useWindowVirtualizer({ count: few ? 0 : count, estimateSize: () => rowHeightPx, overscan: overscanRows, scrollMargin: offset, scrollPaddingStart: 100, scrollPaddingEnd: 20 })
  const items = virtualizer.getVirtualItems()
  const scrollTo = (index: number): void => {
    if (!few) virtualizer.scrollToIndex(index, { align: 'auto' })
  }
  if (few) return { from: 0, to: count, scrollTo }
  return { from: items[0]?.index ?? 0, to: Math.min(count, (items.at(-1)?.index ?? overscanRows) + 1), scrollTo }
}

/** One row at a time is reached by Tab; arrows, and j and k from anywhere, go on from there. */
function useWalk(body: { current: HTMLElement | null }, count: number, scrollTo: (index: number) => void): { active: number; walk: (index: number) => void } {
  const [active, setActive] = useState(0)
  const wanted = useRef<number | undefined>(undefined)
  const arrive = (): void => {
    if (wanted.current === undefined) return
    const row = body.current?.querySelector<HTMLElement>(`tr[data-index="${wanted.current}"]`)
    if (!row) return
    wanted.current = undefined
    row.focus({ preventScroll: true })
    row.scrollIntoView({ block: 'nearest' })
  }
  // A row that was far away is there only after the next rendering.
  useEffect(arrive)
  const walk = (index: number): void => {
    const next = Math.max(0, Math.min(count - 1, index))
    wanted.current = next
    scrollTo(next)
    setActive(next)
    arrive()
  }
  const inside = (): boolean => body.current?.contains(document.activeElement) ?? false
  useShortcuts([
    { keys: 'j', label: 'Next row', group: 'Table', run: () => walk(inside() ? active + 1 : active) },
    { keys: 'k', label: 'Previous row', group: 'Table', run: () => walk(inside() ? active - 1 : active) },
  ])
  return { active: Math.min(active, Math.max(0, count - 1)), walk }
}

function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null
  return (
    <tr aria-hidden style={{ height: rows * rowHeightPx }}>
      <td colSpan={columns} />
    </tr>
  )
}

interface RowProps {
  row: unknown
  index: number
  columns: readonly Column<unknown>[]
  href: string | undefined
  reachable: boolean
}

const Row = memo(function Row({ row, index, columns, href, reachable }: RowProps) {
  return (
    <tr data-index={index} aria-rowindex={index + 2} tabIndex={reachable ? 0 : -1} className={classes.row}>
      {columns.map((column, place) => {
        const value = column.value(row)
        const shown: ReactNode = column.show?.(row) ?? (value === undefined || value === null || value === '' ? '–' : String(value))
        return (
          <td key={column.key} data-align={column.align} data-hide-below={column.hideBelow} className={classes.cell} title={typeof value === 'string' && !column.show ? value : undefined}>
            {place === 0 && href !== undefined ? (
              <a href={href} className={classes.link} tabIndex={-1}>
                {shown}
              </a>
            ) : (
              shown
            )}
          </td>
        )
      })}
    </tr>
  )
})
