/** From what runs and what was declared to entities, their relations and their drift. Pure. */
import type { AppSpec, AppStatus, CatalogDrift, CatalogEntity as Entity, CatalogOrigin, Resource, TeamSpec, UserSpec } from '@pavior/contract'
import type { EntityRef, Layer, MergedEntity, Relation } from './types.ts'

const apiVersion = 'backstage.io/v1alpha1'
/** Teams and people are the same everywhere, so they stand in Backstage's default namespace. */
const sharedNamespace = 'default'
/** Annotations of what Pavior itself knows; a file cannot claim them. */
const ownPrefix = 'pavior.dev/'

/** `[kind:][namespace/]name` made whole and lower case; undefined when it is no reference. */
export function refOf(text: unknown, defaults: { kind?: string; namespace: string }): EntityRef | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^(?:([^:/\s]+):)?(?:([^:/\s]+)\/)?([^:/\s]+)$/.exec(text)
  const kind = match?.[1] ?? defaults.kind
  return match && kind !== undefined ? `${kind}:${match[2] ?? defaults.namespace}/${match[3]}`.toLowerCase() : undefined
}

export function entityRef({ kind, metadata }: Entity): EntityRef {
  return `${kind}:${metadata.namespace ?? sharedNamespace}/${metadata.name}`.toLowerCase()
}

/** What an app needs of others, and where it can be reached, as the platform sees it. */
export interface AppFacts {
  app: Resource<AppSpec, AppStatus>
  /** Tier by environment name, where the team has declared one. */
  tiers: Record<string, string>
  /** Apps that its configuration names by host: `team/app`. */
  uses: { team: string; app: string; variable: string }[]
}

/** An app is a Component that its team owns. */
export function componentOf({ app, tiers, uses }: AppFacts): Entity {
  const { name, namespace: team = sharedNamespace } = app.metadata
  const environments = Object.entries(app.status?.environments ?? {})
  const serving = environments.filter(([, { release }]) => release !== undefined)
  const inProduction = serving.some(([environment]) => (tiers[environment] ?? environment) === 'production')
  return {
    apiVersion,
    kind: 'Component',
    metadata: {
      name,
      namespace: team,
      ...(app.spec.description === undefined ? {} : { description: app.spec.description }),
      annotations: {
        [`${ownPrefix}app`]: `${team}/${name}`,
        ...Object.fromEntries(serving.map(([environment, { release }]) => [`${ownPrefix}release-${environment}`, `v${release}`])),
      },
      links: environments.flatMap(([environment, { url }]) => (url === undefined ? [] : [{ url, title: environment, type: 'website' }])),
    },
    spec: {
      type: typeOf(app.spec),
      lifecycle: inProduction ? 'production' : 'experimental',
      owner: `group:${sharedNamespace}/${team}`,
      ...(uses.length === 0 ? {} : { dependsOn: [...new Set(uses.map((use) => `component:${use.team}/${use.app}`))].toSorted() }),
    },
  }
}

function typeOf({ processes = {}, build }: AppSpec): string {
  if (build?.builder === 'static' || build?.output !== undefined) return 'website'
  return Object.keys(processes).length > 0 && processes.web === undefined ? 'worker' : 'service'
}

/** What requests show: nothing but that this app needs the others. */
export function callerOf({ name, namespace: team = sharedNamespace }: { name: string; namespace?: string }, called: { team: string; app: string }[]): Entity[] {
  if (called.length === 0) return []
  const dependsOn = called.map((one) => `component:${one.team}/${one.app}`).toSorted()
  return [{ apiVersion, kind: 'Component', metadata: { name, namespace: team }, spec: { dependsOn } }]
}

export function groupOf(team: Resource<TeamSpec>): Entity {
  const { displayName, description, members = [] } = team.spec
  return {
    apiVersion,
    kind: 'Group',
    metadata: { name: team.metadata.name, namespace: sharedNamespace, ...(description === undefined ? {} : { description }), annotations: { [`${ownPrefix}team`]: team.metadata.name } },
    spec: { type: 'team', children: [], members: members.map(({ user }) => user), ...(displayName === undefined ? {} : { profile: { displayName } }) },
  }
}

/** Groups of a person are told by the groups themselves. */
export function userOf(user: Resource<UserSpec>): Entity {
  const { displayName, email } = user.spec
  return {
    apiVersion,
    kind: 'User',
    metadata: { name: user.metadata.name, namespace: sharedNamespace, annotations: { [`${ownPrefix}user`]: user.metadata.name } },
    spec: { memberOf: [], ...(displayName === undefined && email === undefined ? {} : { profile: { ...(displayName ? { displayName } : {}), ...(email ? { email } : {}) } }) },
  }
}

/** Whole words that are host names in a value: `postgres://u:p@db.blue.localhost:5432/x`, `https://shop.localhost`. */
const hostPattern = /(?<![a-z0-9.-])[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+(?![a-z0-9-])/gi

/** Which apps these variables name by host. The value itself goes nowhere. */
export function usesOf(env: Record<string, string>, hosts: ReadonlyMap<string, { team: string; app: string }>, self: { team: string; app: string }): AppFacts['uses'] {
  const found = Object.entries(env).flatMap(([variable, value]) =>
    (value.match(hostPattern) ?? []).flatMap((host) => {
      const target = hosts.get(host.toLowerCase())
      return target && !(target.team === self.team && target.app === self.app) ? [{ ...target, variable }] : []
    }),
  )
  const unique = new Map(found.map((use) => [`${use.team}/${use.app}/${use.variable}`, use]))
  return [...unique.values()].toSorted((one, other) => `${one.team}/${one.app}/${one.variable}`.localeCompare(`${other.team}/${other.app}/${other.variable}`))
}

const sharedKinds = ['group', 'user', 'system', 'domain', 'location']

/**
 * What a repository of a team may say: what is of the team, and of what all teams share. What another team runs is that
 * team's to tell. Entities that name no namespace get the team's, people and groups and the like the shared one.
 */
export function spokenBy(team: string, entities: Entity[]): { own: Entity[]; foreign: EntityRef[] } {
  const shared = ({ kind }: Entity): boolean => sharedKinds.includes(kind.toLowerCase())
  const placed = entities.map((entity) => ({ ...entity, metadata: { ...entity.metadata, namespace: entity.metadata.namespace ?? (shared(entity) ? sharedNamespace : team) } }))
  const may = (entity: Entity): boolean => entity.metadata.namespace === team || (entity.metadata.namespace === sharedNamespace && shared(entity))
  return { own: placed.filter(may), foreign: placed.filter((entity) => !may(entity)).map(entityRef) }
}

const strength: Record<CatalogOrigin, number> = { derived: 0, traffic: 1, import: 2, repository: 3 }
const seen: CatalogOrigin[] = ['derived', 'traffic']
const declarable = ['type', 'lifecycle', 'owner'] as const

/**
 * What somebody declared wins over what is derived, the repository over an import; lists of links and tags are joined. What
 * only the platform can know (annotations of ours, who is in a team) is taken from it alone.
 */
export function mergeLayers(ref: EntityRef, layers: Layer[]): MergedEntity {
  // Teams and people are the platform's own: no file makes somebody a member.
  const people = /^(group|user):/.test(ref)
  const rank = ({ origin }: Layer): number => (people && origin === 'derived' ? Infinity : strength[origin])
  const ordered = layers.toSorted((one, other) => (rank(one) === rank(other) ? (one.location < other.location ? -1 : 1) : rank(one) - rank(other)))
  const spoken = ordered.map((layer) => ({ origin: layer.origin, entity: layer.origin === 'derived' ? layer.entity : withoutClaims(layer.entity) }))
  const merged = (own: typeof spoken): Entity | undefined => (own.length === 0 ? undefined : own.map(({ entity }) => entity).reduce(mergeTwo))
  const entity = merged(spoken)!
  // Requests alone do not make an app: what they show stands beside what runs.
  const observed = spoken.some(({ origin }) => origin === 'derived') ? merged(spoken.filter(({ origin }) => seen.includes(origin))) : undefined
  const declared = merged(spoken.filter(({ origin }) => !seen.includes(origin)))
  const said = spoken.flatMap(({ origin, entity: own }) => relationsOf(own).map((relation) => ({ origin, key: keyOf(relation) })))
  return {
    ref,
    entity,
    origins: [...new Set(ordered.map(({ origin }) => origin))].toSorted((one, other) => strength[one] - strength[other]),
    relations: relationsOf(entity).map((relation) => ({ ...relation, origins: [...new Set(said.filter(({ key }) => key === keyOf(relation)).map(({ origin }) => origin))] })),
    drift: observed === undefined ? [] : driftOf(observed, declared),
  }
}

function withoutClaims(entity: Entity): Entity {
  const { annotations } = entity.metadata
  if (annotations === undefined) return entity
  return { ...entity, metadata: { ...entity.metadata, annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(ownPrefix))) } }
}

function mergeTwo(lower: Entity, upper: Entity): Entity {
  const links = [...new Map([...(lower.metadata.links ?? []), ...(upper.metadata.links ?? [])].map((link) => [link.url, link])).values()]
  const tags = [...new Set([...(lower.metadata.tags ?? []), ...(upper.metadata.tags ?? [])])]
  return {
    ...lower,
    ...upper,
    metadata: {
      ...lower.metadata,
      ...upper.metadata,
      labels: { ...lower.metadata.labels, ...upper.metadata.labels },
      annotations: { ...lower.metadata.annotations, ...upper.metadata.annotations },
      ...(links.length > 0 ? { links } : {}),
      ...(tags.length > 0 ? { tags } : {}),
    },
    spec: { ...lower.spec, ...upper.spec, ...joined(lower, upper) },
  }
}

/** A dependency that is observed stays one, also where a file does not name it. */
function joined(lower: Entity, upper: Entity): Record<string, unknown> {
  const all = [...list(lower.spec?.dependsOn), ...list(upper.spec?.dependsOn)]
  return all.length === 0 ? {} : { dependsOn: [...new Set(all)] }
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function driftOf(observed: Entity, declared: Entity | undefined): CatalogDrift[] {
  if (declared === undefined) return []
  const namespace = observed.metadata.namespace ?? sharedNamespace
  const drift: CatalogDrift[] = declarable.flatMap((field) => {
    const [said, seen] = [declared.spec?.[field], observed.spec?.[field]]
    const same = field === 'owner' ? refOf(said, { kind: 'group', namespace: sharedNamespace }) === refOf(seen, { kind: 'group', namespace: sharedNamespace }) : said === seen
    return said === undefined || seen === undefined || same ? [] : [{ field: `spec.${field}`, declared: said, observed: seen }]
  })
  const said = list(declared.spec?.dependsOn).map((text) => refOf(text, { kind: 'component', namespace }))
  const unsaid = list(observed.spec?.dependsOn).filter((text) => !said.includes(refOf(text, { kind: 'component', namespace })))
  return unsaid.length === 0 ? drift : [...drift, { field: 'spec.dependsOn', declared: list(declared.spec?.dependsOn), observed: unsaid }]
}

/** Which field of which kind names what, and what the relation and its other side are called (Backstage's well-known relations). */
const relationFields: [field: string, type: string, kind: string | undefined][] = [
  ['owner', 'ownedBy', 'group'],
  ['system', 'partOf', 'system'],
  ['domain', 'partOf', 'domain'],
  ['subcomponentOf', 'partOf', 'component'],
  ['subdomainOf', 'partOf', 'domain'],
  ['parent', 'childOf', 'group'],
  ['dependsOn', 'dependsOn', undefined],
  ['dependencyOf', 'dependencyOf', undefined],
  ['providesApis', 'providesApi', 'api'],
  ['consumesApis', 'consumesApi', 'api'],
  ['memberOf', 'memberOf', 'group'],
  ['members', 'hasMember', 'user'],
  ['children', 'parentOf', 'group'],
]

/** Name of a relation seen from its other end. */
export const inverse: Record<string, string> = {
  ownedBy: 'ownerOf', ownerOf: 'ownedBy', partOf: 'hasPart', hasPart: 'partOf', childOf: 'parentOf', parentOf: 'childOf',
  dependsOn: 'dependencyOf', dependencyOf: 'dependsOn', providesApi: 'apiProvidedBy', apiProvidedBy: 'providesApi',
  consumesApi: 'apiConsumedBy', apiConsumedBy: 'consumesApi', memberOf: 'hasMember', hasMember: 'memberOf',
}

export function relationsOf(entity: Entity): Relation[] {
  const people = ['group', 'user']
  const relations = relationFields.flatMap(([field, type, kind]) => {
    const value = entity.spec?.[field]
    return (Array.isArray(value) ? value : [value]).flatMap((text) => {
      const namespace = kind !== undefined && people.includes(kind) ? sharedNamespace : (entity.metadata.namespace ?? sharedNamespace)
      const target = refOf(text, { ...(kind === undefined ? {} : { kind }), namespace })
      return target === undefined ? [] : [{ type, target }]
    })
  })
  return [...new Map(relations.map((relation) => [keyOf(relation), relation])).values()]
}

const keyOf = ({ type, target }: Relation): string => `${type} ${target}`
