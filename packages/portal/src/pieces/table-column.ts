/** One column of a table. */
import type { ReactNode } from 'react'
import type { Cell } from './table-plan.ts'

export interface Column<R> {
  /** In the address when sorted by it. */
  key: string
  label: string
  /** What is sorted, searched and copied; also what is shown when there is no `show`. */
  value: (row: R) => Cell
  show?: (row: R) => ReactNode
  /** CSS width, for example 120px; columns without one share the rest. */
  width?: string
  align?: 'right'
  /** Not shown on screens narrower than this. */
  hideBelow?: 'xs' | 'sm' | 'md' | 'lg'
}
