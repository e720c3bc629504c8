/** Answers that are still being given must not outlive the rights they were opened with: watches, logs, everything live. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '@pavior/contract'
import type { Actor } from '../actor.ts'
import type { Authenticate } from './types.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Ends the answer with this error, in the words of its protocol; set by what has such words. */
    endWith?: (error: unknown) => void
  }
}

/** Changes that come together are looked at once. */
const gatherMs = 20
/** Sessions, tokens and bindings also end by the clock, which nobody announces. */
const lookAgainMs = 5000

export interface OpenStreamsDeps {
  /** Who a request comes from, without that counting as a use of the token. */
  identify: Authenticate
  /** Whether `now` still holds what `then` held. */
  stillHolds: (now: Actor, then: Actor) => boolean
  /** Calls back when anybody's rights may have changed. */
  onRightsChange: (listener: () => void) => () => void
}

export interface OpenStreams {
  add(request: FastifyRequest, reply: FastifyReply): () => void
  close(): void
}

export function createOpenStreams({ identify, stillHolds, onRightsChange }: OpenStreamsDeps): OpenStreams {
  const open = new Map<FastifyRequest, FastifyReply>()
  let gathering: NodeJS.Timeout | undefined

  const look = async (request: FastifyRequest, { raw }: FastifyReply): Promise<void> => {
    // What has not begun to answer is judged where it acts.
    if (!raw.headersSent || raw.writableEnded) return
    const problem = await identify({ ...identityOf(request) } as FastifyRequest).then(
      (now) => (stillHolds(now, request.actor) ? undefined : fail('FORBIDDEN', { message: 'The rights that this was opened with are not held any more.', fix: 'Open it again.' })),
      (error: unknown) => error,
    )
    if (problem === undefined || raw.writableEnded) return
    if (request.endWith) request.endWith(problem)
    else raw.destroy()
  }

  const lookAtAll = (): void => {
    gathering = undefined
    for (const [request, reply] of open) void look(request, reply)
  }
  const stopListening = onRightsChange(() => {
    gathering ??= setTimeout(lookAtAll, gatherMs)
  })
  const timer = setInterval(lookAtAll, lookAgainMs)
  timer.unref()

  return {
    add: (request, reply) => {
      open.set(request, reply)
      return () => open.delete(request)
    },
    close: () => {
      clearInterval(timer)
      clearTimeout(gathering)
      stopListening()
    },
  }
}

/** What identifies a caller; as a reading, so that no page has to prove again that it sent it. */
function identityOf({ headers, ip, id }: FastifyRequest): object {
  return { headers, ip, id, method: 'GET' }
}
