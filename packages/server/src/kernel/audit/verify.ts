/** Looks over the whole audit: every hash computed anew, every signed head, and every resource against its last digest. */
import type { AuditProblem, AuditVerification } from '@pavior/contract'
import type { Database, Tx } from '../db/index.ts'
import { inserted, problemsIn, type ChainedRow, type Link } from './chain.ts'
import type { Head, SealKey } from './key.ts'
import { readHead, rowsOfRange } from './sealer.ts'

const page = 2000
const shownProblems = 100

const linksAfter = `select rv::text, id::text, hash, digest from audit_chain where rv > $1 order by audit_chain.rv limit ${page}`
const seals = 'select rv::text, hash, key, signature, at from audit_seals order by hour'
const hashAt = 'select hash from audit_chain where rv = $1'
const oldestRow = 'select min(rv)::text as rv from audit_chain'
/** Rows in front of the first link, or behind the last one with a version from before it. */
const strayRows = `select a.rv::text, a.actor, a.verb, a.kind, a.name from audit a, (select min(id) as first, max(id) as last, max(rv) as rv from audit_chain) chain
  where (a.id < chain.first or a.id > chain.last) and a.rv <= chain.rv order by a.id limit ${shownProblems + 1}`
/** A resource whose last change is as old as the chain must be in it, and still be what that change left. */
const resourcesUnlike = `select r.kind, r.namespace, r.name, r.rv::text from (select min(rv) as first, max(rv) as last from audit_chain) chain, resources r left join audit_chain c on c.rv = r.rv
  where r.rv between chain.first and chain.last and c.digest is distinct from sha256(convert_to(r.object::text, 'UTF8')) order by r.rv limit ${shownProblems + 1}`
const resourcesCompared = 'select count(*)::int as count from resources r join audit_chain c on c.rv = r.rv'

export interface Verifying {
  database: Database
  key: SealKey
  /** Kept elsewhere by somebody. */
  expected?: Head
  /** Seals from before this moment may be about rows that were forgotten in their time. */
  keptSince: Date
  signal: AbortSignal
}

/** On one snapshot, so that what is written or forgotten meanwhile does not look like a fault. */
export function verifyAudit(verifying: Verifying): Promise<AuditVerification> {
  return verifying.database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    return verifySnapshot({ ...verifying, tx })
  })
}

type Snapshot = Verifying & { tx: Tx }

async function verifySnapshot(verifying: Snapshot): Promise<AuditVerification> {
  const chain = await verifyChain(verifying)
  const sealed = await verifySeals(verifying)
  const heads = await verifyHeads(verifying)
  const live = await verifyResources(verifying)
  const problems = [...chain.problems, ...sealed.problems, ...heads, ...live.problems]
  const head = await readHead(verifying.tx)
  return {
    intact: problems.length === 0,
    rows: chain.rows,
    seals: sealed.count,
    resources: live.count,
    ...(head ? { head: { resourceVersion: head.rv, hash: head.hash.toString('hex') } } : {}),
    problems: problems.slice(0, shownProblems),
    more: Math.max(0, problems.length - shownProblems),
  }
}

async function verifyChain({ tx, signal }: Snapshot): Promise<{ rows: number; problems: AuditProblem[] }> {
  const problems: AuditProblem[] = []
  let rows = 0
  let before: Link | undefined
  for (let links = await linksBehind(tx, '0'); links.length > 0 && !signal.aborted; links = await linksBehind(tx, before.rv)) {
    const range = [before?.id ?? String(BigInt(links[0]!.id) - 1n), links.at(-1)!.id]
    const found = await tx.query<ChainedRow>(rowsOfRange, range)
    problems.push(...problemsIn(before, links, new Map(found.rows.map((row) => [row.id, row]))))
    rows += links.length
    before = links.at(-1)!
  }
  const stray = await tx.query<ChainedRow>(strayRows)
  return { rows, problems: [...problems, ...stray.rows.map(inserted)] }
}

async function linksBehind(tx: Tx, rv: string): Promise<Link[]> {
  return (await tx.query<Link>(linksAfter, [rv])).rows
}

async function verifySeals({ tx, key, keptSince }: Snapshot): Promise<{ count: number; problems: AuditProblem[] }> {
  const { rows } = await tx.query<{ rv: string; hash: Buffer; key: string; signature: Buffer; at: Date }>(seals)
  const oldest = await oldestLink(tx)
  const problems: AuditProblem[] = []
  for (const seal of rows) {
    const tell = (type: AuditProblem['type'], text: string): void => void problems.push({ type, resourceVersion: seal.rv, text })
    if (seal.key !== key.id) tell('seal', `The head of ${seal.at.toISOString()} was signed with key ${seal.key}, which is not the key of this installation (${key.id}).`)
    else if (!key.verify(seal, seal.signature)) tell('seal', `The signature of the head of ${seal.at.toISOString()} is not valid.`)
    else if (BigInt(seal.rv) < oldest) {
      if (seal.at >= keptSince) tell('removed', `Rows up to version ${seal.rv} were removed before their time.`)
    } else if (!(await holds(tx, seal))) tell('changed', `The chain was written anew: what was signed at ${seal.at.toISOString()} for version ${seal.rv} is not in it.`)
  }
  return { count: rows.length, problems }
}

async function oldestLink(tx: Tx): Promise<bigint> {
  return BigInt((await tx.query<{ rv: string | null }>(oldestRow)).rows[0]?.rv ?? 0)
}

async function holds(tx: Tx, { rv, hash }: Head): Promise<boolean> {
  return (await tx.query<{ hash: Buffer }>(hashAt, [rv])).rows[0]?.hash.equals(hash) ?? false
}

async function verifyHeads({ tx, key, expected }: Snapshot): Promise<AuditProblem[]> {
  const kept = await key.readHead()
  const heads = [
    ...(kept ? [{ head: kept, from: 'that this server noted last' }] : []),
    ...(expected ? [{ head: expected, from: 'that was given' }] : []),
  ]
  const problems: AuditProblem[] = []
  const oldest = await oldestLink(tx)
  for (const { head, from } of heads) {
    if (BigInt(head.rv) < oldest) problems.push({ type: 'head', resourceVersion: head.rv, text: `The head ${from} (version ${head.rv}) is older than what is kept, so it cannot be checked.` })
    else if (!(await holds(tx, head))) problems.push({ type: 'head', resourceVersion: head.rv, text: `The head ${from} (version ${head.rv}) is not in the chain: it was cut off or written anew.` })
  }
  return problems
}

async function verifyResources({ tx }: Snapshot): Promise<{ count: number; problems: AuditProblem[] }> {
  const { rows } = await tx.query<{ kind: string; namespace: string; name: string; rv: string }>(resourcesUnlike)
  const { rows: counted } = await tx.query<{ count: number }>(resourcesCompared)
  const problems = rows.map(({ kind, namespace, name, rv }): AuditProblem => ({ type: 'resource', resourceVersion: rv, text: `${kind} ${namespace ? `${namespace}/` : ''}${name} is not what its last change (version ${rv}) left, or that change is not in the audit any more.` }))
  return { count: counted[0]!.count, problems }
}
