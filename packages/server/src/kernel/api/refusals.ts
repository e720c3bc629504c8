/** Attempts that were denied have their row in the audit, before the caller is told. */
import { isPaviorError } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import { originOf } from '../actor.ts'
import type { AuditLog } from '../audit/audit.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'

/** Wrong tokens of one address that are told one by one; the others of that minute are not. */
const strangersIntervalMs = 60_000
const mostAddresses = 10_000

export function createRefusals(audit: AuditLog, clock: Clock, log: Logger): (error: unknown, request: FastifyRequest) => Promise<void> {
  const told = new Map<string, number>()
  /** Whoever has no valid token cannot fill the audit: one row an address and minute. */
  const isNews = (address: string): boolean => {
    const now = clock.now().getTime()
    if ((told.get(address) ?? -Infinity) + strangersIntervalMs > now) return false
    if (told.size >= mostAddresses) told.clear()
    told.set(address, now)
    return true
  }
  return async (error, request) => {
    if (!isPaviorError(error)) return
    const stranger = error.code === 'UNAUTHENTICATED' && request.headers.authorization !== undefined
    const denied = error.entry.http === 403 && request.actor !== undefined
    if (!denied && !(stranger && isNews(request.ip))) return
    const origin = request.actor ? originOf(request.actor) : { actor: 'unknown', requestId: request.id, address: request.ip }
    const { namespace, team } = (request.params ?? {}) as { namespace?: string; team?: string }
    const name = `${request.method} ${request.url.split('?', 1)[0]!}`
    await audit
      .note({ ...origin, verb: 'denied', kind: 'Request', namespace: denied ? (namespace ?? team) : undefined, name, reason: `${error.code}: ${error.details.message}` })
      .catch((failure: Error) => log.warn({ err: failure.message, requestId: request.id }, 'a denied attempt could not be written to the audit'))
  }
}
