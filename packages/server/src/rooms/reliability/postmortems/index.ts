/** Postmortems: drafted when incidents close, followed until their actions are done; figures over all of them. */
import { isDeepStrictEqual } from 'node:util'
import { fail, type PostmortemSpec, type PostmortemStatus, type Resource } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { systemActor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, itself, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { incident as incidentKind } from '../incidents/kinds.ts'
import { addEntries, moveAlone, readEntries } from '../incidents/store.ts'
import type { Incident, NewEntry } from '../incidents/types.ts'
import { draftOf, isWanted, standingOf } from './draft.ts'
import { figuresOf } from './figures.ts'
import { postmortem as postmortemKind } from './kinds.ts'

type Postmortem = Resource<PostmortemSpec, PostmortemStatus>

const actor = systemActor('postmortems')
/** Days go by, and then actions are overdue. */
const lookMs = 3600_000
const usualDays = 90
const mostDays = 366

export interface PostmortemDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  clock: Clock
}

export function createPostmortems(deps: PostmortemDeps): { reconcilers: Reconciler[]; routes: Routes[] } {
  return { reconcilers: [drafts(deps), standings(deps)], routes: [figureRoutes(deps)] }
}

/** `postmortem-drafts`: one for each incident that closes and asks for one; what people delete does not come back. */
function drafts({ database, resources, clock }: PostmortemDeps): Reconciler {
  return {
    name: 'postmortem-drafts',
    concurrency: 2,
    interests: [{ kind: incidentKind.kind, keys: (object) => (isWanted(object as Incident) ? itself(incidentKind).keys(object, undefined) : []) }],
    reconcile: async (text) => {
      const key = { kind: 'Incident', ...splitKey(text) }
      const incident = await resources.get<Incident>(actor, key)
      if (!incident || !isWanted(incident) || incident.status?.postmortem !== undefined) return done
      const { uid, name, namespace } = incident.metadata
      const at = clock.now().toISOString()
      const spec = draftOf(incident, await readEntries(database, uid))
      await database.transaction(async (tx) => {
        await moveAlone(tx, uid)
        if (!(await resources.get(actor, { kind: 'Postmortem', namespace: namespace!, name }, tx))) await resources.create<Postmortem>(actor, 'Postmortem', namespace!, { metadata: { name }, spec }, { tx })
        await resources.mutate<Incident>(actor, key, (current) => ({ ...current!, status: { ...current!.status, postmortem: name } }), { tx, subresource: 'status' })
        await addEntries(tx, uid, [lineOf(at, 'The draft of a postmortem was made.', 'drafted')])
      }).catch(ignore('NOT_FOUND'))
      return done
    },
  }
}

function lineOf(at: string, text: string, key: string): NewEntry {
  return { at, kind: 'postmortem', actor: actor.name, text, dedupe: `postmortem/${key}` }
}

/** `postmortems`: how far each is, and owners of overdue actions hear of it once. */
function standings({ database, resources, events, clock }: PostmortemDeps): Reconciler {
  return {
    name: 'postmortems',
    concurrency: 2,
    interests: [itself(postmortemKind)],
    reconcile: async (text) => {
      const key = { kind: 'Postmortem', ...splitKey(text) }
      const found = await resources.get<Postmortem>(actor, key)
      if (!found || found.metadata.deletionTimestamp) return done
      const incident = await resources.get<Incident>(actor, { kind: 'Incident', namespace: key.namespace, name: found.spec.incident })
      const now = clock.now()
      const standing = (one: Postmortem): ReturnType<typeof standingOf> => standingOf(one.spec, one.status, incident, one.metadata.generation ?? 1, now)
      if (!isDeepStrictEqual(standing(found).status, found.status)) {
        await database.transaction(async (tx) => {
          // Before the resource: whoever moves an incident takes these in this order.
          if (incident) await moveAlone(tx, incident.metadata.uid)
          let told: ReturnType<typeof standingOf>['overdue'] = []
          const written = await resources.mutate<Postmortem>(actor, key, (current) => {
            const { status, overdue } = standing(current as Postmortem)
            told = overdue
            return { ...current!, status }
          }, { tx, subresource: 'status' })
          for (const { title, owner, due } of told) await events.record(written, 'Warning', 'ActionOverdue', `${owner === undefined ? 'Nobody owns it: ' : `${owner}: `}"${title}" was due on ${due}.`, 'reliability', tx)
          if (incident && written.status?.publishedAt !== undefined) await addEntries(tx, incident.metadata.uid, [lineOf(written.status.publishedAt, 'The postmortem was published.', 'published')])
        }).catch(ignore('NOT_FOUND'))
      }
      return after(lookMs)
    },
  }
}

function figureRoutes({ resources, clock }: PostmortemDeps): Routes {
  return (server: FastifyInstance) => {
    server.get<{ Params: { team: string }; Querystring: { days?: string } }>('/v1/teams/:team/reliability/figures', async ({ actor: by, params, query }) => {
      const days = Number(query.days ?? usualDays)
      if (!Number.isInteger(days) || days < 1 || days > mostDays) throw fail('BAD_REQUEST', { message: `Figures are told of 1 to ${mostDays} whole days.` })
      const [incidents, postmortems] = await Promise.all([resources.listAll<Incident>(by, 'Incident', params.team), resources.listAll<Postmortem>(by, 'Postmortem', params.team)])
      return figuresOf(incidents, postmortems, days, clock.now())
    })
  }
}
