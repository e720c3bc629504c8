/** What the pages of the catalogue read. */
import type { ApiView, CardResult, CardTrend, CatalogDetails, CatalogFacet, CatalogGraph, CatalogPage, RuleFix } from '@pavior/contract'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { get, post } from '../../frame/api.ts'
import { useLatest, type Latest } from '../../frame/latest.ts'

export interface Filter {
  q?: string | undefined
  kind?: string | undefined
  type?: string | undefined
  owner?: string | undefined
}

const pageSize = 200

function searchOf(filter: Filter, more: Record<string, string> = {}): string {
  const given = Object.entries({ ...filter, ...more }).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return new URLSearchParams(given).toString()
}

export const entitiesQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['catalog', 'entities', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => get<CatalogPage>(`/v1/catalog/entities?${searchOf(filter, { limit: String(pageSize), continue: pageParam })}`, signal),
    getNextPageParam: (page) => page.continue,
  })

export const facetsQuery = queryOptions({
  queryKey: ['catalog', 'facets'],
  queryFn: ({ signal }) => get<{ items: CatalogFacet[] }>('/v1/catalog/facets', signal),
})

/** `component:default/shop` → `component/default/shop`. */
export function partsOf(ref: string): { kind: string; namespace: string; name: string } {
  const [kind = '', place = ''] = ref.split(':')
  const [namespace = '', name = ''] = place.split('/')
  return { kind, namespace, name }
}

export function entityPath(ref: string): string {
  const { kind, namespace, name } = partsOf(ref)
  return ['/catalog', ...[kind, namespace, name].map(encodeURIComponent)].join('/')
}

const apiOf = (ref: string): string => `/v1/catalog/entities/${Object.values(partsOf(ref)).map(encodeURIComponent).join('/')}`

export const entityQuery = (ref: string) => queryOptions({ queryKey: ['catalog', 'entity', ref], queryFn: ({ signal }) => get<CatalogDetails>(apiOf(ref), signal) })

export const graphQuery = (ref: string, depth: number) =>
  queryOptions({ queryKey: ['catalog', 'graph', ref, depth], queryFn: ({ signal }) => get<CatalogGraph>(`${apiOf(ref)}/graph?depth=${depth}`, signal), placeholderData: (before) => before })

export interface DocPage {
  path: string
  title: string
  release: number
  /** Of the commit; of the release where no commit is known. */
  changedAt: string
  commit: string | null
  author: string | null
  markdown: string
  /** Where it is edited, as far as that is known. */
  edit?: { url: string } | { commands: string[] }
}

const appPath = (team: string, app: string): string => `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}`

export const docsQuery = (team: string, app: string) => queryOptions({ queryKey: ['docs', team, app], queryFn: ({ signal }) => get<{ items: Omit<DocPage, 'markdown' | 'edit'>[] }>(`${appPath(team, app)}/docs`, signal) })

export const docQuery = (team: string, app: string, path: string) =>
  queryOptions({ queryKey: ['docs', team, app, path], queryFn: ({ signal }) => get<DocPage>(`${appPath(team, app)}/docs/${path.split('/').map(encodeURIComponent).join('/')}`, signal) })

export interface ApiVersion {
  path: string
  release: number
  format: 'openapi' | 'asyncapi' | 'graphql'
  title: string
  at: string
}

export const apisQuery = (team: string, app: string) => queryOptions({ queryKey: ['apis', team, app], queryFn: ({ signal }) => get<{ items: ApiVersion[] }>(`${appPath(team, app)}/apis`, signal) })

export const definitionQuery = (team: string, app: string, path: string, release: number) =>
  queryOptions({ queryKey: ['apis', team, app, path, release], queryFn: ({ signal }) => get<ApiVersion & { definition: string }>(`${appPath(team, app)}/apis/definition?${searchOf({}, { path, release: String(release) })}`, signal) })

export const apiViewQuery = (team: string, app: string, path: string, release: number) =>
  queryOptions({ queryKey: ['apis', team, app, path, release, 'view'], queryFn: ({ signal }) => get<ApiView>(`${appPath(team, app)}/apis/view?${searchOf({}, { path, release: String(release) })}`, signal), staleTime: Infinity, retry: false })

export interface ApiDiff {
  from: number
  to: number
  breaking: boolean
  changes: { breaking: boolean; risky?: boolean; where: string; what: string }[]
}

export const apiDiffQuery = (team: string, app: string, path: string, from: number, to: number) =>
  queryOptions({ queryKey: ['apis', team, app, path, from, to], queryFn: ({ signal }) => get<ApiDiff>(`${appPath(team, app)}/apis/diff?${searchOf({}, { path, from: String(from), to: String(to) })}`, signal) })

export const useAppScorecards = (team: string, app: string): Latest<{ items: CardResult[] }> => useLatest(`${appPath(team, app)}/scorecards?follow=true`)

export interface RulePlace {
  team: string
  app: string
  scorecard: string
  rule: string
}

const fixPath = ({ team, app, scorecard, rule }: RulePlace): string => `${appPath(team, app)}/scorecards/${encodeURIComponent(scorecard)}/rules/${encodeURIComponent(rule)}/fix`

/** What a fix would do, as of now: nothing of it is kept. */
export const fixPreviewQuery = (place: RulePlace) => queryOptions({ queryKey: ['scorecards', 'fix', place], queryFn: () => post<RuleFix>(`${fixPath(place)}?dryRun=All`, {}), gcTime: 0, staleTime: Infinity, retry: false })

export const fixRule = (place: RulePlace): Promise<RuleFix> => post<RuleFix>(fixPath(place), {})

export const cardResultsQuery = (name: string) => queryOptions({ queryKey: ['scorecards', 'results', name], queryFn: ({ signal }) => get<{ items: CardResult[] }>(`/v1/scorecards/${encodeURIComponent(name)}/results`, signal) })

export const trendQuery = (name: string) => queryOptions({ queryKey: ['scorecards', 'trend', name], queryFn: ({ signal }) => get<{ items: CardTrend[] }>(`/v1/scorecards/${encodeURIComponent(name)}/trend`, signal) })

const pickedAtOnce = 50

/** What fits one of the filters and what is typed, for choosing one. */
export const entityChoicesQuery = (filters: readonly Filter[], typed: string) =>
  queryOptions({
    queryKey: ['catalog', 'choices', filters, typed],
    queryFn: async ({ signal }) => {
      const pages = await Promise.all(filters.map((filter) => get<CatalogPage>(`/v1/catalog/entities?${searchOf({ ...filter, q: typed }, { limit: String(pickedAtOnce) })}`, signal)))
      return [...new Map(pages.flatMap(({ items }) => items).map((row) => [row.ref, row])).values()]
    },
    placeholderData: (before) => before,
  })
