/** The delivery log of a channel, and a message to try it. */
import { randomUUID } from 'node:crypto'
import { isPaviorError } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import { authorize } from '../../../kernel/resources/authorize.ts'
import { sendBy, targetOf, type Channel, type DeliverDeps } from './deliver.ts'
import { notificationChannel } from './kinds.ts'
import { noteTest, readNotifications, type Said } from './store.ts'

const testsPerSecond = 1 / 5
const testBurst = 5

interface Params {
  team: string
  name: string
}

export function channelRoutes(deps: DeliverDeps & { audit: WriteNote }): Routes {
  const { database, resources, clock } = deps
  const tests = new RateLimiter(testsPerSecond, testBurst, clock)
  return (server: FastifyInstance) => {
    server.get<{ Params: Params }>('/v1/teams/:team/notificationchannels/:name/notifications', async ({ actor, params }) => {
      await resources.mustGet<Channel>(actor, keyOf(params))
      return { items: await readNotifications(database, { team: params.team, channel: params.name }) }
    })

    server.post<{ Params: Params }>('/v1/teams/:team/notificationchannels/:name/test', async ({ actor, params, id: requestId, ip }, reply) => {
      const channel = await resources.mustGet<Channel>(actor, keyOf(params))
      authorize(actor, 'update', notificationChannel, params.team, { name: params.name, spec: channel.spec, next: channel.spec })
      const waitSeconds = tests.take(`${params.team}/${params.name}`)
      if (waitSeconds !== undefined) throw tooMany(`${params.name} was tried a moment ago.`, waitSeconds)
      const now = clock.now()
      const said: Said = { kind: 'Test', at: now.toISOString(), severity: 'ticket', team: params.team, name: 'test', alert: randomUUID(), summary: 'This is a test: nothing is wrong.', labels: {}, examples: [], members: 0, since: now.toISOString(), affects: [] }
      const row = { id: randomUUID(), team: params.team, recipient: `channel:${params.name}`, channel: params.name, said }
      await deps.audit({ actor: actor.name, verb: 'test', kind: 'NotificationChannel', namespace: params.team, name: params.name, uid: channel.metadata.uid, requestId, address: ip, token: actor.token })
      try {
        const { answer } = await sendBy(deps, await targetOf(deps, channel, row.recipient), { ...said, id: row.id, links: deps.links({ ...said, recipient: row.recipient }, now) }, AbortSignal.timeout(60_000))
        await noteTest(database, row, 'Delivered', answer, now)
        return await reply.send({ delivered: true, answer })
      } catch (error) {
        if (isPaviorError(error)) await noteTest(database, row, 'Failed', error.details.message, now)
        throw error
      }
    })
  }
}

function keyOf({ team, name }: Params): { kind: string; namespace: string; name: string } {
  return { kind: 'NotificationChannel', namespace: team, name }
}
