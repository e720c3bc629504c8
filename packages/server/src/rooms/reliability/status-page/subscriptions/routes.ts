/** How readers of a page begin and end to be told, and what its editors see of them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { fail, type Resource, type StatusPageSpec } from '@pavior/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Actor } from '../../../../kernel/actor.ts'
import { RateLimiter, tooMany } from '../../../../kernel/api/limits.ts'
import type { Routes } from '../../../../kernel/api/types.ts'
import type { WriteNote } from '../../../../kernel/audit/notes.ts'
import { deadline } from '../../../../kernel/deadline.ts'
import { addressProblem } from '../../../../kernel/outward.ts'
import { authorize } from '../../../../kernel/resources/authorize.ts'
import { statusPage } from '../kinds.ts'
import { signedHeaders, type SubscriptionDeps } from './deliver.ts'
import { buttonHtml, formPolicy, saidHtml } from './html.ts'
import { mailAddress, readLink, webhookKey, type LinkAction } from './plan.ts'
import { addWebhook, askAddress, confirm, erase, findSubscription, subscribersOf, type AskLimits } from './store.ts'

type StatusPage = Resource<StatusPageSpec>

export const askLimits: AskLimits = { addressMs: 3600_000, pageAsks: 200, pageTotal: 10_000 }
const asksPerHourOfIp = 10
const askBurst = 5
const challengesPerMinute = 6
const mostListed = 10_000
const challengeTimeoutMs = 10_000
const largestForm = 4096

export interface SubscriptionRoutesDeps extends SubscriptionDeps {
  /** The page of a team that anybody may read. */
  publicPage: (team: string) => StatusPage | undefined
  audit: WriteNote
}

interface Params {
  team: string
  token: string
}

export function subscriptionRoutes(deps: SubscriptionRoutesDeps): Routes {
  const asks = new RateLimiter(asksPerHourOfIp / 3600, askBurst, deps.clock)
  const config = { public: true, maxBodyBytes: largestForm }
  return (server: FastifyInstance) => {
    server.register((scope, _options, done) => {
      scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: largestForm }, (_request, body, parsed) => parsed(null, Object.fromEntries(new URLSearchParams(body as string))))
      scope.post<{ Params: Params; Body: { address?: unknown } | undefined }>('/status/:team/subscribe', { config }, async ({ params: { team }, body, ip }, reply) => {
        const page = deps.publicPage(team)
        if (page?.spec.subscriptions?.mailBy === undefined) return shown(reply, 404, saidHtml('Nobody can subscribe here.', 'The page takes no subscriptions by mail.'))
        const address = mailAddress(body?.address)
        if (address === undefined) return shown(reply, 400, saidHtml('That is no mail address.', 'Go back and correct it.'))
        if (asks.take(ip) !== undefined) return shown(reply, 429, saidHtml('Too many requests came from your network.', 'Try again in an hour.'))
        const { uid, namespace, name } = page.metadata
        await askAddress(deps.database, { id: randomUUID(), delivery: randomUUID(), page: uid, team: namespace!, name, address }, askLimits)
        // The same whatever came of it: nobody learns here who subscribed.
        return shown(reply, 202, saidHtml('Look into your mail.', 'If the address can be told of updates, a mail with a link is on its way. Without your yes nothing more is sent.'))
      })
      addLinks(scope, deps, 'confirm')
      addLinks(scope, deps, 'leave')
      done()
    })
    addEditing(server, deps)
  }
}

/** A link shows a button: programs that look into mail follow links, and must not answer for people. */
function addLinks(scope: FastifyInstance, deps: SubscriptionRoutesDeps, action: LinkAction): void {
  const config = { public: true, maxBodyBytes: largestForm }
  const words = action === 'confirm' ? { title: 'Be told of updates?', button: 'Yes, tell me' } : { title: 'No more mails of this page?', button: 'Send me no more' }
  const idIn = async ({ token }: Params): Promise<string | undefined> => readLink(token, action, await deps.key(), deps.clock.now())
  const old = (reply: FastifyReply): FastifyReply => shown(reply, 403, saidHtml('This link is not good any more.', action === 'confirm' ? 'Links to confirm are good for a day. Subscribe again on the page.' : 'The address may be gone already.'))
  scope.get<{ Params: Params }>(`/status/:team/${action}/:token`, { config }, async ({ params }, reply) => {
    const id = await idIn(params)
    return id === undefined || !(await findSubscription(deps.database, id)) ? old(reply) : shown(reply, 200, buttonHtml(words.title, words.button))
  })
  scope.post<{ Params: Params }>(`/status/:team/${action}/:token`, { config }, async ({ params }, reply) => {
    const id = await idIn(params)
    if (id === undefined) return old(reply)
    if (action === 'confirm') return (await confirm(deps.database, id)) ? shown(reply, 200, saidHtml('You will be told of updates.', 'Each mail has a link that ends it.')) : old(reply)
    await erase(deps.database, id)
    return shown(reply, 200, saidHtml('Nothing more is sent to you.', 'Your address is deleted here.'))
  })
}

function shown(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply.code(status).headers({ 'content-security-policy': formPolicy, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }).type('text/html; charset=utf-8').send(html)
}

/** Addresses are shown to those who may edit the page, and to nobody else. Webhooks are theirs to add: the server calls them. */
function addEditing(server: FastifyInstance, deps: SubscriptionRoutesDeps): void {
  const { database, resources, messengers, clock } = deps
  const challenges = new RateLimiter(challengesPerMinute / 60, challengesPerMinute, clock)
  const base = '/v1/teams/:team/statuspages/:name/subscribers'
  const edited = async (actor: Actor, { team, name }: { team: string; name: string }): Promise<StatusPage> => {
    const page = await resources.mustGet<StatusPage>(actor, { kind: 'StatusPage', namespace: team, name })
    authorize(actor, 'update', statusPage, team, { name, spec: page.spec, next: page.spec })
    return page
  }
  server.get<{ Params: { team: string; name: string } }>(base, async ({ actor, params }) => ({ items: await subscribersOf(database, (await edited(actor, params)).metadata.uid, mostListed) }))

  server.post<{ Params: { team: string; name: string }; Body: { url?: unknown } | undefined }>(base, async ({ actor, params, body, id: requestId, ip }) => {
    const page = await edited(actor, params)
    const url = body?.url
    if (!page.spec.public || !page.spec.subscriptions?.webhooks) throw fail('INVALID', { message: `${params.name} takes no webhooks.`, fix: 'Set spec.subscriptions.webhooks of a public page to true.' })
    if (typeof url !== 'string' || url.length > 2000) throw fail('BAD_REQUEST', { message: 'Say where updates are posted to: {"url": "https://…"}.' })
    const problem = addressProblem(url)
    if (problem !== undefined) throw fail('INVALID', { message: `The address ${problem}.` })
    const wait = challenges.take(page.metadata.uid)
    if (wait !== undefined) throw tooMany('Addresses were tried a moment ago.', wait)
    const id = randomUUID()
    const key = await deps.key()
    await challenge(messengers, url, (sent) => signedHeaders(id, randomUUID(), sent, key, clock.now()))
    const made = await addWebhook(database, { id, page: page.metadata.uid, team: params.team, name: params.name, address: url }, askLimits.pageTotal)
    if (made === undefined) throw fail('CONFLICT', { message: 'This address is told already, or there are too many.' })
    await deps.audit({ actor: actor.name, verb: 'subscribe', kind: 'StatusPage', namespace: params.team, name: params.name, uid: page.metadata.uid, requestId, address: ip, token: actor.token })
    return { id, signingKey: webhookKey(id, key) }
  })

  server.delete<{ Params: { team: string; name: string; id: string } }>(`${base}/:id`, async ({ actor, params, id: requestId, ip }) => {
    const page = await edited(actor, params)
    if (!/^[0-9a-f-]{36}$/.test(params.id) || !(await erase(database, params.id, page.metadata.uid))) throw fail('NOT_FOUND', { message: `There is no subscriber ${params.id.slice(0, 40)}.` })
    await deps.audit({ actor: actor.name, verb: 'unsubscribe', kind: 'StatusPage', namespace: params.team, name: params.name, uid: page.metadata.uid, requestId, address: ip, token: actor.token })
    return { erased: params.id }
  })
}

/** Whoever answers with what was sent wants to be told. Throws NOTIFICATION_FAILED. */
async function challenge({ post }: SubscriptionDeps['messengers'], url: string, headersOf: (body: string) => Record<string, string>): Promise<void> {
  const value = randomBytes(24).toString('base64url')
  const body = JSON.stringify({ version: 1, type: 'verification', challenge: value })
  const { signal, clear } = deadline(challengeTimeoutMs, undefined)
  try {
    const { text } = await post({ url, headers: headersOf(body), body }, signal).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'NOTIFICATION_FAILED') throw error
      throw fail('NOTIFICATION_FAILED', { message: signal.aborted ? `It did not answer within ${challengeTimeoutMs / 1000} s.` : 'It could not be reached.' })
    })
    if (!text.includes(value)) throw fail('NOTIFICATION_FAILED', { message: 'It did not answer with the challenge that it was sent.', fix: 'Answer a message of type verification with its "challenge".' })
  } finally {
    clear()
  }
}
