/** What room reliability needs drivers for: to reach people and other systems. */
import { fail, type AlertSpec, type NotificationChannelSpec, type NotificationRow, type PaviorError } from '@pavior/contract'

/** Everything that is said; every form of message escapes it for itself, because labels come from outside. */
export interface Message {
  /** The same however often it is sent, so that the other side can tell. */
  id: string
  kind: NotificationRow['kind']
  at: string
  severity: AlertSpec['severity']
  team: string
  /** Name of the Alert. */
  name: string
  /** The same for everything about one Alert. */
  alert: string
  summary: string
  app?: string
  environment?: string
  labels: Record<string, string>
  /** What fires, the first few. */
  examples: string[]
  members: number
  since: string
  affects: string[]
  runbook?: string
  /** Where to look, when it is not the alert. */
  link?: string
  /** Who acknowledged, and what they said. */
  by?: string
  note?: string
  links: { alert: string; acknowledge?: string; resolve?: string }
}

export interface Target {
  spec: NotificationChannelSpec
  /** Values of the secrets that the spec names, by the field that names them. */
  secrets: Record<string, string>
  /** Addresses for mail to people instead of the channel's own. */
  mailTo?: string[]
  /** What the other side called the thing when it was opened. */
  ref?: string
}

export interface Delivery {
  /** What the other side said, in a few words; never a secret. */
  answer: string
  /** What the other side calls what was opened. */
  ref?: string
}

/** Throws NOTIFICATION_FAILED. */
export type Notifier = (target: Target, message: Message, signal: AbortSignal) => Promise<Delivery>

/** By the type of channel; what is needed for one is loaded with its first message. */
export type Notifiers = Record<string, () => Promise<Notifier>>

/** A letter to somebody who is no user of the platform. */
export interface Letter {
  /** The same however often it is sent. */
  id: string
  to: string
  subject: string
  text: string
  headers: Record<string, string>
}

/** Throws NOTIFICATION_FAILED. */
export type Mailer = (target: Target, letter: Letter, signal: AbortSignal) => Promise<Delivery>

/** JSON by POST. Throws NOTIFICATION_FAILED for every status but 2xx. */
export type Poster = (sent: { url: string; headers: Record<string, string>; body: string }, signal: AbortSignal) => Promise<{ status: number; text: string }>

/** Ways to whoever subscribed to something. */
export interface Messengers {
  mail: Mailer
  post: Poster
}

/** A failure to deliver. `final`: trying again cannot help. */
export function undelivered(answer: string, { final = false, retryAfterMs }: { final?: boolean; retryAfterMs?: number } = {}): PaviorError {
  return fail('NOTIFICATION_FAILED', { message: answer, facts: { final, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } })
}
