/** Tickets by the Table API of ServiceNow: made once, found again by correlation_id, closed at the end. */
import { undelivered, type Message, type Notifier, type Target } from '../../rooms/reliability/notify/ports.ts'
import { send } from './http.ts'
import { factsOf, plain, titleOf } from './text.ts'

const usualTable = 'incident'
const longestTitle = 160
/** Values of the table incident as it is delivered. */
const stateInProgress = '2'
const stateResolved = '6'

export const servicenow: Notifier = async (target, message, signal) => {
  const { url, table = usualTable } = target.spec.servicenow!
  const base = `${url.replace(/\/+$/, '')}/api/now/table/${table}`
  const ask = (method: 'GET' | 'POST' | 'PATCH', rest: string, body?: Record<string, unknown>): Promise<Record<string, unknown>> => request(target, { method, url: base + rest, body }, signal)
  // After an attempt that broke off, the ticket may be there already.
  const known = target.ref ?? (await find(ask, message.alert))
  if (known === undefined && message.kind === 'Resolved') return { answer: 'There is no ticket to close.' }
  if (known === undefined) {
    const made = await ask('POST', '?sysparm_fields=sys_id,number', newTicket(target, message))
    const ref = textOf(made.sys_id)
    if (ref === undefined) throw undelivered('ServiceNow gave the new ticket no sys_id.')
    if (message.kind === 'Test') await ask('PATCH', `/${encodeURIComponent(ref)}`, closing(message))
    return { answer: `ServiceNow opened ${textOf(made.number) ?? 'a ticket'}.`, ref }
  }
  await ask('PATCH', `/${encodeURIComponent(known)}`, message.kind === 'Resolved' ? closing(message) : { work_notes: bodyOf(message), ...(message.kind === 'Acknowledged' ? { state: stateInProgress } : {}) })
  return { answer: message.kind === 'Resolved' ? 'ServiceNow closed the ticket.' : 'ServiceNow added it to the ticket.', ref: known }
}

async function find(ask: (method: 'GET', rest: string) => Promise<unknown>, alert: string): Promise<string | undefined> {
  const found = await ask('GET', `?${new URLSearchParams({ sysparm_query: `correlation_id=${alert}`, sysparm_fields: 'sys_id', sysparm_limit: '1' }).toString()}`)
  return Array.isArray(found) ? textOf((found[0] as Record<string, unknown> | undefined)?.sys_id) : undefined
}

function newTicket({ spec }: Target, message: Message): Record<string, unknown> {
  const urgent = message.severity === 'page' && message.kind !== 'Test'
  return { short_description: plain(titleOf(message), longestTitle), description: bodyOf(message), urgency: urgent ? '1' : '3', impact: urgent ? '2' : '3', correlation_id: message.alert, correlation_display: 'Pavior', ...spec.servicenow!.fields }
}

function closing(message: Message): Record<string, unknown> {
  return { state: stateResolved, close_code: 'Resolved by caller', close_notes: plain(titleOf(message), 1000) }
}

function bodyOf(message: Message): string {
  return [titleOf(message), ...factsOf(message).map(([name, value]) => `${name}: ${plain(value, 500)}`), ...message.examples.map((example) => `- ${plain(example, 200)}`), message.links.alert].join('\n')
}

async function request({ spec, secrets }: Target, { method, url, body }: { method: 'GET' | 'POST' | 'PATCH'; url: string; body?: Record<string, unknown> | undefined }, signal: AbortSignal): Promise<Record<string, unknown>> {
  const authorization = `Basic ${Buffer.from(`${spec.servicenow!.user}:${secrets.passwordSecret}`).toString('base64')}`
  const { text } = await send({ url, method, headers: { accept: 'application/json', authorization }, ...(body ? { body: JSON.stringify(body) } : {}) }, signal, [...Object.values(secrets), authorization])
  try {
    return (JSON.parse(text) as { result: Record<string, unknown> }).result
  } catch {
    throw undelivered('ServiceNow gave an answer that is no JSON.')
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
