/** What a table shows of its rows, in which order, and as CSV. Pure. */

export type Cell = string | number | boolean | null | undefined

export interface Valued<R> {
  key: string
  label: string
  value: (row: R) => Cell
}

export interface Sort {
  key: string
  descending: boolean
}

/** As it stands in the address: `name` or `-name`. */
export function parseSort(text: string | undefined): Sort | undefined {
  if (!text) return undefined
  return text.startsWith('-') ? { key: text.slice(1), descending: true } : { key: text, descending: false }
}

export function formatSort({ key, descending }: Sort): string {
  return descending ? `-${key}` : key
}

/** What a click on a column's head leads to: ascending, descending, and back to the order that the table began with. */
export function nextSort(current: Sort | undefined, key: string): Sort | undefined {
  if (current?.key !== key) return { key, descending: false }
  return current.descending ? undefined : { key, descending: true }
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** Cells without a value come last, whichever way it is sorted. Rows that are alike keep their order. */
export function sortRows<R>(rows: readonly R[], sort: Sort | undefined, columns: readonly Valued<R>[]): readonly R[] {
  const column = columns.find(({ key }) => key === sort?.key)
  if (!sort || !column) return rows
  const direction = sort.descending ? -1 : 1
  return rows
    .map((row) => ({ row, cell: column.value(row) }))
    .toSorted((one, other) => {
      const missing = Number(isEmpty(one.cell)) - Number(isEmpty(other.cell))
      return missing !== 0 ? missing : direction * compare(one.cell, other.cell)
    })
    .map(({ row }) => row)
}

function isEmpty(cell: Cell): boolean {
  return cell === undefined || cell === null || cell === ''
}

function compare(one: Cell, other: Cell): number {
  if (isEmpty(one)) return 0
  return typeof one === 'number' && typeof other === 'number' ? one - other : collator.compare(String(one), String(other))
}

/** What is searched when somebody types, in lower case, one per row. */
export function searchTexts<R>(rows: readonly R[], columns: readonly Valued<R>[]): string[] {
  return rows.map((row) => columns.map(({ value }) => value(row) ?? '').join('\n').toLowerCase())
}

/** Rows that hold every word that was typed, in any column. */
export function filterRows<R>(rows: readonly R[], texts: readonly string[], filter: string): readonly R[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return words.length === 0 ? rows : rows.filter((_, index) => words.every((word) => texts[index]!.includes(word)))
}

/** CSV as in RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
export function toCsv<R>(rows: readonly R[], columns: readonly Valued<R>[]): string {
  const lines = [columns.map(({ label }) => label), ...rows.map((row) => columns.map(({ value }) => csvText(value(row))))]
  return lines.map((cells) => cells.map(quoted).join(',')).join('\r\n') + '\r\n'
}

function csvText(cell: Cell): string {
  if (typeof cell !== 'string') return isEmpty(cell) ? '' : String(cell)
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
