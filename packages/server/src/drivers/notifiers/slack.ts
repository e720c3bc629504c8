/** Incoming webhooks of Slack, with blocks. */
import { undelivered, type Message, type Notifier } from '../../rooms/reliability/notify/ports.ts'
import { send } from './http.ts'
import { factsOf, plain, titleOf } from './text.ts'

const longestHeader = 150
const longestText = 2000
/** Slack says these where nobody will ever read: https://api.slack.com/messaging/webhooks#handling_errors. */
const forGood = ['no_service', 'no_service_id', 'no_team', 'team_disabled', 'channel_not_found', 'channel_is_archived', 'invalid_token', 'action_prohibited']

export const slack: Notifier = async ({ secrets }, message, signal) => {
  try {
    await send({ url: secrets.urlSecret!, body: JSON.stringify(slackBody(message)) }, signal, Object.values(secrets))
    return { answer: 'Slack took it.' }
  } catch (error) {
    const { details } = error as { details?: { message: string } }
    const reason = forGood.find((word) => details?.message.includes(word))
    throw reason ? undelivered(`Slack does not take messages by this webhook any more: ${reason}.`, { final: true }) : error
  }
}

export function slackBody(message: Message): Record<string, unknown> {
  const title = titleOf(message)
  const buttons = [button('Open', message.links.alert), ...(message.links.acknowledge ? [button('Acknowledge', message.links.acknowledge)] : []), ...(message.links.resolve ? [button('Resolve', message.links.resolve)] : [])]
  return {
    // What is shown where there is no room for blocks, as in the push to a phone.
    text: mrkdwn(title, longestText),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: plain(title, longestHeader), emoji: false } },
      { type: 'section', text: { type: 'mrkdwn', verbatim: true, text: [...factsOf(message).map(([name, value]) => `*${name}* ${mrkdwn(value, 300)}`), ...message.examples.map((example) => `• ${mrkdwn(example, 200)}`)].join('\n').slice(0, 3000) } },
      { type: 'actions', elements: buttons },
    ],
  }
}

function button(text: string, url: string): Record<string, unknown> {
  return { type: 'button', text: { type: 'plain_text', text }, url }
}

/** No mentions, links or marks out of text from outside. A word joiner keeps the letters of a mark and ends its meaning. */
function mrkdwn(text: string, longest: number): string {
  return plain(text, longest).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(/[*_~`]/g, '$&\u2060').replaceAll('@', '@\u2060')
}
