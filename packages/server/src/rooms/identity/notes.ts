/** What happened that is no write of a resource: sign-ins, tokens, secrets of identity providers. Each has its row in the audit. */
import type { AuditNote, WriteNote } from '../../kernel/audit/notes.ts'
import type { Logger } from '../../kernel/log.ts'

const kinds = {
  'sign-in': 'Session',
  'sign-in-failed': 'Session',
  'sign-out': 'Session',
  'create-token': 'Token',
  'revoke-token': 'Token',
  'set-second-factor': 'SecondFactor',
  'remove-second-factor': 'SecondFactor',
  'set-password': 'Password',
  'set-sso-secret': 'IdentityProvider',
  'issue-workload-token': 'WorkloadToken',
} as const

export interface Note extends Pick<AuditNote, 'actor' | 'address' | 'requestId' | 'reason'> {
  verb: keyof typeof kinds
  /** What it was about. Never a secret. */
  name: string
  team?: string
}

export type TakeNote = (note: Note) => void

/** Nobody waits for the row; that it could not be written is in the log. */
export function createNotes(write: WriteNote, log: Logger): TakeNote {
  return ({ team, ...note }) => {
    write({ ...note, kind: kinds[note.verb], ...(team ? { namespace: team } : {}) }).catch((error: Error) => log.warn({ err: error.message, verb: note.verb, actor: note.actor }, 'a row of the audit could not be written'))
  }
}
