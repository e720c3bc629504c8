/** Pure: how rows of the audit are chained, and what does not fit in a chain. */
import { createHash } from 'node:crypto'
import type { AuditProblem } from '@pavior/contract'

/** A row of the audit as it is hashed: everything in it, as text. */
export interface ChainedRow {
  id: string
  rv: string
  /** Microseconds since 1970. */
  micros: string
  actor: string
  token: string | null
  verb: string
  kind: string
  namespace: string
  name: string
  uid: string | null
  request_id: string | null
  address: string | null
  reason: string | null
  previous: string | null
}

export interface Link {
  rv: string
  id: string
  hash: Buffer
  digest: Buffer | null
}

/** Before the first row of all. */
export const genesis = Buffer.alloc(32)

export function hashOf(before: Buffer, row: ChainedRow, digest: Buffer | null): Buffer {
  const { id, rv, micros, actor, token, verb, kind, namespace, name, uid, request_id: request, address, reason, previous } = row
  const text = JSON.stringify([id, rv, micros, actor, token, verb, kind, namespace, name, uid, request, address, reason, previous, digest?.toString('hex') ?? null])
  return createHash('sha256').update(before).update(text).digest()
}

export function linksOf(before: Buffer, rows: readonly (ChainedRow & { digest: Buffer | null })[]): Link[] {
  let last = before
  return rows.map((row) => {
    last = hashOf(last, row, row.digest)
    return { rv: row.rv, id: row.id, hash: last, digest: row.digest }
  })
}

/**
 * What does not fit between links and the rows of the same range of ids. `before` is the link in front of the first one;
 * undefined for the oldest of all, which has nothing to be checked against when the row that it stands for was forgotten in its time.
 */
export function problemsIn(before: Link | undefined, links: readonly Link[], rows: ReadonlyMap<string, ChainedRow>): AuditProblem[] {
  const problems: AuditProblem[] = []
  let last = before?.hash ?? genesis
  links.forEach((link, index) => {
    const row = rows.get(link.id)
    const isOldest = before === undefined && index === 0
    if (!row && !isOldest) problems.push(missing(link))
    else if (row && !hashOf(last, row, link.digest).equals(link.hash)) problems.push(changed(link, row))
    // Goes on from what the chain says, so that one changed row is told once.
    last = link.hash
  })
  const known = new Set(links.map(({ id }) => id))
  for (const row of rows.values()) if (!known.has(row.id)) problems.push(inserted(row))
  return problems
}

function missing({ rv }: Link): AuditProblem {
  return { type: 'missing', resourceVersion: rv, text: `The row of version ${rv} is in the chain and not in the audit: it was removed.` }
}

function changed({ rv }: Link, { actor, verb, kind, name }: ChainedRow): AuditProblem {
  return { type: 'changed', resourceVersion: rv, text: `The row of version ${rv} (${actor} ${verb} ${kind} ${name}), or its link, is not as it was written, or the row before it was taken out with its link.` }
}

export function inserted({ rv, actor, verb, kind, name }: ChainedRow): AuditProblem {
  return { type: 'inserted', resourceVersion: rv, text: `The row of version ${rv} (${actor} ${verb} ${kind} ${name}) has no link: it was put in later.` }
}
