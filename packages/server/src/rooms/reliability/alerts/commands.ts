/** What people do with an alert: take it, end it, judge it. */
import { fail, type AlertStatus } from '@pavior/contract'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { enqueueToAll } from '../notify/telling.ts'
import { resolvedStatus } from './apply.ts'
import { actor } from './deps.ts'
import type { Alert } from './groups.ts'
import { lockGroupOf, writeGroup } from './store.ts'

export interface CommandDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  audit: WriteNote
  clock: Clock
}

/** Who acts, as it is written down. */
export interface By {
  /** `user:ada`, or `channel:ops by link`. */
  name: string
  requestId?: string
  address?: string
  token?: string
}

interface Of {
  team: string
  name: string
  /** When it must be this one. */
  uid?: string
}

const longestNote = 500

/** The first one has it; the same one again changes nothing. Throws ALERT_TAKEN, ALERT_OVER. */
export async function acknowledge(deps: CommandDeps, of: Of, by: By, note?: string): Promise<Alert> {
  const now = deps.clock.now()
  const { alert, changed } = await change(deps, of, (status) => {
    if (status.state === 'Resolved') throw fail('ALERT_OVER', { message: `The alert ${of.name} has been resolved${status.resolvedAt ? ` since ${minute(status.resolvedAt)}` : ''}.` })
    if (status.acknowledged?.by === by.name) return status
    if (status.acknowledged) throw fail('ALERT_TAKEN', { message: `${status.acknowledged.by} has had ${of.name} in hand since ${minute(status.acknowledged.at)}.`, facts: { by: status.acknowledged.by, at: status.acknowledged.at } })
    const { nextAt: _, ...told } = status.escalation ?? {}
    return { ...status, state: 'Acknowledged', acknowledged: { by: by.name, at: now.toISOString(), ...(note ? { note: note.slice(0, longestNote) } : {}) }, ...(status.escalation ? { escalation: told as NonNullable<typeof status.escalation> } : {}) }
  }, async (tx, written) => {
    await enqueueToAll(tx, written, 'Acknowledged', now)
    await deps.events.record(written as never, 'Normal', 'AlertAcknowledged', `${by.name} has it in hand${note ? `: ${note}` : '.'}`, 'reliability', tx)
  })
  if (changed) await noteAct(deps, alert, by, 'acknowledge', note)
  return alert
}

/** Ends it; when its condition still holds, no other is opened until that has ended once. */
export async function resolveByHand(deps: CommandDeps, of: Of, by: By, verdict: AlertStatus['verdict']): Promise<Alert> {
  const now = deps.clock.now()
  const { alert, changed } = await change(deps, of, (status) => (status.state === 'Resolved' ? status : { ...resolvedStatus({ ...status, ...(verdict ? { verdict } : {}) }, now), verdict: verdict ?? status.verdict ?? 'ActedUpon' }), async (tx, written) => {
    await enqueueToAll(tx, written, 'Resolved', now)
    await deps.events.record(written as never, 'Normal', 'AlertResolved', `${by.name} resolved it: ${written.spec.summary}`, 'reliability', tx)
  })
  if (changed) await noteAct(deps, alert, by, 'resolve', undefined)
  return alert
}

/** What came of it. */
export async function judge(deps: CommandDeps, of: Of, by: By, verdict: NonNullable<AlertStatus['verdict']>): Promise<Alert> {
  const { alert, changed } = await change(deps, of, (status) => ({ ...status, verdict }), async () => undefined)
  if (changed) await noteAct(deps, alert, by, 'judge', verdict)
  return alert
}

async function change({ database, resources }: CommandDeps, { team, name, uid }: Of, next: (status: AlertStatus) => AlertStatus, then: (tx: Tx, written: Alert) => Promise<void>): Promise<{ alert: Alert; changed: boolean }> {
  return database.transaction(async (tx) => {
    // The group first, as everybody who decides about it.
    const row = await lockGroupOf(tx, team, name)
    let changed = false
    const alert = await resources.mutate<Alert>(actor, { kind: 'Alert', namespace: team, name }, (current) => {
      if (uid !== undefined && current!.metadata.uid !== uid) throw fail('LINK_INVALID', `The alert ${name} is another one now.`)
      const before = current!.status ?? {}
      const status = next(before)
      changed = status !== before
      return { ...current!, status }
    }, { subresource: 'status', tx })
    if (changed) await then(tx, alert)
    if (row && alert.status?.state === 'Resolved') await writeGroup(tx, { ...row, alert: undefined, held: true })
    return { alert, changed }
  })
}

/** The write is the platform's; who asked for it is written down beside it. */
async function noteAct({ audit }: CommandDeps, { metadata }: Alert, { name, requestId, address, token }: By, verb: string, reason: string | undefined): Promise<void> {
  await audit({ actor: name, verb, kind: 'Alert', namespace: metadata.namespace!, name: metadata.name, uid: metadata.uid, requestId, address, token, reason })
}

export function minute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`
}
