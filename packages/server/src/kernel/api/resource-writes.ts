/** Writes of one kind, from request to resource: create, replace, patch, apply, delete. */
import { apiVersion, fail, type ManagedFieldsEntry, type Resource } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { ignore } from '../errors.ts'
import type { KindDefinition } from '../kind.ts'
import { createFieldManager } from '../kube/apply.ts'
import { jsonPatch, mergePatch, patchType } from '../kube/patch.ts'
import { checkEnvelope, pruneUnknown, type FieldValidation } from '../kube/validation.ts'
import type { DeleteOptions, NewResource, ResourceKey, Resources } from '../resources/types.ts'
import { dryRun, flag, parameter, selection, writeOptions, type Query } from './query.ts'
import type { ResourceParams } from './resource-routes.ts'

export interface Written {
  resource: Resource
  created: boolean
  warnings: string[]
}

export interface ResourceWrites {
  create(request: FastifyRequest): Promise<Written>
  replace(request: FastifyRequest, subresource: 'status' | undefined): Promise<Written>
  patch(request: FastifyRequest, subresource: 'status' | undefined): Promise<Written>
  /** `gone`: nothing holds it any more. */
  delete(request: FastifyRequest): Promise<{ resource: Resource; gone: boolean }>
  deleteCollection(request: FastifyRequest): Promise<Resource[]>
}

type Options = ReturnType<typeof writeOptions>
type Change = (current: Resource | undefined) => NewResource

export function createResourceWrites(kind: KindDefinition, { resources, clock }: { resources: Resources; clock: Clock }): ResourceWrites {
  const fields = createFieldManager(kind)
  const timestamp = (): string => `${clock.now().toISOString().slice(0, 19)}Z`

  const keyOf = (request: FastifyRequest): ResourceKey => {
    const { namespace = '', name = '' } = request.params as ResourceParams
    return { kind: kind.kind, namespace, name }
  }

  /** Checks what surrounds the spec, and takes off what the caller said to ignore, so that nobody comes to own it. */
  const accept = (body: unknown, key: ResourceKey, options: Options): NewResource => {
    const given = identified(kind, body, key)
    options.warnings.push(...checkEnvelope(kind, given, options.fieldValidation))
    return options.fieldValidation === 'Strict' ? given : pruned(given, options.fieldValidation, options.warnings)
  }

  const pruned = (given: NewResource, mode: FieldValidation, warnings: string[]): NewResource => {
    const { resource, unknown } = pruneUnknown(kind, given)
    if (mode === 'Warn') warnings.push(...unknown.map((field) => `unknown field "${field}"`))
    return resource
  }

  const hardlyMeant = (resource: Resource, subresource: 'status' | undefined): string[] => (subresource === undefined ? (kind.warn?.(resource, clock.now()) ?? []) : [])

  const withManagers = (
    current: Resource | undefined,
    next: NewResource,
    subresource: 'status' | undefined,
    { fieldManager }: Options,
  ): NewResource => {
    const managedFields: ManagedFieldsEntry[] = fields.update(current, next, { manager: fieldManager, subresource, time: timestamp() })
    return { ...next, metadata: { ...next.metadata, managedFields } }
  }

  const mutate = async (
    request: FastifyRequest,
    change: Change,
    verb: 'update' | 'patch',
    subresource: 'status' | undefined,
    options: Options,
    more: { retries?: number; upsert?: boolean } = {},
  ): Promise<Written> => {
    let created = false
    const resource = await resources.mutate(
      request.actor,
      keyOf(request),
      (current: Resource | undefined) => {
        created = current === undefined
        // A change that is repeated after a conflict warns once.
        options.warnings.length = 0
        return change(current)
      },
      { ...options, verb, subresource, ...more },
    )
    return { resource, created, warnings: [...options.warnings, ...hardlyMeant(resource, subresource)] }
  }

  const apply = (request: FastifyRequest, subresource: 'status' | undefined, options: Options): Promise<Written> => {
    const query = request.query as Query
    if (parameter(query, 'fieldManager') === undefined) {
      throw fail('BAD_REQUEST', { message: 'Server-side apply needs a field manager.', fix: 'Add fieldManager=<name> to the query.' })
    }
    const body = requireObject(request.body)
    if ((body.metadata as { managedFields?: unknown } | undefined)?.managedFields)
      throw fail('BAD_REQUEST', { message: 'metadata.managedFields must be left out of what is applied.' })
    const change: Change = (current) => {
      const config = accept(body, keyOf(request), options)
      return fields.apply(current, config, { manager: options.fieldManager, subresource, time: timestamp(), force: flag(query, 'force') })
    }
    return mutate(request, change, 'patch', subresource, options, { upsert: subresource === undefined })
  }

  return {
    create: async (request) => {
      const options = writeOptions(request)
      const key = keyOf(request)
      const given = accept(request.body, key, options)
      const resource = await resources.create(
        request.actor,
        kind.kind,
        key.namespace,
        withManagers(undefined, given, undefined, options),
        options,
      )
      return { resource, created: true, warnings: [...options.warnings, ...hardlyMeant(resource, undefined)] }
    },

    replace: async (request, subresource) => {
      const options = writeOptions(request)
      const body = requireObject(request.body)
      const pinned = (body.metadata as { resourceVersion?: string } | undefined)?.resourceVersion
      const change: Change = (current) => withManagers(current, accept(body, keyOf(request), options), subresource, options)
      return mutate(request, change, 'update', subresource, options, pinned ? { retries: 0 } : {})
    },

    patch: async (request, subresource) => {
      const options = writeOptions(request)
      const type = patchType(request.headers['content-type'])
      if (type === 'apply') return apply(request, subresource, options)
      if (type === 'merge') requireObject(request.body)
      const change: Change = (current) => {
        // The managers are compared with the state before, which a JSON patch must not change in place.
        const patched = type === 'merge' ? mergePatch(current, request.body) : jsonPatch(structuredClone(current), request.body)
        return withManagers(current, accept(patched, keyOf(request), options), subresource, options)
      }
      return mutate(request, change, 'patch', subresource, options)
    },

    delete: async (request) => {
      const options = deleteOptions(request)
      const resource = await resources.delete<Resource>(request.actor, keyOf(request), options)
      return { resource, gone: !(resource.metadata.deletionTimestamp && resource.metadata.finalizers?.length) }
    },

    deleteCollection: async (request) => {
      const { preconditions: _, ...options } = deleteOptions(request)
      const { namespace = '' } = request.params as ResourceParams
      const deleted: Resource[] = []
      const found = await resources.listAll<Resource>(request.actor, kind.kind, kind.scope === 'Namespaced' ? namespace : undefined, selection(request.query as Query))
      for (const { metadata } of found) {
        const key = { kind: kind.kind, namespace: metadata.namespace ?? '', name: metadata.name }
        const resource = await resources
          .delete<Resource>(request.actor, key, { ...options, preconditions: { uid: metadata.uid } })
          // Somebody else deleted it, or put another in its place, while we were going through the list.
          .catch(ignore('NOT_FOUND', 'CONFLICT'))
        if (resource) deleted.push(resource)
      }
      return deleted
    },
  }
}

/** The body with kind, name and team as the path has them; throws BAD_REQUEST where they disagree. */
function identified(kind: KindDefinition, body: unknown, { namespace, name }: ResourceKey): NewResource {
  const given = requireObject(body) as Partial<NewResource>
  if (given.kind !== undefined && given.kind !== kind.kind)
    throw fail('BAD_REQUEST', { message: `The kind of the body is "${String(given.kind)}"; this path takes ${kind.kind}.` })
  if (given.apiVersion !== undefined && given.apiVersion !== apiVersion) {
    throw fail('BAD_REQUEST', { message: `The apiVersion of the body is "${String(given.apiVersion)}"; this path takes ${apiVersion}.` })
  }
  const metadata = (given.metadata ?? {}) as NewResource['metadata']
  if (typeof metadata !== 'object' || Array.isArray(metadata)) throw fail('BAD_REQUEST', { message: 'metadata must be an object.' })
  if (metadata.namespace && metadata.namespace !== namespace) {
    const place = namespace === '' ? 'that there is none' : `"${namespace}"`
    throw fail('BAD_REQUEST', { message: `The namespace of the body is "${metadata.namespace}"; the path says ${place}.` })
  }
  if (name && metadata.name && metadata.name !== name)
    throw fail('BAD_REQUEST', { message: `The name of the body is "${metadata.name}"; the path says "${name}".` })
  return {
    ...given,
    apiVersion,
    kind: kind.kind,
    metadata: { ...metadata, ...(name ? { name } : {}) } as NewResource['metadata'],
    spec: given.spec ?? {},
  }
}

function requireObject(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw fail('BAD_REQUEST', { message: 'The request needs an object as its body.' })
}

/** Of the query, and of the body as `DeleteOptions`; the query wins. */
function deleteOptions(request: FastifyRequest): DeleteOptions {
  const query = request.query as Query
  const body = (request.body ?? {}) as {
    propagationPolicy?: string
    orphanDependents?: boolean
    preconditions?: DeleteOptions['preconditions']
    dryRun?: string[]
    kind?: string
  }
  if (typeof body !== 'object' || Array.isArray(body) || (body.kind !== undefined && body.kind !== 'DeleteOptions'))
    throw fail('BAD_REQUEST', { message: 'The body of a deletion must be DeleteOptions, or empty.' })
  const orphan = body.orphanDependents === undefined ? undefined : body.orphanDependents ? 'Orphan' : 'Background'
  const policy = parameter(query, 'propagationPolicy') ?? body.propagationPolicy ?? orphan
  if (policy !== undefined && policy !== 'Foreground' && policy !== 'Background' && policy !== 'Orphan') {
    throw fail('BAD_REQUEST', {
      message: `propagationPolicy must be Foreground, Background or Orphan, not "${String(policy).slice(0, 40)}".`,
    })
  }
  return {
    dryRun: dryRun(query.dryRun as string | string[] | undefined) || dryRun(body.dryRun),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(body.preconditions ? { preconditions: body.preconditions } : {}),
  }
}
