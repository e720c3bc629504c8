/** Which kinds of resources there are, and what they are called. */
import type { ObjectMeta, UserSpec } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { call, get, resourcePath } from './api.ts'

export interface Kind {
  /** As in the path: apps. */
  plural: string
  /** As in a manifest: App. */
  kind: string
  /** Lives in a team. */
  namespaced: boolean
  verbs: string[]
}

interface ResourceEntry {
  name: string
  kind: string
  namespaced: boolean
  verbs: string[]
}

export const kindsQuery = queryOptions({
  queryKey: ['kinds'],
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<Kind[]> => {
    const { resources } = await get<{ resources: ResourceEntry[] }>('/apis/pavior.dev/v1', signal)
    return resources.filter(({ name }) => !name.includes('/')).map(({ name, kind, namespaced, verbs }) => ({ plural: name, kind, namespaced, verbs }))
  },
})

/** A resource as far as it is needed to find it by typing. */
export interface Findable {
  metadata: ObjectMeta
  /** Of people only: they are looked for by their whole name more than by that of their account. */
  spec?: UserSpec
}

interface NamesPage {
  metadata: { continue?: string }
  items: Findable[]
}

const pageSize = 1000
const mostPages = 20
const namesOnly = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'

/** Names of all resources of a kind that may be read, up to 20,000: enough to find one by typing. */
export const namesQuery = (plural: string) =>
  queryOptions({
    queryKey: ['names', plural],
    staleTime: 30_000,
    queryFn: async ({ signal }): Promise<Findable[]> => {
      const found: Findable[] = []
      let next: string | undefined
      for (let page = 0; page < mostPages; page++) {
        const search = `?limit=${pageSize}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`
        const { metadata, items } = await call<NamesPage>('GET', resourcePath(plural) + search, { ...(plural === 'users' ? {} : { accept: namesOnly }), signal })
        found.push(...items)
        next = metadata.continue
        if (!next) break
      }
      return found
    },
  })
