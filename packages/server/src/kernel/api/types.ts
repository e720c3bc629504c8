import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Actor } from '../actor.ts'

/** Who sends this request; throws UNAUTHENTICATED. Made by room identity. */
export type Authenticate = (request: FastifyRequest) => Promise<Actor>

/** Routes beyond the generic resource API. `request.actor` is set for every route that is not declared public. */
export type Routes = (app: FastifyInstance) => void

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor
  }
  interface FastifyContextConfig {
    /** Reached without a token. */
    public?: boolean
    /** The body holds what nobody may guess afterwards: nothing is kept that is made of it. */
    holdsSecret?: boolean
    /** Largest body in bytes for this route, when it is not the general limit. */
    maxBodyBytes?: number
  }
}
