/** A kernel with incidents, alerts that are written as the platform would, and traffic that is counted. For tests. */
import type { AlertSpec, AlertStatus, AuditRow, ChangeEvent, IncidentEntry } from '@pavior/contract'
import { testKernel, tester, type TestKernel } from './kernel.ts'
import type { Actor } from '../src/kernel/actor.ts'
import { createEventRecorder, type EventRecorder } from '../src/kernel/audit/events.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { Mirror } from '../src/kernel/resources/mirror.ts'
import { kinds as catalogKinds } from '../src/rooms/catalog/index.ts'
import { kinds as releaseKinds } from '../src/rooms/release/index.ts'
import { kinds as secretKinds } from '../src/rooms/secrets/index.ts'
import { callsOf, calledBy } from '../src/rooms/telemetry/traffic/calls.ts'
import { trafficMinutes } from '../src/rooms/telemetry/traffic/minutes.ts'
import { alert as alertKind } from '../src/rooms/reliability/alerts/kinds.ts'
import type { Slo } from '../src/rooms/reliability/slo/evaluate.ts'
import { slo as sloKind } from '../src/rooms/reliability/slo/kinds.ts'
import { incident as incidentKind } from '../src/rooms/reliability/incidents/kinds.ts'
import { runbook, runbookRun } from '../src/rooms/reliability/runbooks/index.ts'
import { gameDay } from '../src/rooms/reliability/game-days/index.ts'
import { createOpener, type OpenerDeps } from '../src/rooms/reliability/incidents/opening.ts'
import { createLook, type LookDeps } from '../src/rooms/reliability/incidents/reconcile.ts'
import { readEntries } from '../src/rooms/reliability/incidents/store.ts'
import type { Alert, Incident } from '../src/rooms/reliability/incidents/types.ts'
import type { CommandDeps } from '../src/rooms/reliability/incidents/commands.ts'

const log = createLog('silent', 'test')
const minuteMs = 60_000

export interface IncidentWorld extends TestKernel {
  commands: CommandDeps
  deps: LookDeps & OpenerDeps
  events: EventRecorder
  /** Fires, or changes, an alert of team blue. */
  fire: (name: string, spec?: Partial<AlertSpec>, status?: AlertStatus) => Promise<Alert>
  end: (name: string) => Promise<void>
  incidents: () => Promise<Incident[]>
  read: (name: string) => Promise<Incident>
  lines: (incident: Incident) => Promise<IncidentEntry[]>
  count: (app: string, release: number, minutesAgo: number, good: number, bad: number) => Promise<void>
  call: (from: string, to: string) => Promise<void>
}

export const person = (name: string, role: 'developer' | 'viewer' = 'developer', team = 'blue'): Actor => ({ name: `user:${name}`, kind: 'user', admin: false, roles: new Map([[team, role]]) })

/** `opens: false`: nothing is done about alerts by itself. */
export async function incidentWorld({ changes = () => [], elsewhere = [], opens = true }: { changes?: (team: string) => AuditRow[]; elsewhere?: ChangeEvent[]; opens?: boolean } = {}): Promise<IncidentWorld> {
  const slos: { mirror?: Mirror<Slo> } = {}
  const made: { deps?: LookDeps & OpenerDeps } = {}
  const kernel = await testKernel([...catalogKinds, ...releaseKinds, ...secretKinds, sloKind, alertKind, incidentKind, runbook, runbookRun, gameDay], ({ database, resources }) => {
    slos.mirror = new Mirror<Slo>(resources, 'Slo', log)
    const deps = (made.deps = {
      database,
      resources,
      slos: slos.mirror,
      signals: { minutes: trafficMinutes(database) },
      calls: { callsOf: (apps: Parameters<typeof callsOf>[1], since: Date) => callsOf(database, apps, since), calledBy: (app: Parameters<typeof calledBy>[1], since: Date) => calledBy(database, app, since) },
      changes: async (team: string) => changes(team),
      elsewhere: async () => elsewhere,
      excerpts: undefined,
      events: createEventRecorder(database),
      clock: systemClock,
      log,
    })
    return [...(opens ? [createOpener(deps)] : []), createLook(deps)]
  })
  const { database, resources } = kernel
  const { events } = made.deps!
  const key = (name: string): { kind: string; namespace: string; name: string } => ({ kind: 'Alert', namespace: 'blue', name })
  return {
    ...kernel,
    deps: made.deps!,
    commands: { database, resources, events, clock: systemClock },
    events,
    fire: (name, spec = {}, status = {}) =>
      resources.mutate<Alert>(tester, key(name), (current) => current ?? { metadata: { name }, spec: { severity: 'page', summary: `${name} is wrong.`, source: { kind: 'Slo', name: 'shop-answers' }, app: 'shop', environment: 'production', ...spec }, status: { state: 'Firing', since: new Date().toISOString(), ...status } }, { upsert: true }),
    end: async (name) => {
      await resources.mutate<Alert>(tester, key(name), (current) => ({ ...current!, status: { ...current!.status, state: 'Resolved', resolvedAt: new Date().toISOString() } }), { subresource: 'status' })
    },
    incidents: () => resources.listAll<Incident>(tester, 'Incident'),
    read: (name) => resources.mustGet<Incident>(tester, { kind: 'Incident', namespace: 'blue', name }),
    lines: ({ metadata }) => readEntries(database, metadata.uid),
    count: async (app, release, minutesAgo, good, bad) => {
      const at = new Date(Math.floor(Date.now() / minuteMs - minutesAgo) * minuteMs)
      await database.query(
        `insert into traffic (at, team, app, environment, release, interval_ms, statuses, router_errors, durations, duration_ms, bytes_in, bytes_out)
         values ($1, 'blue', $4, 'production', $5, 5000, array[0, $2::bigint, 0, 0, $3::bigint], 0, array_fill(0::bigint, array[14]), 0, 0, 0)`,
        [at, good, bad, app, release],
      )
    },
    call: async (from, to) => {
      await database.query(`insert into traffic_callers (from_team, from_app, team, app, first_seen_at, last_seen_at) values ('blue', $1, 'blue', $2, now(), now())`, [from, to])
    },
  }
}

/** Asks until it holds; what reconcilers do is seen in what they write. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await ask()
    if (found !== undefined && found !== false) return found as T
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
