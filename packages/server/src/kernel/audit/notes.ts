/** Rows of the audit about what is no write of a resource: denied attempts, secrets that were read, tokens, sign-ins. */
import { Coalescer, type PgDatabase } from '../db/index.ts'
import type { AuditOrigin } from '../store/store.ts'

export interface AuditNote extends AuditOrigin {
  /** What was done or tried: denied, read, sign-in, revoke. */
  verb: string
  /** CamelCase, of a kind or of what else it is about: Token, Session, Request. */
  kind: string
  /** Team; absent for what concerns the platform. */
  namespace?: string
  name: string
  uid?: string
}

/** Resolves when it is on disk. */
export type WriteNote = (note: AuditNote) => Promise<void>

const largestBatch = 64
const longestName = 300
const longestReason = 500

/** They take versions like writes do, so that ids go on rising with versions. */
const noteStatement = `with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as g (place int, actor text, token text, verb text, kind text, namespace text, name text, uid uuid, request text, address text, reason text)),
  next as (update resource_version set value = value + $2 returning value - $2 as base)
  insert into audit (actor, token, verb, kind, namespace, name, uid, rv, request_id, address, reason)
    select actor, token, verb, kind, namespace, name, uid, base + place, request, address, reason from next, given order by place`

export function createNotes(database: PgDatabase): WriteNote {
  const writes = new Coalescer<AuditNote, void>({
    run: async (notes) => {
      await database.durable(() => database.keyed.query(noteStatement, [JSON.stringify(notes.map(toGiven)), notes.length], 'audit-notes'))
      return notes.map(() => undefined)
    },
    inFlight: 1,
    largest: largestBatch,
    alone: (error) => (error as { code?: string }).code !== 'DATABASE_UNAVAILABLE',
  })
  return (note) => writes.ask(note)
}

function toGiven({ actor, token, verb, kind, namespace = '', name, uid, requestId, address, reason }: AuditNote, index: number): Record<string, unknown> {
  return { place: index + 1, actor, token, verb, kind, namespace: plain(namespace, longestName), name: plain(name, longestName), uid, request: requestId, address, reason: reason && plain(reason, longestReason) }
}

/** Names of what was tried come from outside: no control characters, and not endless. */
function plain(text: string, longest: number): string {
  return text.replaceAll(/\p{Cc}/gu, '?').slice(0, longest)
}
