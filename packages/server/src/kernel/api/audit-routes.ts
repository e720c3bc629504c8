/** `GET /v1/audit`: who changed what and when, in pages, as it happens or as a file; and whether it is still what was written. */
import { fail, type AuditRow } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../actor.ts'
import type { AuditFilter, AuditLog } from '../audit/audit.ts'
import type { KindRegistry } from '../kind.ts'
import { auditedTeams } from '../resources/authorize.ts'
import { sendLines, type WriteLine } from './lines.ts'
import { flag, parameter, wholeNumber, type Query } from './query.ts'

const filters = ['actor', 'people', 'kind', 'team', 'name', 'verb', 'since', 'until']
const parameters = [...filters, 'limit', 'continue', 'follow', 'after']
const exportParameters = [...filters, 'format']
const defaultPageSize = 100
const largestPage = 1000

export function addAuditRoutes(app: FastifyInstance, { audit, kinds }: { audit: AuditLog; kinds: KindRegistry }): void {
  app.get('/v1/audit', async (request, reply) => {
    const query = request.query as Query
    checkParameters(query, parameters)
    const teams = readableTeams(request.actor, parameter(query, 'team'))
    const filter = filterOf(query, kinds)
    if (flag(query, 'follow')) {
      const after = rowId(query, 'after')
      return sendLines(reply, (write, signal) => audit.follow(teams, filter, after, write, signal))
    }
    const limit = Math.min(wholeNumber(query, 'limit') || defaultPageSize, largestPage)
    return audit.list(teams, filter, { limit, before: rowId(query, 'continue') })
  })
  app.get('/v1/audit/export', async (request, reply) => {
    const query = request.query as Query
    checkParameters(query, exportParameters)
    const teams = readableTeams(request.actor, parameter(query, 'team'))
    const filter = filterOf(query, kinds)
    const format = parameter(query, 'format') ?? 'jsonl'
    if (format !== 'jsonl' && format !== 'csv') throw fail('BAD_REQUEST', { message: `The audit is not exported as "${format.slice(0, 20)}".`, fix: 'Use jsonl or csv.' })
    if (format === 'jsonl') return sendLines(reply, (write, signal) => audit.export(teams, filter, write, signal))
    const form = { type: 'text/csv; charset=utf-8', line: (record: unknown) => csvLine(Array.isArray(record) ? record : csvColumns.map((column) => (record as AuditRow)[column])) }
    const produce = async (write: WriteLine, signal: AbortSignal): Promise<void> => {
      await write(csvColumns)
      await audit.export(teams, filter, write, signal)
    }
    return sendLines(reply, produce, { form })
  })
  app.get('/v1/audit/head', async ({ actor }) => {
    mustSeeAll(actor)
    const head = await audit.head()
    if (!head) throw fail('NOT_FOUND', { message: 'There is no row in the audit yet.' })
    return head
  })
  app.get('/v1/audit/verify', async (request, reply) => {
    mustSeeAll(request.actor)
    checkParameters(request.query as Query, ['head'])
    const gone = new AbortController()
    reply.raw.on('close', () => gone.abort())
    return audit.verify(parameter(request.query as Query, 'head'), gone.signal)
  })
}

function mustSeeAll(actor: Actor): void {
  if (actor.app === undefined && auditedTeams(actor) === undefined) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not verify the audit.`, why: 'Its chain goes over all teams.', fix: 'Ask an administrator or auditor of the platform.' })
}

const csvColumns = ['time', 'actor', 'token', 'address', 'verb', 'kind', 'team', 'name', 'uid', 'resourceVersion', 'requestId', 'reason', 'before', 'after'] as const

/** RFC 4180. What a spreadsheet would take for a formula is made text. */
function csvLine(cells: readonly (string | undefined)[]): string {
  return cells.map((cell = '') => (/^[=+@-]|[",\r\n\t]/.test(cell) ? `"${cell.replace(/^(?=[=+@-])/, "'").replaceAll('"', '""')}"` : cell)).join(',')
}

/** A filter with a slip in its name must not look like no filter at all. */
function checkParameters(query: Query, known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name))
  if (unknown !== undefined) throw fail('BAD_REQUEST', { message: `The audit cannot be filtered by "${unknown.slice(0, 40)}".`, fix: `Use: ${known.join(', ')}.` })
}

/** Platform administrators read everything, administrators of a team what happened in it. Undefined: everything. */
function readableTeams(actor: Actor, team: string | undefined): string[] | undefined {
  // A token for one app shows nothing of the others.
  const own = actor.app === undefined ? auditedTeams(actor) : []
  if (own === undefined) return team === undefined ? undefined : [team]
  const wanted = team === undefined ? own : own.filter((name) => name === team)
  if (wanted.length > 0) return wanted
  throw fail('FORBIDDEN', {
    message: `${actor.name} may not read the audit${team === undefined ? '' : ` of team ${team}`}.`,
    why: actor.app === undefined ? 'It is for administrators and auditors of the team or of the platform.' : 'The token is for one app only.',
    fix: team === undefined ? 'Name a team that you administrate, or ask its administrator.' : `Ask an administrator of team ${team} for the role admin.`,
  })
}

function filterOf(query: Query, kinds: KindRegistry): AuditFilter {
  return {
    actor: parameter(query, 'actor'),
    people: flag(query, 'people'),
    kind: kindOf(query, kinds),
    name: parameter(query, 'name'),
    verb: parameter(query, 'verb'),
    since: momentOf(query, 'since'),
    until: momentOf(query, 'until'),
  }
}

/** What rows are about beside resources. */
const notedKinds = ['Request', 'Session', 'Token']

/** Any word for the kind: App, app, apps. */
function kindOf(query: Query, kinds: KindRegistry): string | undefined {
  const word = parameter(query, 'kind')
  if (word === undefined) return undefined
  const noted = notedKinds.find((kind) => kind.toLowerCase() === word.toLowerCase())
  if (noted !== undefined) return noted
  const found = kinds.find(word) ?? kinds.find(word.toLowerCase())
  if (!found) throw fail('BAD_REQUEST', { message: `There is no kind "${word.slice(0, 40)}".`, fix: `Use one of: ${[...kinds.all.map(({ kind }) => kind), ...notedKinds].join(', ')}.` })
  return found.kind
}

function momentOf(query: Query, name: 'since' | 'until'): Date | undefined {
  const text = parameter(query, name)
  if (text === undefined) return undefined
  const moment = new Date(text)
  if (Number.isNaN(moment.getTime())) throw fail('BAD_REQUEST', { message: `${name} "${text.slice(0, 40)}" is not a time.`, fix: 'Give an ISO 8601 time, for example 2026-01-31T12:00:00Z.' })
  return moment
}

function rowId(query: Query, name: 'continue' | 'after'): string | undefined {
  const token = parameter(query, name)
  if (token !== undefined && !/^\d{1,18}$/.test(token)) throw fail('EXPIRED', { message: `The value of ${name} is not valid here.`, fix: 'Begin anew without it.' })
  return token
}
