/** Acts in an incident, and its timeline once or as it grows. */
import { fail, incidentRoles, incidentSeverities, incidentStates, type IncidentActs, type IncidentEntry } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type, { type TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../../kernel/actor.ts'
import { sendLines, stepWhenMore, type OnMore } from '../../../kernel/api/lines.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Logger } from '../../../kernel/log.ts'
import * as acts from './commands.ts'
import type { Chat } from '../notify/chat.ts'
import { entriesAfter, readEntries } from './store.ts'
import type { Incident } from './types.ts'

const Words = Type.String({ minLength: 1, maxLength: 5000 })
const Note = Type.Optional(Type.String({ maxLength: 5000 }))
const State = Type.Enum([...incidentStates])
const closed = { additionalProperties: false }

const bodies = {
  acknowledge: Type.Object({ note: Note }, closed),
  note: Type.Object({ text: Words }, closed),
  update: Type.Object({ text: Type.Optional(Words), public: Type.Optional(Type.String({ minLength: 1, maxLength: 2000 })), publicTitle: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }, closed),
  assign: Type.Object({ role: Type.Enum([...incidentRoles]), user: Type.Union([Type.String({ minLength: 1, maxLength: 63 }), Type.Null()]) }, closed),
  severity: Type.Object({ severity: Type.Enum([...incidentSeverities]), reason: Note }, closed),
  state: Type.Object({ state: State, from: Type.Optional(State), note: Note }, closed),
  resolve: Type.Object({ note: Note }, closed),
  close: Type.Object({ note: Note, postmortem: Type.Optional(Type.Boolean()) }, closed),
} satisfies Record<string, TObject>
type ActName = keyof typeof bodies

const OpenBody = Compile(
  Type.Object(
    { title: Type.String({ minLength: 1, maxLength: 300 }), severity: Type.Optional(Type.Enum([...incidentSeverities])), app: Type.Optional(Type.String()), environment: Type.Optional(Type.String()), channel: Type.Optional(Type.String({ maxLength: 200 })) },
    closed,
  ),
)

/** By hand, who opens it does not have to think about how bad it is yet. */
const usualSeverity = 'sev3'

export interface IncidentRoutesDeps extends acts.CommandDeps {
  defaultEnvironment: (team: string) => string
  onMore: (listener: (about?: string) => void) => () => void
  chat: Chat | undefined
  publicUrl: () => string
  log: Logger
}

interface Params {
  team: string
  name: string
}

type Perform<A extends ActName> = (by: Actor, team: string, name: string, body: IncidentActs[A]) => Promise<Incident>

export function incidentRoutes(deps: IncidentRoutesDeps): Routes {
  return (server: FastifyInstance) => {
    server.post<{ Params: { team: string } }>('/v1/teams/:team/incidents', async ({ actor, params, body }, reply) => {
      if (!OpenBody.Check(body)) throw fail('BAD_REQUEST', { message: 'An incident takes { "title": "…", "severity"?: "sev1" … "sev4", "app"?, "environment"?, "channel"? }.' })
      const { app, environment, severity = usualSeverity, ...rest } = body
      if (app !== undefined) await deps.resources.mustGet(actor, { kind: 'App', namespace: params.team, name: app })
      const place = app === undefined ? (environment === undefined ? {} : { environment }) : { app, environment: environment ?? deps.defaultEnvironment(params.team) }
      reply.code(201)
      return acts.openByHand(deps, actor, params.team, { ...rest, severity, ...place })
    })

    const on = <A extends ActName>(name: A, perform: Perform<A>): void => {
      const shape = Compile(bodies[name])
      server.post<{ Params: Params }>(`/v1/teams/:team/incidents/:name/${name}`, async ({ actor, params, body }) => {
        const given = body ?? {}
        if (!shape.Check(given)) throw fail('BAD_REQUEST', { message: `${name} takes ${Object.keys(bodies[name].properties).join(', ')}; ${[...shape.Errors(given)][0]?.message ?? 'what was sent does not fit'}.` })
        const incident = await perform(actor, params.team, params.name, given as IncidentActs[A])
        void mirror(deps, incident, name, given as Record<string, unknown>)
        return incident
      })
    }
    on('acknowledge', (by, team, name, body) => acts.acknowledge(deps, by, team, name, body))
    on('note', (by, team, name, body) => acts.note(deps, by, team, name, body))
    on('update', (by, team, name, body) => {
      if (body.text === undefined && body.public === undefined) throw fail('BAD_REQUEST', { message: 'An update says something: text for those inside, public for the status page.' })
      return acts.update(deps, by, team, name, body)
    })
    on('assign', (by, team, name, body) => acts.assign(deps, by, team, name, body))
    on('severity', (by, team, name, body) => acts.setSeverity(deps, by, team, name, body))
    on('state', (by, team, name, body) => acts.move(deps, by, team, name, body))
    on('resolve', (by, team, name, body) => acts.move(deps, by, team, name, { state: 'Resolved', ...body }))
    on('close', (by, team, name, body) => acts.move(deps, by, team, name, { state: 'Closed', ...body }))

    server.get<{ Params: Params; Querystring: { follow?: string; after?: string } }>('/v1/teams/:team/incidents/:name/timeline', async ({ actor, params, query }, reply) => {
      const { metadata } = await deps.resources.mustGet<Incident>(actor, { kind: 'Incident', namespace: params.team, name: params.name })
      if (query.follow !== '1') return { items: await readEntries(deps.database, metadata.uid) }
      if (query.after !== undefined && !/^\d{1,18}$/.test(query.after)) throw fail('BAD_REQUEST', { message: 'after is the id of an entry.' })
      const mine: OnMore = (listener) => deps.onMore((about) => (about === undefined || about === metadata.uid ? listener() : undefined))
      let told = query.after ?? '0'
      return sendLines(reply, (write, signal) => stepWhenMore(mine, async () => {
        // Nobody is told what a crash could still take back.
        for (const entry of await deps.database.durable(() => entriesAfter(deps.database, metadata.uid, told))) {
          await write(entry satisfies IncidentEntry)
          told = entry.id
        }
      }, signal))
    })
  }
}

/** The chat hears of what people are to know; what it misses stands in the timeline all the same. */
async function mirror({ chat, publicUrl, log }: IncidentRoutesDeps, { metadata, spec, status }: Incident, act: ActName, { text, note }: Record<string, unknown>): Promise<void> {
  if (!chat || spec.channel === undefined || act === 'note') return
  const words = [text, note].filter((one): one is string => typeof one === 'string')
  const { namespace: team = '', name } = metadata
  const link = `${publicUrl()}/incidents/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
  await chat.post(team, spec.channel, { name, ...(spec.app === undefined ? {} : { app: spec.app }), ...(spec.environment === undefined ? {} : { environment: spec.environment }), text: `${name} ${spec.severity}, ${(status?.state ?? 'Investigating').toLowerCase()}: ${spec.title}`, ...(words.length > 0 ? { note: words.join(' ') } : {}), link }).catch((error: Error) => log.warn({ incident: metadata.name, err: error.message }, 'the chat did not take what was said in an incident'))
}
