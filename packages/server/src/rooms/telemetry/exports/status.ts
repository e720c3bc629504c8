/** Writes how an export does: at once when its state changes, its figures every now and then. */
import type { TelemetryExportStatus } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { statusOf } from './plan.ts'
import type { TelemetryExport } from './send.ts'
import { progressOf } from './store.ts'

const actor = systemActor('telemetry-exports')
const figuresEveryMs = 15_000

export interface StatusDeps {
  database: Database
  resources: Resources
  events: Pick<EventRecorder, 'record'>
  clock: Clock
}

/** Gives a function that is called for every export that there is, again and again. */
export function createStatusWriter({ database, resources, events, clock }: StatusDeps): (of: TelemetryExport) => Promise<void> {
  const wroteAtMs = new Map<string, number>()
  return async ({ metadata, status: before = {} }) => {
    const progress = await progressOf(database, metadata.uid)
    if (progress.length === 0) return
    const now = clock.now()
    const next = statusOf(progress, now)
    const changed = next.state !== before.state || next.message !== before.message || before.signals?.length !== next.signals?.length
    const due = now.getTime() - (wroteAtMs.get(metadata.uid) ?? 0) >= figuresEveryMs
    if (!changed && (!due || same(next, before))) return
    wroteAtMs.set(metadata.uid, now.getTime())
    await database.transaction(async (tx) => {
      let was: TelemetryExportStatus['state']
      const written = await resources.mutate<TelemetryExport>(actor, { kind: 'TelemetryExport', namespace: metadata.namespace!, name: metadata.name }, (current) => {
        was = current!.status?.state
        return { ...current!, status: { ...current!.status, ...next, message: next.message } }
      }, { subresource: 'status', tx })
      if (was === next.state || (next.state !== 'Failing' && was !== 'Failing')) return
      const [type, reason, text] = next.state === 'Failing' ? (['Warning', 'ExportFails', `${metadata.name} does not send: ${next.message}`] as const) : (['Normal', 'ExportWorks', `${metadata.name} sends again.`] as const)
      await events.record(written as never, type, reason, text, 'telemetry', tx)
    }).catch(ignore('NOT_FOUND'))
  }
}

function same(one: TelemetryExportStatus, { conditions: _, ...other }: TelemetryExportStatus): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
