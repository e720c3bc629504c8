/** Above the table: the filter, how many rows there are, and the copy as CSV. */
import { Button, CloseButton, Group, Text, TextInput } from '@mantine/core'
import { IconFilter } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react'
import { useSearchParams, useSetSearchParams } from '../frame/search-params.ts'
import { useCopy } from './clipboard.ts'
import { formatSort, nextSort, parseSort, toCsv, type Sort, type Valued } from './table-plan.ts'

/** Browsers refuse a page that writes its address at every letter. */
const addressAfterMs = 250

export interface TableState {
  filter: string
  setFilter: (filter: string) => void
  sort: Sort | undefined
  setSort: (key: string) => void
}

export function useTableState(name: string | undefined): TableState {
  const prefix = name === undefined ? '' : `${name}.`
  const params = useSearchParams()
  const setParams = useSetSearchParams()
  const inAddress = params[`${prefix}filter`] ?? ''
  const [filter, setTyped] = useState(inAddress)
  const written = useRef(inAddress)
  const timer = useRef<number | undefined>(undefined)
  // Back, forward and links change the address from outside.
  useEffect(() => {
    if (inAddress !== written.current) setTyped(inAddress)
    written.current = inAddress
  }, [inAddress])
  useEffect(() => () => window.clearTimeout(timer.current), [])
  const sortText = params[`${prefix}sort`]
  const sort = useMemo(() => parseSort(sortText), [sortText])
  return {
    filter,
    setFilter: (next) => {
      setTyped(next)
      window.clearTimeout(timer.current)
      timer.current = window.setTimeout(() => {
        written.current = next
        setParams({ [`${prefix}filter`]: next })
      }, addressAfterMs)
    },
    sort,
    setSort: (key) => {
      const next = nextSort(sort, key)
      setParams({ [`${prefix}sort`]: next && formatSort(next) })
    },
  }
}

export interface TableToolsProps<R> {
  label: string
  state: TableState
  filterRef: RefObject<HTMLInputElement | null>
  shown: readonly R[]
  total: number
  columns: readonly Valued<R>[]
  children?: ReactNode
}

export function TableTools<R>({ label, state: { filter, setFilter }, filterRef, shown, total, columns, children }: TableToolsProps<R>) {
  const { state, copy } = useCopy()
  return (
    <Group gap="xs" mb="xs">
      <TextInput
        ref={filterRef}
        size="xs"
        w={{ base: '100%', xs: 240 }}
        aria-label={`Filter ${label}`}
        aria-keyshortcuts="f"
        placeholder={`Filter ${label}`}
        leftSection={<IconFilter size={14} />}
        rightSection={filter !== '' && <CloseButton size="xs" aria-label="Clear the filter" onClick={() => setFilter('')} />}
        value={filter}
        onChange={({ currentTarget }) => setFilter(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          if (filter === '') event.currentTarget.blur()
          setFilter('')
        }}
      />
      {children}
      <Text size="xs" c="dimmed" ml="auto" role="status">
        {shown.length === total ? `${total.toLocaleString()} ${total === 1 ? label.replace(/s$/, '') : label}` : `${shown.length.toLocaleString()} of ${total.toLocaleString()} ${label}`}
      </Text>
      <Button size="compact-xs" variant="default" onClick={() => copy(toCsv(shown, columns))}>
        {{ idle: 'Copy as CSV', copied: 'Copied', failed: 'Not copied' }[state]}
      </Button>
    </Group>
  )
}
