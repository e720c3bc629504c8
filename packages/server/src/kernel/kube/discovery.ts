/** What the API has: groups, versions, resources and verbs, in the plain and in the aggregated form. */
import { apiGroup } from '@pavior/contract'
import type { KindDefinition, KindRegistry, Verb } from '../kind.ts'

const version = 'v1'
/** Verbs of the Kubernetes API in the order of discovery, with the verb that they need here. */
const verbs: [string, Verb][] = [
  ['create', 'create'],
  ['delete', 'delete'],
  ['deletecollection', 'delete'],
  ['get', 'get'],
  ['list', 'list'],
  ['patch', 'patch'],
  ['update', 'update'],
  ['watch', 'watch'],
]

export interface ApiResource {
  name: string
  singularName: string
  namespaced: boolean
  group?: string
  version?: string
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}

/** Groups beside ours that kubectl needs for namespaces, `describe`, `auth can-i` and `auth whoami`. */
const foreignResources: Record<string, ApiResource[]> = {
  '': [
    { name: 'events', singularName: 'event', namespaced: true, kind: 'Event', verbs: ['get', 'list'], shortNames: ['ev'] },
    {
      name: 'namespaces',
      singularName: 'namespace',
      namespaced: false,
      kind: 'Namespace',
      verbs: ['get', 'list', 'watch'],
      shortNames: ['ns'],
    },
  ],
  'events.k8s.io': [{ name: 'events', singularName: 'event', namespaced: true, kind: 'Event', verbs: ['get', 'list'], shortNames: ['ev'] }],
  'authorization.k8s.io': [
    {
      name: 'selfsubjectaccessreviews',
      singularName: 'selfsubjectaccessreview',
      namespaced: false,
      kind: 'SelfSubjectAccessReview',
      verbs: ['create'],
    },
    {
      name: 'selfsubjectrulesreviews',
      singularName: 'selfsubjectrulesreview',
      namespaced: false,
      kind: 'SelfSubjectRulesReview',
      verbs: ['create'],
    },
  ],
  'authentication.k8s.io': [
    { name: 'selfsubjectreviews', singularName: 'selfsubjectreview', namespaced: false, kind: 'SelfSubjectReview', verbs: ['create'] },
  ],
}

export const groups = [apiGroup, ...Object.keys(foreignResources).filter((group) => group !== '')]

export function resourcesOf(group: string, kinds: KindRegistry): ApiResource[] | undefined {
  if (group === apiGroup) return kinds.all.flatMap(kindResources)
  return foreignResources[group]
}

function kindResources(kind: KindDefinition): ApiResource[] {
  const singularName = kind.singular ?? kind.kind.toLowerCase()
  const namespaced = kind.scope === 'Namespaced'
  const main: ApiResource = {
    name: kind.plural,
    singularName,
    namespaced,
    kind: kind.kind,
    verbs: verbs.map(([name]) => name),
    ...(kind.shortNames?.length ? { shortNames: kind.shortNames } : {}),
    // What `kubectl delete all` reaches must stay within a team.
    categories: namespaced ? ['all', 'pavior'] : ['pavior'],
  }
  if (!kind.status) return [main]
  return [main, { name: `${kind.plural}/status`, singularName: '', namespaced, kind: kind.kind, verbs: ['get', 'patch', 'update'] }]
}

/** Verbs of discovery that the kind offers to somebody who may do `allowed`. */
export function verbsAllowed(allowed: (verb: Verb) => boolean): string[] {
  return verbs.filter(([, needed]) => allowed(needed)).map(([name]) => name)
}

export function coreVersions(serverAddress: string): object {
  return { kind: 'APIVersions', versions: [version], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] }
}

function groupVersion(group: string): { groupVersion: string; version: string } {
  return { groupVersion: group === '' ? version : `${group}/${version}`, version }
}

export function groupDocument(group: string): object {
  return { kind: 'APIGroup', apiVersion: 'v1', name: group, versions: [groupVersion(group)], preferredVersion: groupVersion(group) }
}

export function groupList(): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map((name) => ({ name, versions: [groupVersion(name)], preferredVersion: groupVersion(name) })),
  }
}

export function resourceList(group: string, kinds: KindRegistry): object | undefined {
  const resources = resourcesOf(group, kinds)
  return resources && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersion(group).groupVersion, resources }
}

/** `APIGroupDiscoveryList`: all resources of these groups in one answer. */
export function aggregated(wanted: string[], kinds: KindRegistry, discoveryVersion: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${discoveryVersion}`,
    metadata: {},
    items: wanted.map((group) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: [{ version, freshness: 'Current', resources: aggregatedResources(group, resourcesOf(group, kinds) ?? []) }],
    })),
  }
}

function aggregatedResources(group: string, all: ApiResource[]): object[] {
  const responseKind = (kind: string): object => ({ group, version, kind })
  return all
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, singularName, namespaced, kind, verbs: offered, shortNames, categories }) => ({
      resource: name,
      responseKind: responseKind(kind),
      scope: namespaced ? 'Namespaced' : 'Cluster',
      singularResource: singularName,
      verbs: offered,
      ...(shortNames ? { shortNames } : {}),
      ...(categories ? { categories } : {}),
      ...subresources(name, all, responseKind),
    }))
}

function subresources(name: string, all: ApiResource[], responseKind: (kind: string) => object): object {
  const below = all.filter((candidate) => candidate.name.startsWith(`${name}/`))
  if (below.length === 0) return {}
  return {
    subresources: below.map((sub) => ({
      subresource: sub.name.slice(name.length + 1),
      responseKind: responseKind(sub.kind),
      verbs: sub.verbs,
    })),
  }
}
