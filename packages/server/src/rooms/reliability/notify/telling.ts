/** Who is told of an alert now: policies, schedules and channels of its team, put together. */
import { randomUUID } from 'node:crypto'
import type { AlertStatus, EscalationLevel, EscalationPolicySpec, NotificationChannelSpec, NotificationRow, OnCallScheduleSpec, Resource, UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Tx } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { onCallAt } from '../on-call/plan.ts'
import type { Alert } from '../alerts/groups.ts'
import { figure } from '../alerts/sources.ts'
import { nextTelling, type Escalation } from './plan.ts'
import { enqueue, toldOf, type Said } from './store.ts'

const actor = systemActor('alerts')

export interface Recipient {
  /** `user:ada` or `channel:ops`. */
  recipient: string
  /** Undefined: there is no way to reach them but the bell of the portal. */
  channel: string | undefined
}

export interface Telling {
  escalation: Escalation
  recipients: Recipient[]
  /** What is worth knowing: who cannot be reached, and why. */
  notes: string[]
}

interface Policy {
  spec: Pick<EscalationPolicySpec, 'levels' | 'repeat' | 'mailBy'>
  notes: string[]
}

/** The policy that an alert goes by; without one whoever is on call in the only schedule is told. */
export async function policyOf(resources: Resources, team: string, named: string | undefined): Promise<Policy | undefined> {
  const wanted = await resources.get<Resource<EscalationPolicySpec>>(actor, { kind: 'EscalationPolicy', namespace: team, name: named ?? 'default' })
  if (wanted) return { spec: wanted.spec, notes: [] }
  const notes = named === undefined ? [] : [`There is no EscalationPolicy ${named}.`]
  const standing = named === undefined ? undefined : await policyOf(resources, team, undefined)
  if (standing) return { ...standing, notes: [...notes, ...standing.notes] }
  const { items } = await resources.list<Resource<OnCallScheduleSpec>>(actor, 'OnCallSchedule', team, { limit: 2 })
  return items.length === 1 ? { spec: { levels: [{ schedules: [items[0]!.metadata.name] }] }, notes } : undefined
}

/** In a sentence, for the status of a rule. */
export async function toldText(resources: Resources, team: string, named: string | undefined): Promise<string> {
  const policy = await policyOf(resources, team, named)
  if (!policy) return 'Nobody but the bell: there is no EscalationPolicy default, and no single OnCallSchedule.'
  const first = policy.spec.levels[0]!
  const names = [...(first.schedules ?? []).map((name) => `whoever is on call in ${name}`), ...(first.users ?? []), ...(first.channels ?? []).map((name) => `channel ${name}`)]
  return [...policy.notes, `First ${names.join(', ')}.`].join(' ')
}

/** What is to be told of an alert now; levels that reach nobody are passed at once. */
export async function tellingOf(resources: Resources, { metadata, spec }: Pick<Alert, 'metadata' | 'spec'>, before: AlertStatus['escalation'], now: Date): Promise<Telling | undefined> {
  const policy = await policyOf(resources, metadata.namespace!, spec.escalationPolicy)
  if (!policy) return before ? undefined : { escalation: { level: 1, round: 1 }, recipients: [], notes: ['There is no EscalationPolicy default and no single OnCallSchedule, so only the bell tells of it.'] }
  const notes = [...policy.notes]
  let escalation = nextTelling(policy.spec, before, spec.severity, now)
  while (escalation) {
    const level = policy.spec.levels[escalation.level - 1]!
    const recipients = await recipientsOf(resources, metadata.namespace!, level, policy.spec.mailBy, now, notes)
    if (recipients.length > 0 || escalation.nextAt === undefined) return { escalation, recipients, notes }
    notes.push(`Level ${escalation.level} reaches nobody.`)
    escalation = nextTelling(policy.spec, { ...escalation, nextAt: now.toISOString() }, spec.severity, now) ?? undefined
    if (escalation && escalation.round > (before?.round ?? 1)) return { escalation, recipients: [], notes }
  }
  return undefined
}

async function recipientsOf(resources: Resources, team: string, { schedules = [], users = [], channels = [] }: EscalationLevel, mailBy: string | undefined, now: Date, notes: string[]): Promise<Recipient[]> {
  const found = new Map<string, Recipient>()
  const known = (await resources.listAll<Resource<NotificationChannelSpec>>(actor, 'NotificationChannel', team)).toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
  for (const name of channels) {
    if (known.some(({ metadata }) => metadata.name === name)) found.set(`channel:${name}`, { recipient: `channel:${name}`, channel: name })
    else notes.push(`There is no NotificationChannel ${name}.`)
  }
  const names = new Set(users)
  for (const schedule of schedules) {
    const there = await resources.get<Resource<OnCallScheduleSpec>>(actor, { kind: 'OnCallSchedule', namespace: team, name: schedule })
    const user = there && onCallAt(there.spec, now.getTime()).user
    if (user === undefined) notes.push(there ? `Nobody is on call in ${schedule}.` : `There is no OnCallSchedule ${schedule}.`)
    else names.add(user)
  }
  const mail = mailBy ?? known.find(({ spec }) => spec.email)?.metadata.name
  for (const name of names) {
    const user = await resources.get<Resource<UserSpec>>(actor, { kind: 'User', namespace: '', name })
    if (!user || user.spec.suspended) {
      notes.push(`There is no active user ${name}.`)
      continue
    }
    const reachable = user.spec.email !== undefined && mail !== undefined
    found.set(`user:${name}`, { recipient: `user:${name}`, channel: reachable ? mail : undefined })
    if (!reachable) notes.push(user.spec.email === undefined ? `${name} has no mail address and sees it at the bell only.` : `There is no channel for mail, so ${name} sees it at the bell only.`)
  }
  return [...found.values()]
}

/** What is said of an alert, as it is now. */
export function saidOf({ metadata, spec, status = {} }: Alert, kind: NotificationRow['kind'], at: Date): Said {
  return {
    kind,
    at: at.toISOString(),
    severity: spec.severity,
    team: metadata.namespace!,
    name: metadata.name,
    alert: metadata.uid,
    summary: spec.summary,
    ...(spec.app === undefined ? {} : { app: spec.app }),
    ...(spec.environment === undefined ? {} : { environment: spec.environment }),
    labels: spec.labels ?? {},
    examples: (status.examples ?? []).map(({ labels, value, text }) => text ?? [Object.entries(labels).map(([name, label]) => `${name}=${label}`).join(', ') || spec.source.name, ...(value === undefined ? [] : [figure(value)])].join(': ')),
    members: status.members ?? 0,
    since: status.since ?? at.toISOString(),
    affects: status.affects ?? [],
    ...(spec.runbook === undefined ? {} : { runbook: spec.runbook }),
    ...(kind === 'Acknowledged' && status.acknowledged ? { by: status.acknowledged.by, ...(status.acknowledged.note === undefined ? {} : { note: status.acknowledged.note }) } : {}),
  }
}

/** Written with the status that says so. */
export async function enqueueTelling(tx: Tx, alert: Alert, kind: 'Fired' | 'Flapping', { escalation, recipients }: Telling, now: Date): Promise<void> {
  const { level, round } = escalation
  const rows = recipients.flatMap(({ recipient, channel }) => (channel === undefined ? [] : [{ recipient, channel }]))
  await enqueue(tx, rows.map(({ recipient, channel }) => rowOf(alert, kind, { level, round, recipient, channel }, now)), now)
}

/** To all who were told that it fires: that somebody has it, or that it is over. */
export async function enqueueToAll(tx: Tx, alert: Alert, kind: 'Acknowledged' | 'Resolved', now: Date): Promise<void> {
  const told = await toldOf(tx, alert.metadata.uid)
  await enqueue(tx, told.map((to) => rowOf(alert, kind, { level: 0, round: 0, ...to }, now)), now)
}

function rowOf(alert: Alert, kind: NotificationRow['kind'], to: { level: number; round: number; recipient: string; channel: string }, now: Date): Parameters<typeof enqueue>[1][number] {
  return { id: randomUUID(), team: alert.metadata.namespace!, alert: alert.metadata.uid, alertName: alert.metadata.name, kind, ...to, after: [], said: saidOf(alert, kind, now) }
}
