/** Acts of people in an incident, and its opening. Each is one transaction with its line in the timeline, and done twice it is done once. */
import { randomUUID } from 'node:crypto'
import { fail, type IncidentActs, type IncidentSpec, type IncidentState, type IncidentStatus } from '@pavior/contract'
import { writingFor, type Actor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { moved, secondsOf } from './plan.ts'
import { addEntries, moveAlone, nextIncident } from './store.ts'
import { shownActor } from './suspects.ts'
import { actor as system, type Incident, type NewEntry } from './types.ts'

export interface CommandDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  clock: Clock
}

export interface Opening {
  team: string
  spec: IncidentSpec
  by: Actor
  /** When it was detected, ISO 8601. */
  detectedAt: string
  severityReason: string
  cause?: IncidentStatus['cause']
  /** First line of the timeline. */
  text: string
}

/** Incident, its first line and its remark commit together. */
export async function openIncident({ resources, events }: Pick<CommandDeps, 'resources' | 'events'>, { team, spec, by, detectedAt, severityReason, cause, text }: Opening, tx: Tx): Promise<Incident> {
  const name = `inc-${await nextIncident(tx, team)}`
  const status: IncidentStatus = { state: 'Investigating', openedBy: by.name, detectedAt, severityReason, ...(cause ? { cause } : {}) }
  const incident = await resources.create<Incident>(writingFor(system, by), 'Incident', team, { metadata: { name }, spec, status }, { tx })
  await addEntries(tx, incident.metadata.uid, [{ at: detectedAt, kind: 'opened', actor: by.name, text, data: { severity: spec.severity }, dedupe: 'opened' }])
  await events.record(incident, 'Warning', 'IncidentOpened', `${spec.severity}: ${spec.title}`, 'reliability', tx)
  return incident
}

/** By hand. Throws FORBIDDEN, INVALID. */
export async function openByHand(deps: CommandDeps, by: Actor, team: string, spec: IncidentSpec): Promise<Incident> {
  // Whether they may, and whether it is well formed, before anything is counted.
  await deps.resources.create(by, 'Incident', team, { metadata: { generateName: 'inc-' }, spec }, { dryRun: true })
  const detectedAt = deps.clock.now().toISOString()
  return deps.database.transaction((tx) => openIncident(deps, { team, spec, by, detectedAt, severityReason: `${shownActor(by.name)} said so.`, text: `${shownActor(by.name)} opened it: ${spec.title}` }, tx))
}

/** What is to be so, as changes of whatever stands there by then. */
interface Step {
  spec?: Partial<IncidentSpec>
  status?: (status: IncidentStatus) => IncidentStatus
  entries: (Pick<NewEntry, 'kind' | 'text' | 'data'> & { dedupe?: string })[]
}

/** Undefined: it is so already, and nothing is written. */
type Decide = (incident: Incident, at: string) => Step | undefined

/** Throws FORBIDDEN, NOT_FOUND, and what `decide` throws. Two at once are one after the other: the second one decides on what the first one wrote. */
async function act({ database, resources, clock }: CommandDeps, by: Actor, team: string, name: string, decide: Decide): Promise<Incident> {
  const key = { kind: 'Incident', namespace: team, name }
  const { metadata } = await resources.mutate<Incident>(by, key, (current) => current!, { dryRun: true })
  return database.transaction(async (tx) => {
    await moveAlone(tx, metadata.uid)
    let incident = await resources.mustGet<Incident>(by, key, tx)
    const at = clock.now().toISOString()
    const step = decide(incident, at)
    if (!step) return incident
    const { spec, status, entries } = step
    if (spec) incident = await resources.mutate<Incident>(writingFor(system, by), key, (current) => ({ ...current!, spec: { ...current!.spec, ...spec } }), { tx })
    if (status) incident = await resources.mutate<Incident>(writingFor(system, by), key, (current) => ({ ...current!, status: status(current!.status ?? {}) }), { tx, subresource: 'status' })
    await addEntries(tx, incident.metadata.uid, entries.map((entry) => ({ at, actor: by.name, ...entry, dedupe: entry.dedupe ?? `act/${randomUUID()}` })))
    return incident
  })
}

function stillMoves({ metadata, status }: Incident): void {
  if (status?.state === 'Closed') throw fail('INCIDENT_CLOSED', { message: `The incident ${metadata.name} is closed.` })
}

const withNote = (text: string, note: string | undefined): string => (note === undefined || note === '' ? text : `${text} ${note}`)

/** The first one has it; who comes later is told who. */
export function acknowledge(deps: CommandDeps, by: Actor, team: string, name: string, { note }: IncidentActs['acknowledge']): Promise<Incident> {
  return act(deps, by, team, name, (incident, at) => {
    stillMoves(incident)
    if (incident.status?.acknowledged) return undefined
    const taken = (status: IncidentStatus): IncidentStatus => ({ ...status, acknowledged: { by: by.name, at } })
    return { status: (status) => ({ ...taken(status), seconds: secondsOf(taken(status)) }), entries: [{ kind: 'acknowledged', text: withNote(`${shownActor(by.name)} has it in hand.`, note), dedupe: 'acknowledged' }] }
  })
}

/** May always be written, after the end too. */
export function note(deps: CommandDeps, by: Actor, team: string, name: string, { text }: IncidentActs['note']): Promise<Incident> {
  return act(deps, by, team, name, () => ({ entries: [{ kind: 'note', text }] }))
}

/** For those inside, for the public, or for both in other words. */
export function update(deps: CommandDeps, by: Actor, team: string, name: string, { text, public: forPublic, publicTitle }: IncidentActs['update']): Promise<Incident> {
  return act(deps, by, team, name, (incident, at) => {
    stillMoves(incident)
    return {
      ...(publicTitle === undefined ? {} : { spec: { publicTitle } }),
      ...(forPublic === undefined ? {} : { status: (status: IncidentStatus) => ({ ...status, published: { at, text: forPublic } }) }),
      entries: [
        ...(text === undefined ? [] : [{ kind: 'update' as const, text }]),
        ...(forPublic === undefined ? [] : [{ kind: 'published' as const, text: forPublic, data: { state: incident.status?.state ?? 'Investigating' } }]),
      ],
    }
  })
}

export function assign(deps: CommandDeps, by: Actor, team: string, name: string, { role, user }: IncidentActs['assign']): Promise<Incident> {
  return act(deps, by, team, name, (incident) => {
    stillMoves(incident)
    const { [role]: held, ...others } = incident.spec.roles ?? {}
    if (held === (user ?? undefined)) return undefined
    const text = user === null ? `Nobody is ${role} any more; it was ${held}.` : `${user} is ${role}${held === undefined ? '' : `, in place of ${held}`}.`
    return { spec: { roles: user === null ? others : { ...others, [role]: user } }, entries: [{ kind: 'role', text, data: { role, user } }] }
  })
}

export function setSeverity(deps: CommandDeps, by: Actor, team: string, name: string, { severity, reason }: IncidentActs['severity']): Promise<Incident> {
  return act(deps, by, team, name, (incident) => {
    stillMoves(incident)
    if (incident.spec.severity === severity) return undefined
    return { spec: { severity }, status: (status) => ({ ...status, severityReason: withNote(`${shownActor(by.name)} said so.`, reason) }), entries: [{ kind: 'severity', text: withNote(`${incident.spec.severity} became ${severity}.`, reason), data: { from: incident.spec.severity, to: severity } }] }
  })
}

export interface Move {
  state: IncidentState
  /** Refused with INCIDENT_MOVED when it is in another state by now. */
  from?: IncidentState
  note?: string
  postmortem?: boolean
}

/** Forth and back until it is closed. The state that it is in already is no move. */
export function move(deps: CommandDeps, by: Actor, team: string, name: string, { state, from, note: said, postmortem }: Move): Promise<Incident> {
  return act(deps, by, team, name, (incident, at) => {
    const current = incident.status?.state ?? 'Investigating'
    if (current === state) return undefined
    stillMoves(incident)
    if (from !== undefined && current !== from) throw fail('INCIDENT_MOVED', { message: `The incident ${name} is ${current} by now, not ${from}.` })
    return {
      ...(postmortem === undefined ? {} : { spec: { postmortem } }),
      status: (status) => moved(status, state, at),
      entries: [{ kind: 'state', text: withNote(stateText(shownActor(by.name), current, state), said), data: { from: current, to: state } }],
    }
  })
}

const reached: Record<IncidentState, string> = {
  Investigating: 'is looking for the cause',
  Identified: 'says that the cause is known',
  Mitigated: 'says that users are well again',
  Resolved: 'says that it is resolved',
  Closed: 'closed it',
}

function stateText(who: string, from: IncidentState, to: IncidentState): string {
  return `${who} ${reached[to]} (${from} → ${to}).`
}
