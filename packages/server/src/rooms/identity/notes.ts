/** What happened that is no write of a resource: sign-ins, tokens, refusals, elevations. The one place where they are told. */
import type { Logger } from '../../kernel/log.ts'

export interface Note {
  /** Who did it, or tried to: `user:ada`. */
  actor: string
  /** `sign-in`, `token.create`, … */
  action: 'sign-in' | 'sign-out' | 'token.create' | 'token.revoke' | 'second-factor.set' | 'second-factor.remove' | 'password.set' | 'elevate' | 'scim-token.create' | 'sso-secret.set' | 'workload-token.issue'
  outcome: 'allowed' | 'refused'
  /** What it was about, or why it was refused. Never a secret. */
  about?: string
  team?: string
  /** Where it came from. */
  address?: string
  requestId?: string
}

export type TakeNote = (note: Note) => void

/** The row of the audit belongs here, beside the line of the log. */
export function createNotes(log: Logger): TakeNote {
  return (note) => log.info({ identity: note }, `${note.action} ${note.outcome}`)
}
