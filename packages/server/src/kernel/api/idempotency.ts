/**
 * `Idempotency-Key`: a write that is sent again with the same key is answered with what the first one gave.
 *
 * Only what succeeded is kept; after a refusal or a fault nothing was changed, and the same key may be tried again.
 */
import { createHash } from 'node:crypto'
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../actor.ts'

export interface StoredAnswer {
  status: number
  /** Content type of the body. */
  type: string
  body: string
}

export type Claim =
  /** The caller is the first and goes on; `finish` or `abandon` follows. */
  | { state: 'claimed' }
  /** Somebody else has it and has not finished. */
  | { state: 'running'; fingerprint: string }
  | { state: 'finished'; fingerprint: string; answer: StoredAnswer }

export interface IdempotencyStore {
  /**
   * Takes the key for this actor, atomically over all servers. A claim that was never finished, because its server died, is
   * given to the next one who asks after `claimTimeoutMs`.
   */
  claim(actor: Actor, key: string, fingerprint: string): Promise<Claim>
  finish(actor: Actor, key: string, answer: StoredAnswer): Promise<void>
  abandon(actor: Actor, key: string): Promise<void>
}

/** A claim older than this belongs to nobody any more. */
export const claimTimeoutMs = 120_000
const longestKey = 255
const retryAfterSeconds = 1

declare module 'fastify' {
  interface FastifyRequest {
    idempotencyKey?: string
  }
}

export function addIdempotency(app: FastifyInstance, store: IdempotencyStore): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (key === undefined || !isWrite(request) || !request.actor) return
    return begin(store, request, reply, String(key))
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey
    if (key === undefined) return payload
    request.idempotencyKey = undefined
    const kept =
      reply.statusCode >= 200 && reply.statusCode < 300 && (typeof payload === 'string' || payload === undefined || payload === null)
    if (kept)
      await store.finish(request.actor, key, {
        status: reply.statusCode,
        type: String(reply.getHeader('content-type') ?? 'application/json'),
        body: (payload as string | undefined) ?? '',
      })
    else await store.abandon(request.actor, key)
    return payload
  })
}

async function begin(
  store: IdempotencyStore,
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
): Promise<FastifyReply | undefined> {
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > longestKey) {
    throw fail('BAD_REQUEST', { message: `An Idempotency-Key has 1 to ${longestKey} printable characters without spaces.` })
  }
  if (request.body !== undefined && request.body !== null && request.bodyDigest === undefined) {
    throw fail('BAD_REQUEST', { message: 'An Idempotency-Key is possible with JSON and YAML bodies only.', fix: 'Send this request without it.' })
  }
  const fingerprint = createHash('sha256')
    .update(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${request.routeOptions.config.holdsSecret ? '' : (request.bodyDigest ?? '')}`)
    .digest('base64')
  const claim = await store.claim(request.actor, key, fingerprint)
  if (claim.state === 'claimed') {
    request.idempotencyKey = key
    return undefined
  }
  if (claim.fingerprint !== fingerprint)
    throw fail('IDEMPOTENCY_MISMATCH', { message: `The Idempotency-Key "${key}" was used before with another request.` })
  if (claim.state === 'running') {
    throw fail('CONFLICT', {
      message: `The same request with the Idempotency-Key "${key}" is being worked on.`,
      fix: 'Send it again in a moment.',
      facts: { retryAfterSeconds },
    })
  }
  const { status, type, body } = claim.answer
  reply.code(status).header('idempotency-replayed', 'true')
  return body === '' ? reply.send() : reply.type(type).send(body)
}

function isWrite({ method }: FastifyRequest): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE'
}
