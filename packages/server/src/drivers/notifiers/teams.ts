/** A workflow of Microsoft Teams that posts the adaptive card that it is sent. */
import type { Message, Notifier } from '../../rooms/reliability/notify/ports.ts'
import { send } from './http.ts'
import { factsOf, plain, titleOf } from './text.ts'

const longestText = 1000

export const teams: Notifier = async ({ secrets }, message, signal) => {
  await send({ url: secrets.urlSecret!, body: JSON.stringify(teamsBody(message)) }, signal, Object.values(secrets))
  return { answer: 'Teams took it.' }
}

export function teamsBody(message: Message): Record<string, unknown> {
  const text = (value: string, more: object = {}): object => ({ type: 'TextBlock', wrap: true, text: unmarked(value), ...more })
  const open = (title: string, url: string): object => ({ type: 'Action.OpenUrl', title, url })
  const { alert, acknowledge, resolve } = message.links
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      text(titleOf(message), { weight: 'Bolder', size: 'Medium', color: message.kind === 'Resolved' ? 'Good' : message.severity === 'page' ? 'Attention' : 'Warning' }),
      { type: 'FactSet', facts: factsOf(message).map(([title, value]) => ({ title, value: unmarked(value) })) },
      ...message.examples.map((example) => text(example, { isSubtle: true, spacing: 'None' })),
    ],
    actions: [open('Open', alert), ...(acknowledge ? [open('Acknowledge', acknowledge)] : []), ...(resolve ? [open('Resolve', resolve)] : [])],
  }
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }] }
}

/** Cards take a part of Markdown; text from outside has none, and mentions nobody. */
function unmarked(value: string): string {
  return plain(value, longestText).replaceAll(/[\\`*_{}[\]()#+!|~>-]/g, '\\$&').replaceAll('<', '‹').replaceAll('@', '@\u2060')
}
