/** Tells subscribers what the page says, each of it once: looks at pages that somebody subscribed to, and sends what is due. */
import { randomUUID } from 'node:crypto'
import { createHmac } from 'node:crypto'
import { isPaviorError, type NotificationChannelSpec, type Resource, type StatusPageSpec } from '@pavior/contract'
import { systemActor } from '../../../../kernel/actor.ts'
import { pauseAfter } from '../../../../kernel/backoff.ts'
import type { Clock } from '../../../../kernel/clock.ts'
import type { Database } from '../../../../kernel/db/index.ts'
import { deadline } from '../../../../kernel/deadline.ts'
import { inParallel } from '../../../../kernel/in-parallel.ts'
import type { Part } from '../../../../kernel/lifecycle/lifecycle.ts'
import { recurring } from '../../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../../kernel/log.ts'
import type { Resources } from '../../../../kernel/resources/index.ts'
import { targetOf, type DeliverDeps } from '../../notify/deliver.ts'
import { undelivered, type Delivery, type Messengers } from '../../notify/ports.ts'
import type { StatusView } from '../plan.ts'
import { askLetter, confirmSeconds, signLink, toldOf, updateLetter, webhookKey, type Told } from './plan.ts'
import { claimDue, enqueueUpdates, pruneSubscriptions, settleDelivery, subscribedPages, type Due } from './store.ts'

type StatusPage = Resource<StatusPageSpec>

const actor = systemActor('status-page')
const pauseMs = 2000
const sendTimeoutMs = 10_000
/** Longer than any attempt takes. */
const leaseMs = 30_000
const claimedAtOnce = 50
const atOnce = 8
const pauses = { firstMs: 5000, longestMs: 600_000 }
const dayMs = 24 * 3600_000
/** What was said before is not told any more. */
const newsMs = dayMs
const giveUpMs = dayMs
const keepMs = 30 * dayMs
const pruneEveryMs = 60_000
const longestAnswer = 300

export interface SubscriptionDeps {
  database: Database
  resources: Resources
  messengers: Messengers
  openSecret: DeliverDeps['openSecret']
  view: (page: StatusPage) => Promise<StatusView>
  key: () => Promise<Buffer>
  publicUrl: () => string
  clock: Clock
  log: Logger
}

export function leaveLink({ publicUrl }: Pick<SubscriptionDeps, 'publicUrl'>, team: string, id: string, key: Buffer): string {
  return `${publicUrl()}/status/${encodeURIComponent(team)}/leave/${signLink({ id, action: 'leave', until: 0 }, key)}`
}

/** Signed as the messages of webhook channels are. */
export function signedHeaders(id: string, delivery: string, body: string, key: Buffer, now: Date): Record<string, string> {
  const at = Math.floor(now.getTime() / 1000)
  return { 'content-type': 'application/json', 'pavior-delivery': delivery, 'pavior-signature': `t=${at},v1=${createHmac('sha256', webhookKey(id, key)).update(`${at}.${body}`).digest('hex')}` }
}

export function createTelling(deps: SubscriptionDeps): Part & { once(stopped: AbortSignal): Promise<void> } {
  const { database, resources, clock, log } = deps
  let prunedAtMs = 0
  const pageNamed = async (team: string, name: string, uid: string): Promise<StatusPage | undefined> => {
    const page = await resources.get<StatusPage>(actor, { kind: 'StatusPage', namespace: team, name })
    return page?.metadata.uid === uid ? page : undefined
  }
  const once = async (stopped: AbortSignal): Promise<void> => {
    const gone: string[] = []
    const pages = await subscribedPages(database)
    const now = clock.now()
    for (const { page: uid, team, name } of pages) {
      const page = await pageNamed(team, name, uid)
      if (!page) gone.push(uid)
      else if (page.spec.public && page.spec.subscriptions) {
        const view = await deps.view(page)
        const told = toldOf(view.title, view.incidents, new Date(now.getTime() - newsMs))
        await enqueueUpdates(database, uid, told.map((one) => ({ id: randomUUID, about: one.about, at: one.at, message: one })))
      }
    }
    for (let more = pages.length > 0; more && !stopped.aborted; ) {
      const due = await claimDue(database, leaseMs, claimedAtOnce)
      await inParallel(due, atOnce, (one) => deliverOne(deps, one, stopped))
      more = due.length > 0
    }
    if (gone.length === 0 && Math.abs(now.getTime() - prunedAtMs) < pruneEveryMs) return
    prunedAtMs = now.getTime()
    await pruneSubscriptions(database, { pendingMs: confirmSeconds * 1000, keepMs }, gone)
  }
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'subscribers of status pages could not be told; it is tried again')
  return { ...recurring({ name: 'status page subscribers', pauseMs: () => pauseMs, once, failed }), once }
}

async function deliverOne(deps: SubscriptionDeps, due: Due, stopped: AbortSignal): Promise<void> {
  const { signal, clear } = deadline(sendTimeoutMs, stopped)
  try {
    const { answer } = await send(deps, due, signal)
    await settleDelivery(deps.database, due, 'Delivered', answer.slice(0, longestAnswer))
  } catch (error) {
    // Stopping is no failure: whoever comes next sends it.
    if (stopped.aborted) return
    const { message, facts = {} } = isPaviorError(error) ? error.details : { message: signal.aborted ? `It did not answer within ${sendTimeoutMs / 1000} s.` : 'It could not be reached.' }
    const age = deps.clock.now().getTime() - due.createdAt.getTime()
    const over = facts.final === true || age >= giveUpMs
    await settleDelivery(deps.database, due, over ? 'Failed' : 'Queued', message.slice(0, longestAnswer), pauseAfter(due.attempts, pauses, typeof facts.retryAfterMs === 'number' ? facts.retryAfterMs : undefined, Math.random()))
  } finally {
    clear()
  }
}

async function send(deps: SubscriptionDeps, { id, delivery, team, name, page: uid, kind, address, about, message }: Due, signal: AbortSignal): Promise<Delivery> {
  const { resources, messengers, publicUrl, clock } = deps
  const key = await deps.key()
  const page = await resources.get<StatusPage>(actor, { kind: 'StatusPage', namespace: team, name })
  if (page?.metadata.uid !== uid || !page.spec.public) throw undelivered('The page is not public any more.', { final: true })
  const base = `${publicUrl()}/status/${encodeURIComponent(team)}`
  if (kind === 'webhook') {
    const body = JSON.stringify({ version: 1, type: 'update', link: base, ...(message as Told) })
    const { status } = await messengers.post({ url: address, headers: signedHeaders(id, delivery, body, key, clock.now()), body }, signal)
    return { answer: `It answered ${status}.` }
  }
  const channelName = page.spec.subscriptions?.mailBy
  const channel = channelName === undefined ? undefined : await resources.get<Resource<NotificationChannelSpec>>(actor, { kind: 'NotificationChannel', namespace: team, name: channelName })
  if (!channel?.spec.email) throw undelivered('The page names no channel of type email any more.')
  const target = await targetOf(deps, channel as Parameters<typeof targetOf>[1], 'subscribers')
  const leave = leaveLink(deps, team, id, key)
  if (about === 'ask') {
    const until = Math.floor(clock.now().getTime() / 1000) + confirmSeconds
    return messengers.mail(target, { id: delivery, to: address, ...askLetter(page.spec.title, `${base}/confirm/${signLink({ id, action: 'confirm', until }, key)}`), headers: {} }, signal)
  }
  // RFC 8058: programs leave with one request.
  const headers = { 'List-Unsubscribe': `<${leave}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click', Precedence: 'bulk' }
  return messengers.mail(target, { id: delivery, to: address, ...updateLetter(message as Told, { page: base, leave }), headers }, signal)
}
