/** Events API v2 of PagerDuty: an alert is one incident there by its dedup_key. */
import type { Message, Notifier } from '../../rooms/reliability/notify/ports.ts'
import { send } from './http.ts'
import { plain, titleOf } from './text.ts'

const usualUrl = 'https://events.pagerduty.com/v2/enqueue'
const longestSummary = 1024
const actions: Record<Message['kind'], 'trigger' | 'acknowledge' | 'resolve'> = { Fired: 'trigger', Flapping: 'trigger', Test: 'trigger', Incident: 'trigger', Acknowledged: 'acknowledge', Resolved: 'resolve' }

export const pagerduty: Notifier = async ({ spec, secrets }, message, signal) => {
  const { url = usualUrl } = spec.pagerduty!
  const { status } = await send({ url, body: JSON.stringify(pagerdutyBody(message, secrets.routingKeySecret!)) }, signal, Object.values(secrets))
  // Nobody is to be woken by a test.
  if (message.kind === 'Test') await send({ url, body: JSON.stringify({ routing_key: secrets.routingKeySecret, event_action: 'resolve', dedup_key: message.alert }) }, signal, Object.values(secrets))
  return { answer: `PagerDuty took it with ${status}.` }
}

export function pagerdutyBody(message: Message, routingKey: string): Record<string, unknown> {
  const action = actions[message.kind]
  const base = { routing_key: routingKey, event_action: action, dedup_key: message.alert }
  if (action !== 'trigger') return base
  const { severity, team, app, environment, labels, examples, members, since, affects, runbook, links, name } = message
  return {
    ...base,
    client: 'Pavior',
    client_url: links.alert,
    payload: {
      summary: plain(titleOf(message), longestSummary),
      source: app === undefined ? team : `${team}/${app}`,
      severity: message.kind === 'Test' ? 'info' : severity === 'page' ? 'critical' : 'warning',
      timestamp: since,
      component: app,
      group: team,
      class: name,
      custom_details: { environment, labels, examples, members, affects, runbook },
    },
    links: [{ href: links.alert, text: 'Open in Pavior' }, ...(links.acknowledge ? [{ href: links.acknowledge, text: 'Acknowledge in Pavior' }] : [])],
  }
}
