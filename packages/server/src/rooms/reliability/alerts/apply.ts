/** Carries out what was decided of one group: the Alert, who is told, and what is remembered commit together. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { AlertSpec, AlertStatus } from '@pavior/contract'
import { ignore } from '../../../kernel/errors.ts'
import type { Tx } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { runningGameDay } from '../game-days/reads.ts'
import { enqueueTelling, enqueueToAll, tellingOf, type Telling } from '../notify/telling.ts'
import { flapWindowMs, statusAfter, type Alert, type Decision } from './groups.ts'
import { actor, type LookDeps } from './deps.ts'
import { alertSpecOf } from './sources.ts'
import { lockGroup, writeGroup } from './store.ts'

/** Of an alert, in characters. */
const longestSummary = 300

type ApplyDeps = Pick<LookDeps, 'database' | 'resources' | 'events'>

export async function applyDecision(deps: ApplyDeps, decision: Decision, now: Date): Promise<void> {
  if (decision.act === 'open') await open(deps, decision, now)
  else if (decision.act === 'keep') await keep(deps, decision, now).catch(ignore('NOT_FOUND'))
  else if (decision.act === 'resolve') await resolve(deps, decision, now)
  else await release(deps, decision)
}

/** The next Alert of a group has another name, and two servers that open it at once mean the same one. */
function nameFor({ view: { source, group, row } }: Decision, now: Date): string {
  const turn = `${source.uid}\n${group}\n${row?.fires.length ?? 0}\n${now.getTime()}`
  return `${source.name}-${createHash('sha256').update(turn).digest('hex').slice(0, 6)}`
}

async function open(deps: ApplyDeps, decision: Decision, now: Date): Promise<void> {
  const { source, group, firing } = decision.view
  const name = nameFor(decision, now)
  const spec = await withGameDay(deps.resources, source.team, alertSpecOf(source, group, firing))
  const telling = decision.quiet ? undefined : await tellingOf(deps.resources, { metadata: { name, namespace: source.team } as Alert['metadata'], spec }, undefined, now)
  await deps.database.transaction(async (tx) => {
    const row = await lockGroup(tx, { source: source.uid, group, team: source.team })
    if (row.alert !== undefined || row.held) return
    const status = { ...statusAfter(undefined, decision, firing.length, now), ...(telling ? { escalation: telling.escalation } : {}) }
    const alert = await deps.resources.create<Alert>(actor, 'Alert', source.team, { metadata: { name }, spec, status }, { tx })
    await writeGroup(tx, { ...row, alert: name, fires: [...row.fires.filter((at) => now.getTime() - at < flapWindowMs), now.getTime()] })
    await tell(deps, tx, alert, decision, telling, now)
    if (decision.quiet) await deps.events.record(alert as never, 'Normal', 'AlertQuiet', `${spec.summary} Nobody is told: ${quietText(decision.quiet)}.`, 'reliability', tx)
  })
}

/** Whoever is told while a game day runs is told that as well. */
async function withGameDay(resources: Resources, team: string, spec: AlertSpec): Promise<AlertSpec> {
  const running = spec.app === undefined ? undefined : await runningGameDay(resources, team, spec.app, spec.environment)
  if (running === undefined) return spec
  const said = ` (The game day ${running} runs.)`
  return { ...spec, summary: `${spec.summary.slice(0, longestSummary - said.length)}${said}` }
}

function quietText({ because, by }: NonNullable<AlertStatus['quiet']>): string {
  return `${because.toLowerCase()} by ${by}`
}

async function tell({ events }: ApplyDeps, tx: Tx, alert: Alert, { flapping }: Decision, telling: Telling | undefined, now: Date): Promise<void> {
  if (!telling) return
  await enqueueTelling(tx, alert, flapping ? 'Flapping' : 'Fired', telling, now)
  const { recipients, notes, escalation } = telling
  const told = recipients.length === 0 ? 'Nobody could be told but by this bell.' : `Told: ${recipients.map(({ recipient, channel }) => `${recipient.replace(/^(user|channel):/, '')}${channel === undefined ? ' (bell only)' : ''}`).join(', ')}.`
  const text = [alert.spec.summary, flapping ? 'It comes and goes, so it is told once.' : '', told, ...notes].filter((part) => part !== '').join(' ')
  await events.record(alert as never, 'Warning', escalation.level === 1 && escalation.round === 1 ? 'AlertFired' : 'AlertEscalated', text, 'reliability', tx)
}

async function keep(deps: ApplyDeps, decision: Decision, now: Date): Promise<void> {
  const { alert } = decision.view
  const before = alert!.status
  const telling = decision.quiet || before?.state !== 'Firing' ? undefined : await tellingOf(deps.resources, alert!, before.escalation, now)
  const added = newlyFiring(decision, before)
  const next = (status: AlertStatus | undefined): AlertStatus => ({ ...statusAfter(status, decision, added, now), ...(telling && isDeepStrictEqual(status?.escalation, before?.escalation) && status?.state === 'Firing' ? { escalation: telling.escalation } : {}) })
  if (!telling && isDeepStrictEqual(next(before), before)) return
  const key = { kind: 'Alert', namespace: alert!.metadata.namespace!, name: alert!.metadata.name }
  await deps.database.transaction(async (tx) => {
    let tells = false
    const written = await deps.resources.mutate<Alert>(actor, key, (current) => {
      const { status } = current!
      // Somebody resolved it meanwhile, or another server told already.
      if (status?.state === 'Resolved') return current!
      const status2 = next(status)
      tells = telling !== undefined && !isDeepStrictEqual(status2.escalation, status?.escalation)
      return { ...current!, status: status2 }
    }, { subresource: 'status', tx })
    if (tells) await tell(deps, tx, written, decision, telling, now)
  })

}

/** Those that fired since the alert was last looked at. */
function newlyFiring({ view: { firing } }: Decision, before: AlertStatus | undefined): number {
  return Math.max(0, firing.length - (before?.members ?? 0))
}

async function resolve(deps: ApplyDeps, { view: { source, group, alert, row } }: Decision, now: Date): Promise<void> {
  const key = { kind: 'Alert', namespace: source.team, name: alert!.metadata.name }
  await deps.database.transaction(async (tx) => {
    const standing = await lockGroup(tx, { source: source.uid, group, team: source.team })
    if (standing.alert !== row!.alert) return
    await writeGroup(tx, { ...standing, alert: undefined, held: false })
    const resolved = await deps.resources.mutate<Alert>(actor, key, (current) => (current!.status?.state === 'Resolved' ? current! : { ...current!, status: resolvedStatus(current!.status, now) }), { subresource: 'status', tx }).catch(ignore('NOT_FOUND'))
    if (!resolved) return
    await enqueueToAll(tx, resolved, 'Resolved', now)
    await deps.events.record(resolved as never, 'Normal', 'AlertResolved', `It is over: ${resolved.spec.summary}`, 'reliability', tx)
  })
}

/** What ended by itself soon, and nobody took, was noise. */
export const soonMs = 300_000

export function resolvedStatus(status: AlertStatus | undefined, now: Date): AlertStatus {
  const { quiet: _, escalation, ...kept } = status ?? {}
  const { nextAt: __, ...told } = escalation ?? {}
  const soon = now.getTime() - Date.parse(kept.since ?? now.toISOString()) < soonMs
  const verdict = kept.verdict ?? (kept.acknowledged ? 'ActedUpon' : soon && escalation ? 'Noise' : undefined)
  return { ...kept, ...(escalation ? { escalation: told as NonNullable<typeof escalation> } : {}), state: 'Resolved', resolvedAt: now.toISOString(), members: 0, ...(verdict ? { verdict } : {}) }
}

/** The Alert was deleted, or what somebody resolved has ended. */
async function release({ database, resources }: ApplyDeps, { view: { source, group } }: Decision): Promise<void> {
  await database.transaction(async (tx) => {
    const row = await lockGroup(tx, { source: source.uid, group, team: source.team })
    const alert = row.alert === undefined ? undefined : await resources.get<Alert>(actor, { kind: 'Alert', namespace: source.team, name: row.alert }, tx)
    if (alert && alert.status?.state !== 'Resolved') return
    await writeGroup(tx, { ...row, alert: undefined, held: false })
  })
}
