/** What is said in an incident goes to a channel of its team, with the log, the attempts and the order of every other message. */
import { randomUUID } from 'node:crypto'
import { fail, type NotificationChannelSpec, type Resource } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { channelType } from './kinds.ts'
import { enqueue, type Said } from './store.ts'

const actor = systemActor('notifications')
/** What they take opens a page or a ticket: nobody wants one for every word. */
const notForTalk = new Set(['pagerduty', 'servicenow'])

export interface Talk {
  /** Name of the incident. */
  name: string
  app?: string
  environment?: string
  text: string
  note?: string
  /** Where to read on. */
  link: string
}

export interface Chat {
  /** By the name of a NotificationChannel. Throws NOT_FOUND, and INVALID for one that is not for talk. */
  post(team: string, channel: string, talk: Talk): Promise<void>
}

export function createChat({ database, resources, clock }: { database: Database; resources: Resources; clock: Clock }): Chat {
  return {
    post: async (team, channel, { name, app, environment, text, note, link }) => {
      const { spec } = await resources.mustGet<Resource<NotificationChannelSpec>>(actor, { kind: 'NotificationChannel', namespace: team, name: channel })
      if (notForTalk.has(channelType(spec))) throw fail('INVALID', { message: `The channel ${channel} opens pages or tickets, so it gets no word of incidents.`, fix: 'Name one of Slack, Teams, mail or a webhook.' })
      const now = clock.now()
      const said: Said = {
        kind: 'Incident', at: now.toISOString(), severity: 'ticket', team, name, alert: randomUUID(), summary: text, ...(app === undefined ? {} : { app }), ...(environment === undefined ? {} : { environment }),
        labels: {}, examples: [], members: 0, since: now.toISOString(), affects: [], ...(note === undefined ? {} : { note }), link,
      }
      await database.transaction((tx) => enqueue(tx, [{ id: randomUUID(), team, alert: undefined, alertName: undefined, kind: 'Incident', level: 0, round: 0, recipient: `channel:${channel}`, channel, after: [], said }], now))
    },
  }
}
