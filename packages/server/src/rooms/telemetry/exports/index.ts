/** Puts the parts of exports together: what is to be sent on, who sends it, how it does. */
import { randomUUID } from 'node:crypto'
import type { ExportSignal, Span } from '@pavior/contract'
import { Counter, type Registry } from 'prom-client'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Numbers } from '../logs/copy.ts'
import type { Line } from '../logs/line.ts'
import { wants } from './plan.ts'
import type { Exporters } from './ports.ts'
import type { OpenSecret } from './reach.ts'
import { exportRoutes } from './routes.ts'
import { createSender, type TelemetryExport } from './send.ts'
import { createSeriesNames } from './series-names.ts'
import { createStatusWriter } from './status.ts'
import { beginAt, dueStreams, enqueueLines, enqueueSpans, exportsWithPosition, forgetPositions, pruneQueues, tryAgain } from './store.ts'
import { runStream } from './stream.ts'

export { telemetryExport } from './kinds.ts'

const actor = systemActor('telemetry-exports')
const intervalMs = 500
const atOnce = 16
const pruneEveryMs = 30_000
/** As long as an export may at most lag. */
const keepMs = 24 * 3600_000

export interface ExportsDeps {
  database: Database
  resources: Resources
  events: Pick<EventRecorder, 'record'>
  exporters: Exporters
  openSecret: OpenSecret
  audit: WriteNote
  /** What this server counts about itself. */
  registry: Registry
  clock: Clock
  log: Logger
}

/** Notes in the transaction that stores it what is to be sent on. Costs nothing where nobody exports. */
export interface ExportQueue {
  lines(tx: Tx, lines: readonly Line[], numbersOf: (line: Line) => Numbers): Promise<void>
  spans(tx: Tx, spans: readonly Span[]): Promise<void>
}

export interface Exports {
  queue: ExportQueue
  routes: Routes
  /** Known before anything is stored. */
  first: Part
  /** `once`: looks, and waits until everything that it began is over. */
  part: Part & { once(stopped: AbortSignal): Promise<void> }
}

export function createExports(deps: ExportsDeps): Exports {
  const { resources, registry, clock, log } = deps
  const mirror = new Mirror<TelemetryExport>(resources, 'TelemetryExport', log)
  const sender = createSender(deps)
  const counter = new Counter({ name: 'pavior_telemetry_exported_total', help: 'Points, lines and spans that were sent on.', labelNames: ['signal'] as const, registers: [registry] })
  const wanted = (signal: ExportSignal) => (of: { team: string; app: string; environment: string }): boolean => {
    for (const { metadata, spec } of mirror.values()) if (metadata.namespace === of.team && spec.signals.includes(signal) && wants(spec, of)) return true
    return false
  }
  const any = (): boolean => !mirror.values().next().done
  return {
    queue: {
      lines: async (tx, lines, numbersOf) => (any() ? enqueueLines(tx, lines, numbersOf, wanted('logs')) : undefined),
      spans: async (tx, spans) => (any() ? enqueueSpans(tx, spans, wanted('traces')) : undefined),
    },
    routes: exportRoutes({ resources, sender, audit: deps.audit, clock }),
    first: mirror,
    part: createRunner({ ...deps, mirror, sender, sent: (signal, items) => counter.inc({ signal }, items) }),
  }
}

interface RunnerDeps extends ExportsDeps {
  mirror: Mirror<TelemetryExport>
  sender: ReturnType<typeof createSender>
  sent: (signal: ExportSignal, items: number) => void
}

function createRunner({ database, resources, events, mirror, sender, sent, clock, log }: RunnerDeps): Exports['part'] {
  const me = randomUUID()
  const names = createSeriesNames(() => clock.now().getTime())
  const sizes = new Map<string, number>()
  const begun = new Map<string, number>()
  const underWay = new Map<string, Promise<void>>()
  const writeStatus = createStatusWriter({ database, resources, events, clock })
  let prunedAtMs = 0
  let hadAny = true

  /** Positions of what is new, and another attempt for what was changed. */
  const begin = async (all: readonly TelemetryExport[]): Promise<void> => {
    for (const { metadata, spec } of all) {
      const before = begun.get(metadata.uid)
      if (before === metadata.generation) continue
      for (const signal of spec.signals) await beginAt(database, { uid: metadata.uid, signal, team: metadata.namespace!, name: metadata.name })
      await tryAgain(database, metadata.uid)
      begun.set(metadata.uid, metadata.generation)
    }
  }
  /** By what is there now: a mirror may be behind. */
  const prune = async (): Promise<void> => {
    const gone: string[] = []
    const stay: { uid: string; signal: ExportSignal }[] = []
    for (const { uid, team, name } of await exportsWithPosition(database)) {
      const there = await resources.get<TelemetryExport>(actor, { kind: 'TelemetryExport', namespace: team, name })
      if (there?.metadata.uid === uid) for (const signal of there.spec.signals) stay.push({ uid, signal })
      else gone.push(uid)
    }
    for (const uid of gone) begun.delete(uid)
    await forgetPositions(database, stay, gone)
    await pruneQueues(database, keepMs)
  }
  const run = (of: TelemetryExport, signal: ExportSignal, stopped: AbortSignal): void => {
    const key = `${of.metadata.uid}/${signal}`
    const done = runStream({ database, sender, names, me, clock, lot: Math.random, sent }, of, signal, sizes, stopped)
      .catch((error: Error) => {
        if (!stopped.aborted) log.warn({ export: of.metadata.name, err: error.message }, 'telemetry could not be sent on; it waits')
      })
      .finally(() => underWay.delete(key))
    underWay.set(key, done)
  }

  const once = async (stopped: AbortSignal): Promise<void> => {
    const all = [...mirror.values()]
    const nowMs = clock.now().getTime()
    if (all.length === 0 && !hadAny) return
    await begin(all)
    const byUid = new Map(all.map((one) => [one.metadata.uid, one]))
    for (const { uid, signal } of all.length === 0 ? [] : await dueStreams(database, me)) {
      const of = byUid.get(uid)
      if (of && of.spec.signals.includes(signal) && !underWay.has(`${uid}/${signal}`) && underWay.size < atOnce) run(of, signal, stopped)
    }
    for (const one of all) await writeStatus(one)
    if (Math.abs(nowMs - prunedAtMs) < pruneEveryMs) return
    prunedAtMs = nowMs
    await prune()
    hadAny = all.length > 0
  }
  const part = recurring({ name: 'exports', pauseMs: every(intervalMs), once, failed: ({ message }) => log.warn({ err: message }, 'exports could not be looked after; what they send waits') })
  return {
    ...part,
    once: async (stopped) => {
      await once(stopped)
      await Promise.all(underWay.values())
      for (const one of mirror.values()) await writeStatus(one)
    },
    stop: async () => {
      await part.stop()
      await Promise.all(underWay.values())
    },
  }
}
