import { Table, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import type { Column } from './table-column.ts'
import type { Sort } from './table-plan.ts'
import classes from './data-table.module.css'

interface TableHeadProps<R> {
  columns: readonly Column<R>[]
  sort: Sort | undefined
  setSort: (key: string) => void
}

export function TableHead<R>({ columns, sort, setSort }: TableHeadProps<R>) {
  return (
    <Table.Thead className={classes.head}>
      <Table.Tr>
        {columns.map(({ key, label, width, align, hideBelow }) => {
          const own = sort?.key === key ? sort : undefined
          return (
            <Table.Th key={key} w={width} data-align={align} data-hide-below={hideBelow} aria-sort={own && (own.descending ? 'descending' : 'ascending')} className={classes.cell}>
              <UnstyledButton className={classes.sort} onClick={() => setSort(key)}>
                {label}
                {own && (own.descending ? <IconArrowDown size={12} aria-hidden /> : <IconArrowUp size={12} aria-hidden />)}
              </UnstyledButton>
            </Table.Th>
          )
        })}
      </Table.Tr>
    </Table.Thead>
  )
}
