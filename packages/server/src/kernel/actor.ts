import type { AccessRule, Role } from '@pavior/contract'
import type { AuditOrigin } from './store/store.ts'

/** What a binding gives. */
export interface Grant {
  /** Name of the role, for people. */
  role: string
  /** Undefined: in every team, and for the kinds that belong to none. */
  team?: string
  /** What the role of a member gives, beside the rules. */
  member?: Role
  rules: readonly AccessRule[]
}

/** Who acts. Made by authentication from a token, or by a background part for itself. */
export interface Actor {
  /** `user:ada`, `token:ci-checkout` or `system:release`. */
  name: string
  kind: 'user' | 'token' | 'system'
  /** Administrator of the platform. */
  admin: boolean
  /** Role by team. `system` actors need none. */
  roles: ReadonlyMap<string, Role>
  /** What bindings give beyond `roles`. */
  grants?: readonly Grant[]
  /** What it holds without an end, where that is less: what is held for a while cannot be made to last. */
  lasting?: { admin: boolean; roles: ReadonlyMap<string, Role>; grants?: readonly Grant[] }
  /** Restriction of a token: nothing beyond these rules, whatever its owner may. Its owner's rights are all in `grants` then. */
  limit?: readonly AccessRule[]
  /** Restriction of a token: only this app of its team. */
  app?: string
  /** Prefix of the token in use, for the audit. */
  token?: string
  /** Of the request in which it acts, for the audit. */
  requestId?: string
  /** That the request came from, for the audit. */
  address?: string
  /** Why, in the caller's words, for the audit. */
  reason?: string
}

export function originOf({ name, token, requestId, address, reason }: Actor): AuditOrigin {
  return { actor: name, token, requestId, address, reason }
}

export function systemActor(part: string): Actor {
  return { name: `system:${part}`, kind: 'system', admin: true, roles: new Map() }
}

/** A part of the platform writes what only it may, and the audit says for whom. */
export function writingFor(part: Actor, { name, token, requestId, address, reason }: Actor): Actor {
  return { ...part, name, ...(token === undefined ? {} : { token }), ...(requestId === undefined ? {} : { requestId }), ...(address === undefined ? {} : { address }), ...(reason === undefined ? {} : { reason }) }
}
