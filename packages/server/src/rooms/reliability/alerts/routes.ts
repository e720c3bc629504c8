/** What people do with alerts over HTTP, signed in or by a link of a message. */
import { fail, isPaviorError, type AlertStatus } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import { authorize } from '../../../kernel/resources/authorize.ts'
import { readNotifications } from '../notify/store.ts'
import { acknowledge, judge, minute, resolveByHand, type By, type CommandDeps } from './commands.ts'
import { actor as platform } from './deps.ts'
import type { Alert } from './groups.ts'
import { alert as alertKind } from './kinds.ts'
import { readLink, type LinkClaim } from './links.ts'
import { reportOf } from './report.ts'

const usualReportDays = 7
const longestReportDays = 28
const longestNote = 500

interface Params {
  team: string
  name: string
}

type Verdict = NonNullable<AlertStatus['verdict']>

export function alertRoutes(deps: CommandDeps & { linkKey: () => Promise<Buffer> }): Routes {
  const { resources, database, clock } = deps
  /** The role that may is asked before anything is said of the alert. */
  const permitted = async (actor: Actor, { team, name }: Params): Promise<Alert> => {
    const alert = await resources.mustGet<Alert>(actor, { kind: 'Alert', namespace: team, name })
    authorize(actor, 'update', alertKind, team, { name, spec: alert.spec, next: alert.spec })
    return alert
  }
  return (server: FastifyInstance) => {
    server.post<{ Params: Params; Body: { note?: unknown } }>('/v1/teams/:team/alerts/:name/acknowledge', async (request) => {
      await permitted(request.actor, request.params)
      const note = request.body?.note
      if (note !== undefined && (typeof note !== 'string' || note.length > longestNote)) throw fail('BAD_REQUEST', { message: `A note is a text of at most ${longestNote} characters.` })
      return acknowledge(deps, request.params, byOf(request), note || undefined)
    })

    server.post<{ Params: Params; Body: { verdict?: unknown } }>('/v1/teams/:team/alerts/:name/resolve', async (request) => {
      await permitted(request.actor, request.params)
      return resolveByHand(deps, request.params, byOf(request), verdictOf(request.body?.verdict))
    })

    server.post<{ Params: Params; Body: { verdict?: unknown } }>('/v1/teams/:team/alerts/:name/verdict', async (request) => {
      await permitted(request.actor, request.params)
      const verdict = verdictOf(request.body?.verdict)
      if (!verdict) throw fail('BAD_REQUEST', { message: 'Say what came of it: ActedUpon or Noise.' })
      return judge(deps, request.params, byOf(request), verdict)
    })

    server.get<{ Params: Params }>('/v1/teams/:team/alerts/:name/notifications', async ({ actor, params }) => {
      const { metadata } = await resources.mustGet<Alert>(actor, { kind: 'Alert', namespace: params.team, name: params.name })
      return { items: await readNotifications(database, { alert: metadata.uid }) }
    })

    server.get<{ Params: { team: string }; Querystring: { days?: string } }>('/v1/teams/:team/alert-report', async ({ actor, params, query }) => {
      authorize(actor, 'list', alertKind, params.team)
      const days = Number(query.days ?? usualReportDays)
      if (!Number.isInteger(days) || days < 1 || days > longestReportDays) throw fail('BAD_REQUEST', { message: `"${query.days}" is not a number of days from 1 to ${longestReportDays}.` })
      return reportOf(resources, params.team, days, clock.now())
    })

    server.register((scope, _options, done) => {
      addLinkRoutes(scope, deps)
      done()
    })
  }
}

function byOf({ actor, id, ip }: FastifyRequest): By {
  return { name: actor.name, requestId: id, address: ip, ...(actor.token === undefined ? {} : { token: actor.token }) }
}

function verdictOf(given: unknown): Verdict | undefined {
  if (given === undefined) return undefined
  if (given !== 'ActedUpon' && given !== 'Noise') throw fail('BAD_REQUEST', { message: 'A verdict is ActedUpon or Noise.' })
  return given
}

/** Scanners of mail follow links, so a link shows a page and its button acts. */
function addLinkRoutes(scope: FastifyInstance, deps: CommandDeps & { linkKey: () => Promise<Buffer> }): void {
  type Named = { Params: { '*': string } }
  scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, _body, parsed) => parsed(null, {}))
  const claimOf = async (token: string): Promise<LinkClaim> => readLink(token, await deps.linkKey(), deps.clock.now())

  scope.get<Named>('/v1/alert-links/*', { config: { public: true } }, (request, reply) =>
    shown(reply, async () => {
      const { team, name, action, alert } = await claimOf(request.params['*'])
      const found = await deps.resources.mustGet<Alert>(platform, { kind: 'Alert', namespace: team, name })
      if (found.metadata.uid !== alert) throw fail('LINK_INVALID', `The alert ${name} is another one now.`)
      return pageOf(found, action)
    }))

  scope.post<Named>('/v1/alert-links/*', { config: { public: true } }, (request, reply) =>
    shown(reply, async () => {
      const { team, name, alert, action, by } = await claimOf(request.params['*'])
      const who: By = { name: by.startsWith('user:') ? by : `${by} by link`, requestId: request.id, address: request.ip }
      if (action === 'ack') await acknowledge(deps, { team, name, uid: alert }, who)
      else await resolveByHand(deps, { team, name, uid: alert }, who, undefined)
      return { title: action === 'ack' ? 'It is yours' : 'It is resolved', lines: [action === 'ack' ? `${name} is acknowledged by ${who.name}. Nobody else is told of it any more.` : `${name} is resolved by ${who.name}.`] }
    }))
}

interface Page {
  title: string
  lines: string[]
  button?: string
}

function pageOf({ metadata, spec, status = {} }: Alert, action: LinkClaim['action']): Page {
  const lines = [spec.summary, `Team ${metadata.namespace}${spec.app === undefined ? '' : `, app ${spec.app}`}, since ${minute(status.since ?? metadata.creationTimestamp)}.`]
  if (status.state === 'Resolved') return { title: 'It is over', lines }
  if (action === 'ack' && status.acknowledged) return { title: `${status.acknowledged.by} has it in hand`, lines: [...lines, `Since ${minute(status.acknowledged.at)}.`] }
  return { title: action === 'ack' ? 'Take this alert?' : 'Resolve this alert?', lines, button: action === 'ack' ? 'Acknowledge' : 'Resolve' }
}

async function shown(reply: FastifyReply, work: () => Promise<Page>): Promise<FastifyReply> {
  const page = await work().catch((error: unknown): Page & { status: number } => {
    if (!isPaviorError(error)) throw error
    return { title: 'This did not work', lines: [error.details.message, error.details.fix ?? error.entry.fix], status: error.entry.http }
  })
  return reply
    .code('status' in page ? (page.status as number) : 200)
    .type('text/html; charset=utf-8')
    .headers({ 'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    .send(htmlOf(page))
}

function htmlOf({ title, lines, button }: Page): string {
  const form = button === undefined ? '' : `<form method="post"><button type="submit">${button}</button></form>`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)} - Pavior</title></head><body><h1>${escaped(title)}</h1>${lines.map((line) => `<p>${escaped(line)}</p>`).join('')}${form}</body></html>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
