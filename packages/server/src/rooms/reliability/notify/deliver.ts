/** Sends what is due: every channel for itself, so that a slow one holds up no other. */
import { randomUUID } from 'node:crypto'
import { isPaviorError, type NotificationChannelSpec, type NotificationChannelStatus, type Resource, type UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { deadline } from '../../../kernel/deadline.ts'
import { hasCode, ignore } from '../../../kernel/errors.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { MakeLinks } from '../alerts/links.ts'
import { channelType } from './kinds.ts'
import { afterFailure } from './plan.ts'
import { undelivered, type Delivery, type Message, type Notifiers, type Target } from './ports.ts'
import { claim, enqueue, keepRef, nextDue, refOf, settle, type Claimed } from './store.ts'

export type Channel = Resource<NotificationChannelSpec, NotificationChannelStatus>

const actor = systemActor('notifications')
/** The other side has so long to answer. */
export const sendTimeoutMs = 10_000
/** Longer than any attempt takes, so that nobody else sends what is being sent. */
export const leaseMs = 30_000
const atOncePerChannel = 2
const atOnce = 32
const usualFailuresBeforeFallback = 3
const longestAnswer = 300
/** Looked after at least so often, whatever was heard. */
const longestWaitMs = 15_000
const shortestWaitMs = 100

export interface DeliverDeps {
  database: Database
  resources: Resources
  notifiers: Notifiers
  /** The value of a Secret of the team that a channel names. */
  openSecret: (use: { id: string; name: string; team: string; secret: string }) => Promise<string | undefined>
  links: MakeLinks
  events: EventRecorder
  clock: Clock
  /** From 0 to 1. */
  lot: () => number
  log: Logger
}

/** Everything that is needed to send by a channel. Throws NOTIFICATION_FAILED. */
export async function targetOf({ resources, openSecret }: Pick<DeliverDeps, 'resources' | 'openSecret'>, { metadata, spec }: Channel, recipient: string): Promise<Target> {
  const secrets: Record<string, string> = {}
  for (const [field, secret] of Object.entries(spec[channelType(spec)]!)) {
    if (!field.endsWith('Secret')) continue
    const value = await openSecret({ id: metadata.uid, name: `channel ${metadata.name}`, team: metadata.namespace!, secret: String(secret) })
    if (value === undefined) throw undelivered(`The secret "${secret}" has no value.`)
    secrets[field] = value.trim()
  }
  if (!recipient.startsWith('user:')) return { spec, secrets }
  const user = await resources.get<Resource<UserSpec>>(actor, { kind: 'User', namespace: '', name: recipient.slice('user:'.length) })
  if (user?.spec.email === undefined) throw undelivered('The user has no mail address any more.', { final: true })
  return { spec, secrets, mailTo: [user.spec.email] }
}

/** Sends once, within the time that the other side has. Throws NOTIFICATION_FAILED. */
export async function sendBy(deps: Pick<DeliverDeps, 'notifiers'>, target: Target, message: Message, stopped: AbortSignal): Promise<Delivery> {
  const notifier = await deps.notifiers[channelType(target.spec)]!()
  const { signal, clear } = deadline(sendTimeoutMs, stopped)
  try {
    return await notifier(target, message, signal)
  } catch (error) {
    if (isPaviorError(error)) throw error
    // Texts of failed connections name an address, and some of those are secrets.
    throw undelivered(signal.aborted ? `It did not answer within ${sendTimeoutMs / 1000} s.` : `It could not be reached: ${reasonOf(error)}.`)
  } finally {
    clear()
  }
}

function reasonOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  return String(cause?.code ?? code ?? 'the connection failed')
}

export function createDelivery(deps: DeliverDeps, onNews: (listener: () => void) => () => void): Part & { deliverDue: (stopped: AbortSignal) => Promise<Promise<void>[]> } {
  const underWay = new Map<string, Promise<void>>()
  const busy = new Map<string, number>()
  let heard = (): void => undefined
  let news = false
  onNews(() => {
    news = true
    heard()
  })

  const full = (): string[] => [...busy].filter(([, count]) => count >= atOncePerChannel).map(([place]) => place)

  const deliver = async (claimed: Claimed, stopped: AbortSignal): Promise<void> => {
    const place = `${claimed.team}/${claimed.channel}`
    busy.set(place, (busy.get(place) ?? 0) + 1)
    try {
      await deliverOne(deps, claimed, stopped)
    } catch (error) {
      // Its lease ends, and it is sent again.
      if (!stopped.aborted) deps.log.warn({ channel: claimed.channel, err: (error as Error).message }, 'a message could not be noted as sent')
    } finally {
      const left = busy.get(place)! - 1
      if (left === 0) busy.delete(place)
      else busy.set(place, left)
      underWay.delete(claimed.id)
      news = true
      heard()
    }
  }

  const deliverDue = async (stopped: AbortSignal): Promise<Promise<void>[]> => {
    const free = atOnce - underWay.size
    if (free <= 0) return []
    const claimed = await claim(deps.database, { now: deps.clock.now(), leaseMs, perChannel: atOncePerChannel, busy: full(), atMost: free })
    return claimed.map((one) => {
      const run = deliver(one, stopped)
      underWay.set(one.id, run)
      return run
    })
  }

  /** Until somebody tells of more, or something is due. */
  const wait = async (stopped: AbortSignal): Promise<void> => {
    const due = await nextDue(deps.database, full())
    if (news || stopped.aborted) return
    const waitMs = due === undefined ? longestWaitMs : Math.min(longestWaitMs, Math.max(shortestWaitMs, due.getTime() - deps.clock.now().getTime()))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      heard = () => {
        clearTimeout(timer)
        resolve()
      }
      stopped.addEventListener('abort', heard, { once: true })
    })
    stopped.removeEventListener('abort', heard)
  }

  const part = recurring({
    name: 'notifications',
    pauseMs: () => shortestWaitMs,
    once: async (stopped) => {
      await wait(stopped)
      if (stopped.aborted) return
      news = false
      // Those under way are waited for when it stops.
      void (await deliverDue(stopped))
    },
    failed: ({ message }) => deps.log.warn({ err: message }, 'messages could not be sent; they wait'),
  })
  return {
    ...part,
    deliverDue,
    stop: async () => {
      await part.stop()
      await Promise.all(underWay.values())
    },
  }
}

async function deliverOne(deps: DeliverDeps, claimed: Claimed, stopped: AbortSignal): Promise<void> {
  const { database, resources, clock } = deps
  const channel = await resources.get<Channel>(actor, { kind: 'NotificationChannel', namespace: claimed.team, name: claimed.channel })
  if (!channel) {
    await settle(database, claimed, 'Failed', 'The channel does not exist any more.', clock.now())
    return
  }
  try {
    const target = await targetOf(deps, channel, claimed.recipient)
    const ref = claimed.alert === undefined ? undefined : await refOf(database, claimed.team, claimed.channel, claimed.alert)
    const message: Message = { ...claimed.said, id: claimed.id, links: claimed.said.link === undefined ? deps.links({ ...claimed.said, recipient: claimed.recipient }, clock.now()) : { alert: claimed.said.link } }
    const { answer, ref: opened } = await sendBy(deps, ref === undefined ? target : { ...target, ref }, message, stopped)
    await database.transaction(async (tx) => {
      if (opened !== undefined && claimed.alert !== undefined) await keepRef(tx, claimed.team, claimed.channel, claimed.alert, opened, clock.now())
      await settle(tx, claimed, 'Delivered', answer.slice(0, longestAnswer), clock.now())
    })
    await noteState(deps, channel, 'Working', answer)
  } catch (error) {
    // Stopping is no failure: whoever comes next sends it.
    if (stopped.aborted) return
    const { message, facts = {} } = isPaviorError(error) ? error.details : { message: 'Pavior itself failed to send it.' }
    if (!isPaviorError(error)) deps.log.error({ channel: claimed.channel, err: (error as Error).message }, 'a message could not be made')
    await failed(deps, claimed, channel, message, facts, hasCode(error, 'NOTIFICATION_FAILED'))
  }
}

async function failed(deps: DeliverDeps, claimed: Claimed, channel: Channel, answer: string, facts: Record<string, unknown>, told: boolean): Promise<void> {
  const { database, clock } = deps
  const now = clock.now()
  const { fallback, failuresBeforeFallback = usualFailuresBeforeFallback } = channel.spec
  const takesOver = fallback !== undefined && !claimed.after.includes(fallback) && fallback !== claimed.channel
  const next = afterFailure({ attempts: claimed.attempts, ageMs: now.getTime() - claimed.createdAt.getTime(), final: told && facts.final === true, ...(typeof facts.retryAfterMs === 'number' ? { retryAfterMs: facts.retryAfterMs } : {}), fallback: takesOver, failuresBeforeFallback }, deps.lot())
  const text = answer.slice(0, longestAnswer)
  await database.transaction(async (tx) => {
    const at = next.state === 'Queued' ? new Date(now.getTime() + next.afterMs) : now
    if (!(await settle(tx, claimed, next.state, text, at)) || next.state !== 'HandedOver') return
    const { attempts: _, createdAt: __, ...row } = claimed
    await enqueue(tx, [{ ...row, id: randomUUID(), channel: fallback!, after: [...claimed.after, claimed.channel] }], now)
  })
  await noteState(deps, channel, 'Failing', text)
}

/** Written when it changes, and told once. */
async function noteState({ database, resources, events, clock }: DeliverDeps, channel: Channel, state: NonNullable<NotificationChannelStatus['state']>, message: string): Promise<void> {
  if (channel.status?.state === state) return
  const key = { kind: 'NotificationChannel', namespace: channel.metadata.namespace!, name: channel.metadata.name }
  await database.transaction(async (tx) => {
    let changed = false
    const written = await resources.mutate<Channel>(actor, key, (current) => {
      changed = current!.status?.state !== state
      return changed ? { ...current!, status: { ...current!.status, state, since: clock.now().toISOString(), message: message.slice(0, longestAnswer) } } : current!
    }, { subresource: 'status', tx })
    if (changed && (state === 'Failing' || channel.status?.state === 'Failing')) {
      await events.record(written as never, state === 'Failing' ? 'Warning' : 'Normal', state === 'Failing' ? 'ChannelFails' : 'ChannelWorks', state === 'Failing' ? `${channel.metadata.name} does not deliver: ${message}` : `${channel.metadata.name} delivers again.`, 'reliability', tx)
    }
  }).catch(ignore('NOT_FOUND'))
}
