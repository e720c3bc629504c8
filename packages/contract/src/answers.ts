/** Answers of the API beside its resources. */
import type { AccessRule } from './kinds/identity.ts'

/** As the API has it; the token itself is never among it. */
export interface TokenRow {
  id: string
  prefix: string
  description: string
  username?: string
  team?: string
  role?: string
  app?: string
  /** With `team`: acts as this account. */
  serviceAccount?: string
  /** Nothing beyond these rules. */
  bounds?: AccessRule[]
  createdBy: string
  createdAt: string
  expiresAt?: string
  lastUsed?: string
  session: boolean
}

/** An app that a template made, and the version that it is offered. */
export interface FleetRow {
  team: string
  app: string
  version: string
  /** Version that it is offered. */
  offered: string
  behind: boolean
  canary: boolean
  url?: string
}
