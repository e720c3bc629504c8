/** Turns resources into answers, in the form and encoding that the caller wants. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringify } from 'yaml'
import type { Clock } from '../clock.ts'
import { makeTable, partialMetadata, type TableForm } from '../kube/table.ts'
import { negotiate, type Wanted } from './negotiation.ts'
import { flag, includeObject, type Query } from './query.ts'

/** What is known of a type of objects that the API shows: a kind of ours, or a Namespace. */
export interface Presentation<R extends object = object> {
  apiVersion: string
  kind: string
  table: TableForm<R>
}

export interface ListMetadata {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export interface Responder {
  object<R extends object>(request: FastifyRequest, reply: FastifyReply, presentation: Presentation<R>, object: R): FastifyReply
  list<R extends object>(
    request: FastifyRequest,
    reply: FastifyReply,
    presentation: Presentation<R>,
    items: R[],
    metadata: ListMetadata,
  ): FastifyReply
  /** Objects that have only one form, such as discovery documents. */
  plain(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply
}

export function createResponder(clock: Clock): Responder {
  const table = <R extends object>(
    request: FastifyRequest,
    wanted: Wanted,
    { apiVersion: _, table: form }: Presentation<R>,
    items: R[],
    metadata: ListMetadata,
  ): object =>
    makeTable(form, items, {
      metadata,
      includeObject: includeObject(request.query as Query),
      apiVersion: `meta.k8s.io/${wanted.version}`,
      now: clock.now(),
    })

  return {
    object: (request, reply, presentation, object) => {
      const wanted = negotiate(request.headers.accept)
      if (wanted.form === 'Object') return send(request, reply, wanted, object)
      const { metadata } = object as { metadata?: { resourceVersion?: string } }
      if (wanted.form === 'Table')
        return send(request, reply, wanted, table(request, wanted, presentation, [object], { resourceVersion: metadata?.resourceVersion }))
      return send(request, reply, wanted, partialMetadata(object as { metadata: object }, `meta.k8s.io/${wanted.version}`))
    },
    list: (request, reply, presentation, items, metadata) => {
      const wanted = negotiate(request.headers.accept)
      if (wanted.form === 'Table') return send(request, reply, wanted, table(request, wanted, presentation, items, metadata))
      if (wanted.form === 'Object')
        return send(request, reply, wanted, { kind: `${presentation.kind}List`, apiVersion: presentation.apiVersion, metadata, items })
      const version = `meta.k8s.io/${wanted.version}`
      const partial = items.map((item) => partialMetadata(item as { metadata: object }, version))
      return send(request, reply, wanted, { kind: 'PartialObjectMetadataList', apiVersion: version, metadata, items: partial })
    },
    plain: (request, reply, value) => send(request, reply, negotiate(request.headers.accept), value),
  }
}

function send(request: FastifyRequest, reply: FastifyReply, { encoding }: Wanted, value: unknown): FastifyReply {
  reply.header('cache-control', 'no-cache, private')
  if (encoding === 'yaml') return reply.type('application/yaml').send(stringify(value, { aliasDuplicateObjects: false }))
  const text = flag(request.query as Query, 'pretty') ? `${JSON.stringify(value, undefined, 2)}\n` : JSON.stringify(value)
  return reply.type('application/json').send(text)
}

/** `Warning` headers as in RFC 7234 with the code 299, which kubectl prints. */
export function addWarnings(reply: FastifyReply, warnings: string[]): void {
  if (warnings.length === 0) return
  const headers = warnings
    .slice(0, mostWarnings)
    .map((text) => `299 - "${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`)
  reply.header('warning', headers)
}

const mostWarnings = 20
