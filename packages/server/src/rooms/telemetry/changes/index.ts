/** Changes that others made and tell of, by CloudEvents: they stand beside our own where somebody looks for what changed. */
import { fail, type ChangeEvent, type Resource } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { WayIn } from '../otlp/intake.ts'
import { changeOf, readCloudEvents } from './cloud-events.ts'
import { addChanges, pruneChanges, readChanges } from './store.ts'

const actor = systemActor('telemetry')
const path = '/v1/cloudevents'
/** Of one app; changes are rare. */
const eventsPerSecond = 10
const burst = 200
const keepMs = 90 * 24 * 3600_000
const pruneEveryMs = 3600_000
const usualDays = 7
const largestLimit = 500

export interface ChangesDeps {
  database: Database
  resources: Resources
  events: Pick<EventRecorder, 'record'>
  clock: Clock
  log: Logger
}

export interface Changes {
  wayIn: WayIn
  routes: Routes
  part: Part
  /** Latest first. */
  of: (team: string, apps: readonly string[], from: Date, until: Date, limit: number) => Promise<ChangeEvent[]>
  /** One that the platform itself made. */
  note: (change: ChangeEvent) => Promise<void>
}

export function createChanges({ database, resources, events, clock, log }: ChangesDeps): Changes {
  const rates = new RateLimiter(eventsPerSecond, burst, clock)
  return {
    wayIn: (outer, { config, unpacked, ownerOf }) => {
      outer.register((scope, _options, done) => {
        // Bodies are of any type here: in one of its modes the type is that of the data.
        scope.removeAllContentTypeParsers()
        scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, next) => next(null, body))
        scope.post(path, { config }, async (request, reply) => {
          const owner = await ownerOf(request, new Map())
          const given = readCloudEvents(request.headers, await unpacked(request), clock.now().getTime())
          const wait = rates.take(`${owner.team}/${owner.app}`, given.length)
          if (wait !== undefined) throw tooMany(`${owner.app} tells of more changes than are taken.`, wait)
          const fresh = await addChanges(database, given.map((each) => changeOf(each, owner)))
          await tell(fresh, owner)
          return reply.code(202).send()
        })
        done()
      })
    },
    routes: (server: FastifyInstance) => {
      server.get<{ Params: { team: string; app: string }; Querystring: { from?: string; until?: string; limit?: string } }>('/v1/teams/:team/apps/:app/changes', async ({ actor: reader, params, query }) => {
        await resources.mustGet(reader, { kind: 'App', namespace: params.team, name: params.app })
        const until = timeOf(query.until, new Date(clock.now().getTime() + 1))
        return { items: await readChanges(database, params.team, [params.app], timeOf(query.from, new Date(until.getTime() - usualDays * 86_400_000)), until, Math.min(largestLimit, Number(query.limit ?? 100) || 100)) }
      })
    },
    part: recurring({ name: 'changes', pauseMs: every(pruneEveryMs), once: () => pruneChanges(database, keepMs), failed: ({ message }) => log.warn({ err: message }, 'old changes stay for now') }),
    of: (team, apps, from, until, limit) => readChanges(database, team, apps, from, until, limit),
    note: async (change) => void (await addChanges(database, [change])),
  }

  async function tell(fresh: readonly ChangeEvent[], { team, app }: { team: string; app: string }): Promise<void> {
    if (fresh.length === 0) return
    const resource = await resources.get<Resource>(actor, { kind: 'App', namespace: team, name: app })
    if (resource) for (const { text, source, environment } of fresh) await events.record(resource, 'Normal', 'ChangedElsewhere', `${text} (${environment}, told by ${source})`, 'telemetry')
  }
}

function timeOf(given: string | undefined, usual: Date): Date {
  if (given === undefined) return usual
  const at = new Date(given)
  if (Number.isNaN(at.getTime())) throw fail('BAD_REQUEST', { message: `"${given.slice(0, 50)}" is no time such as 2026-01-31T12:00:00Z.` })
  return at
}
