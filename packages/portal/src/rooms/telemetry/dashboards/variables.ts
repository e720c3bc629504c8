/** What is chosen for the variables of a dashboard, and what can be. Choices are in the address as var-<name>. */
import { allValues, fillQuery, labelValuesOf, usedVariables, type DashboardSpec } from '@pavior/contract'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get } from '../../../frame/api.ts'
import { lastingEnvironments } from '../../../frame/app-health.ts'
import type { App } from '../../../frame/apps.ts'
import { useCollection } from '../../../frame/collections.ts'
import { useSearchParams } from '../../../frame/search-params.ts'
import type { ShownTime } from './time.ts'

const usualEnvironment = 'production'

export interface Choice {
  name: string
  label: string
  options: { value: string; label: string }[]
  value: string | undefined
}

export interface Variables {
  choices: Choice[]
  /** Undefined until all are known. */
  values: Record<string, string> | undefined
  error: Error | undefined
}

export function useVariables(spec: DashboardSpec, team: string, time: ShownTime): Variables {
  const search = useSearchParams()
  const used = useMemo(() => usedVariables(spec), [spec])
  const free = useFree(team, used, search)
  const chosen = Object.fromEntries((spec.variables ?? []).flatMap(({ name }) => (search[`var-${name}`] === undefined ? [] : [[name, search[`var-${name}`]!]])))
  const known = free.choices.every(({ value }) => value !== undefined)
  const own = useQuery({
    queryKey: ['dashboard-variables', team, spec.variables, free.values, chosen, time.lengthMs, time.fixed],
    queryFn: ({ signal }) => resolveOwn(spec, free.values, chosen, { team, from: time.from, until: time.until }, signal),
    enabled: known && (spec.variables ?? []).length > 0,
    placeholderData: keepPreviousData,
    retry: false,
  })
  const choices = [...free.choices, ...(own.data?.choices ?? [])]
  const complete = known && ((spec.variables ?? []).length === 0 || own.data !== undefined)
  const values = useStable(complete ? { ...free.values, ...own.data?.values } : undefined)
  return { choices, values, error: own.error ?? undefined }
}

/** The same object as long as it says the same. */
function useStable(values: Record<string, string> | undefined): Record<string, string> | undefined {
  const text = values && JSON.stringify(values)
  return useMemo(() => (text === undefined ? undefined : (JSON.parse(text) as Record<string, string>)), [text])
}

/** The team, and an app and its environment where queries have them. */
function useFree(team: string, used: ReadonlySet<string>, search: Record<string, string | undefined>): { choices: Choice[]; values: Record<string, string> } {
  const wantsApp = used.has('app') || used.has('environment')
  const { items, loading } = useCollection<App>('apps', { team })
  if (!wantsApp) return { choices: [], values: { team } }
  const names = items.map(({ metadata }) => metadata.name).toSorted()
  const app = search['var-app'] ?? (loading ? undefined : names[0])
  const environments = [...new Set([...lastingEnvironments(items.find(({ metadata }) => metadata.name === app)), ...(search['var-environment'] ? [search['var-environment']] : [])])].toSorted()
  const environment = search['var-environment'] ?? (loading ? undefined : environments.includes(usualEnvironment) || environments.length === 0 ? usualEnvironment : environments[0])
  const choices: Choice[] = [
    ...(used.has('app') ? [{ name: 'app', label: 'App', options: optionsOf([...new Set([...names, ...(app === undefined ? [] : [app])])]), value: app }] : []),
    ...(used.has('environment') ? [{ name: 'environment', label: 'Environment', options: optionsOf(environments.length > 0 ? environments : [usualEnvironment]), value: environment }] : []),
  ]
  return { choices, values: { team, ...(app === undefined ? {} : { app }), ...(environment === undefined ? {} : { environment }) } }
}

function optionsOf(values: string[]): Choice['options'] {
  return values.map((value) => ({ value, label: value }))
}

/** In their order: one may narrow down the next. */
async function resolveOwn({ variables = [] }: DashboardSpec, free: Record<string, string>, chosen: Record<string, string>, where: { team: string; from: number; until: number }, signal: AbortSignal): Promise<{ choices: Choice[]; values: Record<string, string> }> {
  const values = { ...free }
  const choices: Choice[] = []
  for (const { name, label = name, query, values: fixed, default: usual, includeAll = false } of variables) {
    const found = fixed ?? (await labelValues(query ?? '', values, where, signal))
    const value = chosen[name] ?? usual ?? (includeAll ? allValues : found[0]) ?? ''
    values[name] = value
    const options = optionsOf([...new Set([...found, ...(value === allValues || value === '' ? [] : [value])])])
    choices.push({ name, label, options: includeAll ? [{ value: allValues, label: 'All' }, ...options] : options, value })
  }
  return { choices, values }
}

async function labelValues(query: string, values: Record<string, string>, { team, from, until }: { team: string; from: number; until: number }, signal: AbortSignal): Promise<string[]> {
  const asked = labelValuesOf(query)
  if (!asked) return []
  const search = new URLSearchParams({ team, start: String(from), end: String(until), ...(asked.selector === '' ? {} : { 'match[]': fillQuery(asked.selector, values).text }) })
  return (await get<{ data: string[] }>(`/prometheus/api/v1/label/${encodeURIComponent(asked.label)}/values?${search.toString()}`, signal)).data
}
