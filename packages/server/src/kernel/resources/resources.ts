/** `Resources` over the store: authorization, validation, lifecycle of metadata, conflicts, watches. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { apiVersion, fail, type ObjectMeta, type Resource } from '@pavior/contract'
import { originOf, type Actor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { PgDatabase, Tx } from '../db/index.ts'
import { hasCode } from '../errors.ts'
import type { KindDefinition, KindRegistry, Verb } from '../kind.ts'
import { generateName } from '../kube/names.ts'
import { matches } from '../kube/selectors.ts'
import type { Feed } from '../store/feed.ts'
import { createBatches } from '../store/batches.ts'
import { readPage, readResources, writeResources, type StoredWrite } from '../store/store.ts'
import { appOf, authorize, forbidden, mayActOnSome, readableNamespaces } from './authorize.ts'
import type { DeleteOptions, MutateOptions, NewResource, ResourceKey, Resources, Selection, WriteOptions } from './types.ts'
import { fieldsOf, keyOf, markedForDeletion, nextState, toSeconds, whatSelectorsSaw, withoutVersion, writableMetadata } from './states.ts'
import { watchChanges } from './watch.ts'

/** Prunes, defaults and checks a resource; throws INVALID, NAME_INVALID, NAME_RESERVED. */
export type Validator = (next: Resource, previous: Resource | undefined, fieldValidation: 'Strict' | 'Warn' | 'Ignore') => { resource: Resource; warnings: string[] }

export interface ResourcesDeps {
  database: PgDatabase
  feed: Feed
  kinds: KindRegistry
  validator: (kind: KindDefinition) => Validator
  /** Reconcile requests that a change of a resource makes. */
  wakes: (change: { object: Resource; previous: Resource | undefined }) => StoredWrite['wake']
  /** Rules that look beyond one resource; policy joins here. Called before the write, outside of its transaction. */
  admission: Admission[]
  clock: Clock
}

export interface AdmissionRequest {
  actor: Actor
  verb: 'create' | 'update' | 'delete'
  kind: KindDefinition
  object: Resource
  previous: Resource | undefined
  dryRun: boolean
  /** Sentences for the caller, who is not refused. */
  warnings?: string[]
  /** Transaction that the write takes part in: what was written before in it is seen only through it. */
  tx?: Tx
}

/** Asked in the transaction of the write and after it, when no other write can come between: what it counts is exact. Throws to take it back. */
export type LastWord = (tx: Tx) => Promise<void>

/** Throws to refuse, may fill in of `object` what only the platform knows, and may have a last word. */
export type Admission = (request: AdmissionRequest) => Promise<LastWord | void>

const defaultPageSize = 500
const largestPage = 5000
/** Items of one page when all pages are wanted. */
const walkPageSize = 1000
const mutateRetries = 5

export function createResources(deps: ResourcesDeps): Resources {
  const { database, feed, kinds, clock } = deps
  const batches = createBatches(database)
  const validators = new Map(kinds.all.map((kind) => [kind.kind, deps.validator(kind)]))

  const kindOf = (word: string): KindDefinition => kinds.mustFind(word)

  /** Nobody sees what a crash of the database could still take back. */
  const isNew = (version: bigint): boolean => version > feed.published

  const permit = (actor: Actor, verb: Verb, kind: KindDefinition, key: ResourceKey, spec?: unknown, next?: unknown): void => {
    authorize(actor, verb, kind, key.namespace, { name: key.name, spec, next })
    if (actor.app !== undefined && verb !== 'get' && verb !== 'list' && verb !== 'watch' && appOf(kind.kind, key.name, spec) !== actor.app) throw otherApp(actor)
    if (actor.app !== undefined && next !== undefined && appOf(kind.kind, key.name, next) !== actor.app) throw otherApp(actor)
  }

  const read = async (key: ResourceKey, tx: Tx | undefined): Promise<Resource | undefined> => {
    if (tx) return (await readResources(tx, [key]))[0]
    return database.durable(() => batches.read(key), (found) => found !== undefined && isNew(BigInt(found.metadata.resourceVersion)))
  }

  /** Before anything of the resource is told: whether the actor may change some of its kind, and this one if the token is for one app. */
  const permitMutation = async (actor: Actor, verb: Verb, kind: KindDefinition, key: ResourceKey, tx: Tx | undefined): Promise<void> => {
    if (!mayActOnSome(actor, verb, kind, key.namespace, key.name)) throw forbidden(actor, verb, kind, key.namespace, key.name)
    if (actor.app === undefined) return
    const spec = (await read(key, tx))?.spec ?? { app: actor.app }
    if (appOf(kind.kind, key.name, spec) !== actor.app) throw otherApp(actor)
  }

  const permitReading = (actor: Actor, kind: KindDefinition, key: ResourceKey): void => {
    if (!mayActOnSome(actor, 'get', kind, key.namespace, key.name)) throw forbidden(actor, 'get', kind, key.namespace, key.name)
  }

  const validate = (kind: KindDefinition, next: Resource, previous: Resource | undefined, options: WriteOptions): Resource => {
    const { resource, warnings } = validators.get(kind.kind)!(next, previous, options.fieldValidation ?? 'Strict')
    options.warnings?.push(...warnings)
    return resource
  }

  const admit = async (request: AdmissionRequest): Promise<LastWord[]> => {
    const words: LastWord[] = []
    for (const rule of deps.admission) words.push(...[await rule(request)].filter((word) => typeof word === 'function'))
    return words
  }

  const storeIn = async (tx: Tx, stored: StoredWrite, lastWords: LastWord[]): Promise<bigint | undefined> => {
    const [version] = await writeResources(tx, [stored])
    if (version !== undefined) for (const word of lastWords) await word(tx)
    return version
  }

  const write = async (actor: Actor, verb: string, type: StoredWrite['type'], object: Resource, previous: Resource | undefined, options: WriteOptions, lastWords: LastWord[]): Promise<bigint | undefined> => {
    const wake = deps.wakes({ object, previous })
    const stored: StoredWrite = {
      type,
      key: keyOf(object),
      uid: object.metadata.uid,
      object,
      fields: fieldsOf(kindOf(object.kind), object),
      before: previous && whatSelectorsSaw(kindOf(object.kind), previous, object),
      expected: previous && BigInt(previous.metadata.resourceVersion),
      audit: { verb, ...originOf(actor) },
      wake,
    }
    const alone = lastWords.length === 0 && !options.tx
    const version = alone
      ? await database.durable(() => batches.write(stored), (written) => written !== undefined)
      : await (options.tx ? storeIn(options.tx, stored, lastWords) : database.transaction((tx) => storeIn(tx, stored, lastWords)))
    if (version === undefined) return undefined
    object.metadata.resourceVersion = String(version)
    return version
  }

  const create = async (actor: Actor, kindName: string, namespace: string, given: NewResource, options: WriteOptions = {}, verb: string = 'create'): Promise<Resource> => {
    const kind = kindOf(kindName)
    const { name: givenName, generateName: prefix } = given.metadata as Partial<ObjectMeta>
    const name = givenName || (prefix ? generateName(kind, prefix, Math.random) : '')
    const key = { kind: kind.kind, namespace: kind.scope === 'Namespaced' ? namespace : '', name }
    permit(actor, 'create', kind, key, given.spec)
    const metadata: ObjectMeta = {
      ...writableMetadata(given.metadata),
      name,
      ...(kind.scope === 'Namespaced' ? { namespace } : {}),
      uid: randomUUID(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: toSeconds(clock.now()),
    }
    const next = validate(kind, { apiVersion, kind: kind.kind, metadata, spec: given.spec, ...(actor.kind === 'system' && given.status ? { status: given.status } : {}) }, undefined, options)
    const words = await admit({ actor, verb: 'create', kind, object: next, previous: undefined, dryRun: options.dryRun ?? false, warnings: options.warnings, tx: options.tx })
    if (options.dryRun) {
      if (await read(key, options.tx)) throw alreadyExists(kind, key)
      return next
    }
    try {
      await write(actor, verb, 'ADDED', next, undefined, options, words)
    } catch (error) {
      if ((error as { code?: string }).code === '23505') throw alreadyExists(kind, key)
      throw error
    }
    return next
  }

  const mutateOnce = async (actor: Actor, kind: KindDefinition, key: ResourceKey, change: Parameters<Resources['mutate']>[2], options: MutateOptions): Promise<Resource | 'conflict'> => {
    const current = await read(key, options.tx)
    if (!current && !options.upsert) throw notFound(kind, key)
    const wanted = await change(current === undefined ? undefined : structuredClone(current) as never)
    if (!current) return create(actor, key.kind, key.namespace, { ...wanted, metadata: { ...wanted.metadata, name: key.name } }, options, options.verb)
    checkIdentity(kind, current, wanted)
    const next = validate(kind, nextState(current, wanted, options.subresource), current, options)
    permit(actor, options.verb ?? 'update', kind, key, current.spec, next.spec)
    if (options.subresource === 'status') permitStatus(actor, kind, key)
    if (isDeepStrictEqual(withoutVersion(next), withoutVersion(current))) return current
    const words = await admit({ actor, verb: 'update', kind, object: next, previous: current, dryRun: options.dryRun ?? false, warnings: options.warnings, tx: options.tx })
    const released = next.metadata.deletionTimestamp !== undefined && !next.metadata.finalizers?.length
    if (options.dryRun) return next
    const version = await write(actor, options.verb ?? 'update', released ? 'DELETED' : 'MODIFIED', next, current, options, words)
    return version === undefined ? 'conflict' : next
  }

  const mutate = async (actor: Actor, key: ResourceKey, change: Parameters<Resources['mutate']>[2], options: MutateOptions = {}): Promise<Resource> => {
    const kind = kindOf(key.kind)
    await permitMutation(actor, options.verb ?? 'update', kind, key, options.tx)
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await mutateOnce(actor, kind, key, change, options)
        if (result !== 'conflict') return result
      } catch (error) {
        // Somebody created it between our read and our write: read again.
        if (!options.upsert || !hasCode(error, 'ALREADY_EXISTS')) throw error
      }
      if (attempt >= (options.retries ?? mutateRetries)) throw conflict(kind, key)
    }
  }

  const remove = async (actor: Actor, key: ResourceKey, options: DeleteOptions = {}): Promise<Resource> => {
    const kind = kindOf(key.kind)
    if (!mayActOnSome(actor, 'delete', kind, key.namespace, key.name)) throw forbidden(actor, 'delete', kind, key.namespace, key.name)
    for (let attempt = 0; ; attempt++) {
      const current = await read(key, options.tx)
      if (!current) throw notFound(kind, key)
      permit(actor, 'delete', kind, key, current.spec)
      checkPreconditions(kind, current, options)
      const words = await admit({ actor, verb: 'delete', kind, object: current, previous: current, dryRun: options.dryRun ?? false, warnings: options.warnings, tx: options.tx })
      const next = markedForDeletion(current, options, clock.now())
      if (options.dryRun) return next
      if (current.metadata.deletionTimestamp && isDeepStrictEqual(next.metadata.finalizers, current.metadata.finalizers)) return current
      const type = next.metadata.finalizers?.length ? 'MODIFIED' : 'DELETED'
      if ((await write(actor, 'delete', type, next, current, options, words)) !== undefined) return next
      if (attempt >= mutateRetries) throw conflict(kind, key)
    }
  }

  const resources: Resources = {
    get: async (actor, key, tx) => {
      const kind = kindOf(key.kind)
      permitReading(actor, kind, key)
      const found = await read(key, tx)
      if (found) permit(actor, 'get', kind, key, found.spec)
      return found as never
    },
    mustGet: async (actor, key, tx) => {
      const kind = kindOf(key.kind)
      permitReading(actor, kind, key)
      const found = await read(key, tx)
      if (!found) throw notFound(kind, key)
      permit(actor, 'get', kind, key, found.spec)
      return found as never
    },
    list: async (actor, kindName, namespace, options = {}, tx) => {
      const kind = kindOf(kindName)
      if (namespace !== undefined || kind.scope === 'Cluster') permit(actor, 'list', kind, { kind: kind.kind, namespace: namespace ?? '', name: '' })
      checkFields(kind, options)
      const token = options.continue ? decodeContinue(options.continue) : undefined
      const limit = Math.min(options.limit || (options.limit === 0 ? largestPage : defaultPageSize), largestPage)
      const query = {
        kind: kind.kind,
        namespaces: kind.scope === 'Cluster' ? undefined : namespace === undefined ? readableNamespaces(actor, kind) : [namespace],
        labels: options.labels,
        fields: options.fields,
        after: token?.after,
        limit,
        count: options.count === true && !options.labels && !options.fields,
      }
      const page = await (tx ? readPage(tx, query) : database.durable(() => readPage(database, query), ({ version }) => isNew(version)))
      const last = page.items.at(-1)
      return {
        items: page.items as never,
        // A later page keeps the version of the first, so that a watch from there misses nothing.
        resourceVersion: token?.version ?? String(page.version),
        ...(page.more && last
          ? {
              continue: encodeContinue(token?.version ?? String(page.version), last),
              ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
            }
          : {}),
      }
    },
    listAll: async <R>(actor: Actor, kind: string, namespace: string | undefined, selection: Selection | undefined) => {
      const items: R[] = []
      let next: string | undefined
      do {
        const page = await resources.list<R>(actor, kind, namespace, { ...selection, limit: walkPageSize, continue: next })
        items.push(...page.items)
        next = page.continue
      } while (next !== undefined)
      return items
    },
    create: (actor, kind, namespace, resource, options) => create(actor, kind, namespace, resource, options) as never,
    mutate: (actor, key, change, options) => mutate(actor, key, change as never, options) as never,
    delete: (actor, key, options) => remove(actor, key, options) as never,
    watch: (actor, kindName, namespace, options) => {
      const kind = kindOf(kindName)
      if (namespace !== undefined || kind.scope === 'Cluster') permit(actor, 'watch', kind, { kind: kind.kind, namespace: namespace ?? '', name: '' })
      checkFields(kind, options)
      const readable = namespace === undefined ? readableNamespaces(actor, kind) : [namespace]
      return watchChanges({ database, feed, kind, namespaces: readable && kind.scope === 'Namespaced' ? readable : undefined, options, matches })
    },
  }
  return resources
}

function otherApp(actor: Actor): Error {
  return fail('FORBIDDEN', { message: `${actor.name} may change only what belongs to app "${actor.app}".`, fix: 'Use a token without that restriction.' })
}

/** A status is what the platform saw: whoever could write it could write approvals that nobody gave. */
function permitStatus(actor: Actor, kind: KindDefinition, key: ResourceKey): void {
  if (actor.kind === 'system' || (actor.admin && !actor.limit)) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not write the status of ${kind.plural} "${key.name}".`, why: 'A status says what the platform saw.', fix: 'Change the spec instead.' })
}

function checkIdentity(kind: KindDefinition, current: Resource, { metadata }: NewResource): void {
  const key = keyOf(current)
  const { resourceVersion, uid } = metadata
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) throw conflict(kind, key)
  if (uid && uid !== current.metadata.uid) throw conflict(kind, key)
}

function checkPreconditions(kind: KindDefinition, current: Resource, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {}
  if ((uid && uid !== current.metadata.uid) || (resourceVersion && resourceVersion !== current.metadata.resourceVersion)) throw conflict(kind, keyOf(current))
}

function checkFields(kind: KindDefinition, { fields = [] }: Selection): void {
  const allowed = ['metadata.name', 'metadata.namespace', ...(kind.indexes ?? [])]
  for (const { path } of fields) {
    if (!allowed.includes(path)) throw fail('BAD_REQUEST', { message: `${kind.plural} cannot be selected by field "${path}".`, fix: `Use one of: ${allowed.join(', ')}.` })
  }
}

interface ContinueToken {
  version: string
  after: { namespace: string; name: string }
}

function encodeContinue(version: string, last: Resource): string {
  const token: ContinueToken = { version, after: { namespace: last.metadata.namespace ?? '', name: last.metadata.name } }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function decodeContinue(text: string): ContinueToken {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as ContinueToken
    if (typeof token.version === 'string' && typeof token.after.name === 'string' && typeof token.after.namespace === 'string') return token
  } catch {
    // Answered below, like any other token that is not ours.
  }
  throw fail('EXPIRED', { message: 'The continue token is not valid here.' })
}

function notFound(kind: KindDefinition, key: ResourceKey): Error {
  return fail('NOT_FOUND', { message: `${kind.plural}.pavior.dev "${key.name}" not found`, facts: { kind: kind.kind, name: key.name, team: key.namespace } })
}

function alreadyExists(kind: KindDefinition, key: ResourceKey): Error {
  return fail('ALREADY_EXISTS', { message: `${kind.plural}.pavior.dev "${key.name}" already exists`, facts: { kind: kind.kind, name: key.name } })
}

function conflict(kind: KindDefinition, key: ResourceKey): Error {
  return fail('CONFLICT', {
    message: `Operation cannot be fulfilled on ${kind.plural}.pavior.dev "${key.name}": the object has been modified; please apply your changes to the latest version and try again`,
    facts: { kind: kind.kind, name: key.name },
  })
}
