/** State of a page that belongs into its address: filters, sort, tab, time range. Whoever gets the link sees the same. */
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export type SearchParams = Record<string, string | undefined>

/** Every parameter of the address as text; the router reads 12 and true as numbers and truths. */
export function useSearchParams(): SearchParams {
  const search: Record<string, unknown> = useSearch({ strict: false })
  return Object.fromEntries(Object.entries(search).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, typeof value === 'object' ? JSON.stringify(value) : String(value)]])))
}

export interface SetOptions {
  /** True makes a step that the back button undoes; filters and sorting replace, which is the default. */
  push?: boolean
}

/** Changes some parameters of the address and keeps the others; undefined or '' takes one away. */
export function useSetSearchParams(): (changes: SearchParams, options?: SetOptions) => void {
  const navigate = useNavigate()
  return useCallback(
    (changes, { push = false } = {}) => {
      const kept = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value === '' ? undefined : value]))
      void navigate({ to: '.', search: ((previous: object) => ({ ...previous, ...kept })) as never, replace: !push, resetScroll: false, hash: true })
    },
    [navigate],
  )
}

/** One parameter, as `useState` would give it: `const [tab, setTab] = useSearchParam('tab')`. */
export function useSearchParam(name: string): [string | undefined, (value: string | undefined, options?: SetOptions) => void] {
  const value = useSearchParams()[name]
  const setAll = useSetSearchParams()
  const set = useCallback((next: string | undefined, options?: SetOptions) => setAll({ [name]: next }, options), [name, setAll])
  return [value, set]
}
