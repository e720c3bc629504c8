/** What subscribers are told, and the links by which they begin and end it. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ShownIncident } from '../plan.ts'

export type LinkAction = 'confirm' | 'leave'

/** Links to confirm are good for so long; those to leave always. */
export const confirmSeconds = 24 * 3600
const longestToken = 400

function macOf(body: string, key: Buffer): Buffer {
  // What the key is for is part of what is signed.
  return createHmac('sha256', key).update(`status-subscription\n${body}`).digest()
}

/** `until`: seconds since the epoch; 0 for ever. */
export function signLink(claim: { id: string; action: LinkAction; until: number }, key: Buffer): string {
  const body = Buffer.from(JSON.stringify([claim.id, claim.action, claim.until])).toString('base64url')
  return `${body}.${macOf(body, key).toString('base64url')}`
}

/** Undefined: not one of ours, of another kind, or too old. */
export function readLink(token: string, action: LinkAction, key: Buffer, now: Date): string | undefined {
  const [body = '', mac = ''] = token.length > longestToken ? [] : token.split('.')
  const [given, wanted] = [Buffer.from(mac, 'base64url'), macOf(body, key)]
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
  const [id, of, until] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, LinkAction, number]
  return of === action && (until === 0 || until * 1000 > now.getTime()) ? id : undefined
}

/** Of one webhook; never stored, because it can be made again. */
export function webhookKey(id: string, key: Buffer): string {
  return createHmac('sha256', key).update(`status-webhook\n${id}`).digest('base64url')
}

const mail = /^[^\s@<>,;:"()[\]\\\p{Cc}]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/u
const longestMail = 254

/** As it is kept; undefined for what is no address. */
export function mailAddress(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const address = text.trim()
  if (address.length > longestMail || !mail.test(address)) return undefined
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}@${address.slice(at + 1).toLowerCase()}`
}

/** One update of one incident, as the page shows it. */
export interface Told {
  /** The same however often it is looked at. */
  about: string
  page: string
  incident: string
  state: string
  at: string
  text: string
}

/** What a page says that was not said before `since`, the oldest first. */
export function toldOf(page: string, incidents: readonly ShownIncident[], since: Date): Told[] {
  return incidents
    .flatMap(({ id, title, updates }) => updates.map(({ at, text, state }) => ({ about: `${id}-${Date.parse(at)}-${state}`, page, incident: title, state, at, text })))
    .filter(({ at }) => Date.parse(at) >= since.getTime())
    .sort((one, other) => one.at.localeCompare(other.at))
}

const line = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()

export function updateLetter({ page, incident, state, at, text }: Told, links: { page: string; leave: string }): { subject: string; text: string } {
  return {
    subject: line(`${page}: ${incident}${state === '' ? '' : `, ${state}`}`),
    text: [`${line(incident)}${state === '' ? '' : ` (${state})`}`, `${at.slice(0, 16).replace('T', ' ')} UTC`, '', text, '', `The page: ${links.page}`, `No more of these mails: ${links.leave}`, ''].join('\n'),
  }
}

export function askLetter(page: string, confirm: string): { subject: string; text: string } {
  return {
    subject: line(`${page}: do you want to be told of updates?`),
    text: ['Somebody, probably you, asked that this address be told of updates of', line(page) + '.', '', `Yes, tell me: ${confirm}`, '', 'If it was not you, do nothing: without your yes nothing more is sent.', ''].join('\n'),
  }
}
