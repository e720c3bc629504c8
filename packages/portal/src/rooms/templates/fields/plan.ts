/** What the fields of Backstage's forms mean. Pure. */
import type { FormSchema } from '../../../pieces/schema-plan.ts'
import type { CatalogRow } from '@pavior/contract'
import type { Filter } from '../../entities/reads.ts'

/** `kind: [Component, API]`, `spec.type: service`, `metadata.tags: { exists: true }`. */
type Wanted = Record<string, unknown>

const known: Record<string, (row: CatalogRow) => string | string[] | null> = {
  kind: ({ kind }) => kind,
  'metadata.name': ({ name }) => name,
  'metadata.namespace': ({ namespace }) => namespace,
  'metadata.title': ({ title }) => title,
  'metadata.tags': ({ tags }) => tags,
  'spec.type': ({ type }) => type,
  'spec.lifecycle': ({ lifecycle }) => lifecycle,
  'spec.owner': ({ owner }) => owner,
}

export interface CatalogFilter {
  /** What the catalogue is asked. */
  filters: Filter[]
  /** What the catalogue cannot be asked. */
  fits: (row: CatalogRow) => boolean
}

/** Any of several filters; each with all its words. A word that rows do not have leaves nothing out. */
export function catalogFilterOf(schema: FormSchema, kinds: readonly string[] = [], owners: readonly string[] = []): CatalogFilter {
  const { catalogFilter, allowedKinds } = schema['ui:options'] ?? {}
  const wanted = listOf(catalogFilter).filter((one): one is Wanted => typeof one === 'object' && one !== null)
  const allowed = listOf(allowedKinds).filter((one) => typeof one === 'string')
  const alternatives: Wanted[] = wanted.length > 0 ? wanted : [{}]
  const filters = alternatives.flatMap((one) => {
    const asked = textsOf(one.kind)
    const chosen = asked.length > 0 ? asked : allowed.length > 0 ? allowed : kinds.length > 0 ? kinds : [undefined]
    const type = textsOf(one['spec.type']).length === 1 ? textsOf(one['spec.type'])[0] : undefined
    return chosen.flatMap((kind) => (owners.length > 0 ? owners : [undefined]).map((owner): Filter => ({ ...(kind ? { kind: kind.toLowerCase() } : {}), ...(type ? { type } : {}), ...(owner ? { owner } : {}) })))
  })
  return { filters, fits: (row) => alternatives.some((one) => Object.entries(one).every(([key, value]) => fits(row, key, value))) }
}

function fits(row: CatalogRow, key: string, wanted: unknown): boolean {
  const read = Object.hasOwn(known, key) ? known[key] : undefined
  if (!read) return true
  const has = textsOf(read(row)).map((text) => text.toLowerCase())
  if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) return (wanted as { exists?: unknown }).exists === (has.length > 0)
  return textsOf(wanted).some((text) => has.includes(text.toLowerCase()))
}

/** Whole reference, as Backstage gives it; the name alone where the question's pattern takes nothing else. */
export function answerFor({ pattern }: FormSchema, ref: string): string {
  const name = ref.split('/').at(-1)!
  return pattern !== undefined && !matches(pattern, ref) && matches(pattern, name) ? name : ref
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return false
  }
}

/** Name of an entity (backstage.io/docs/features/software-catalog/descriptor-format#name-required). */
export function nameProblem(text: string): string | undefined {
  if (text === '') return undefined
  if (text.length > 63) return 'At most 63 characters.'
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(text) ? undefined : 'Letters and digits, with -, _ and . between them.'
}

/** As Backstage has tags: lower case, words joined by hyphens. */
export function tagProblem(tag: string): string | undefined {
  return /^[a-z0-9:+#]+(-[a-z0-9:+#]+)*$/.test(tag) && tag.length <= 63 ? undefined : `"${tag}" is no tag: lower-case letters, digits, : + #, joined by single hyphens, at most 63.`
}

/** Parts of a repository's address on its host. */
export type RepoUrl = Partial<Record<'host' | 'organization' | 'workspace' | 'project' | 'owner' | 'repo', string>>

export type RepoPart = Exclude<keyof RepoUrl, 'host'>

/** What a host calls the place of a repository. */
export function partsOfHost(host: string | undefined): RepoPart[] {
  if (host === 'dev.azure.com' || host?.endsWith('.visualstudio.com')) return ['organization', 'project', 'repo']
  if (host?.includes('bitbucket.org')) return ['workspace', 'project', 'repo']
  if (host?.includes('bitbucket')) return ['project', 'repo']
  return ['owner', 'repo']
}

/** `github.com?owner=blue&repo=shop` */
export function readRepoUrl(value: unknown): RepoUrl {
  if (typeof value !== 'string') return {}
  const [host = '', search = ''] = value.split('?')
  return { ...(host ? { host } : {}), ...Object.fromEntries(new URLSearchParams(search)) }
}

/** Undefined when nothing is said yet. */
export function writeRepoUrl(url: RepoUrl): string | undefined {
  const parts = partsOfHost(url.host).flatMap((part): [string, string][] => (url[part] ? [[part, url[part]]] : []))
  if (!url.host && parts.length === 0) return undefined
  return `${url.host ?? ''}?${new URLSearchParams(parts)}`
}

/** What is missing of the address, in words. */
export function repoUrlProblem(url: RepoUrl): string | undefined {
  const missing = [...(url.host ? [] : ['host']), ...partsOfHost(url.host).filter((part) => !url[part])]
  return missing.length === 0 || Object.keys(url).length === 0 ? undefined : `Still missing: ${missing.join(', ')}.`
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string')
}
