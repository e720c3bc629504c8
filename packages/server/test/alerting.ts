/** For tests: alerts over a database of their own, with metrics that the test gives and a stand-in that takes messages. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertRuleSpec, NotificationChannelSpec, Resource } from '@pavior/contract'
import { onTestFinished } from 'vitest'
import { testKernel, tester, type TestKernel } from './kernel.ts'
import { notifiers } from '../src/drivers/notifiers/index.ts'
import { createEventRecorder } from '../src/kernel/audit/events.ts'
import { createLog } from '../src/kernel/log.ts'
import { Mirror } from '../src/kernel/resources/mirror.ts'
import { kinds as catalogKinds } from '../src/rooms/catalog/index.ts'
import { kinds as identityKinds } from '../src/rooms/identity/index.ts'
import { kinds as releaseKinds } from '../src/rooms/release/index.ts'
import { createDelivery, type DeliverDeps } from '../src/rooms/reliability/notify/deliver.ts'
import { readNotifications } from '../src/rooms/reliability/notify/store.ts'
import { onCallSchedule } from '../src/rooms/reliability/on-call/kinds.ts'
import { slo as sloKind } from '../src/rooms/reliability/slo/kinds.ts'
import type { QueryResult } from '../src/rooms/reliability/slo/ports.ts'
import type { CommandDeps } from '../src/rooms/reliability/alerts/commands.ts'
import { createMeasure, type MeasureDeps } from '../src/rooms/reliability/alerts/conditions.ts'
import type { LookDeps } from '../src/rooms/reliability/alerts/deps.ts'
import type { Alert } from '../src/rooms/reliability/alerts/groups.ts'
import { alertKinds } from '../src/rooms/reliability/alerts/index.ts'
import { gameDay } from '../src/rooms/reliability/game-days/index.ts'
import { createLinks } from '../src/rooms/reliability/alerts/links.ts'
import { lookOnce } from '../src/rooms/reliability/alerts/look.ts'
import type { AppName } from '../src/rooms/reliability/alerts/ports.ts'
import type { Silence } from '../src/rooms/reliability/alerts/silences.ts'
import type { AlertRule, Slo } from '../src/rooms/reliability/alerts/sources.ts'

const log = createLog('silent', 'test')
export const linkKey = Buffer.alloc(32, 7)

export interface Taken {
  path: string
  method: string
  headers: IncomingHttpHeaders
  body: any
}

export interface StandIn {
  url: string
  taken: Taken[]
  /** How it answers; 200 until the test says otherwise. */
  answer: (request: Taken, response: ServerResponse) => void
}

/** Another system, on a free port. */
export async function standIn(): Promise<StandIn> {
  const it: StandIn = { url: '', taken: [], answer: (_request, response) => void response.end('ok') }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const taken = { path: request.url!, method: request.method!, headers: request.headers, body: text === '' ? undefined : JSON.parse(text) }
      it.taken.push(taken)
      it.answer(taken, response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  }))
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return it
}

export interface World extends TestKernel {
  look: LookDeps
  commands: CommandDeps
  delivery: DeliverDeps
  /** Of the clock that everything goes by. */
  pass: (ms: number) => void
  now: () => Date
  /** What a query gives from now on; an error is thrown. */
  measured: Map<string, QueryResult[] | Error>
  calls: Map<string, AppName[]>
  lookNow: () => Promise<void>
  /** Sends everything that is due; how many attempts that were. */
  deliver: () => Promise<number>
  rule: (name: string, spec: Partial<AlertRuleSpec> & { query?: string }) => Promise<AlertRule>
  channel: (name: string, spec: NotificationChannelSpec) => Promise<void>
  declare: (kind: string, name: string, spec: object) => Promise<Resource>
  alerts: () => Promise<Alert[]>
  log: (alert: Alert) => ReturnType<typeof readNotifications>
  events: (kind?: string) => Promise<string[]>
}

export async function world(given: Partial<MeasureDeps> = {}): Promise<World> {
  const kernel = await testKernel([...identityKinds, ...catalogKinds, ...releaseKinds, sloKind, onCallSchedule, ...alertKinds, gameDay])
  const { database, resources } = kernel
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const rules = new Mirror<AlertRule>(resources, 'AlertRule', log)
  const silences = new Mirror<Silence>(resources, 'Silence', log)
  const slos = new Mirror<Slo>(resources, 'Slo', log)
  await Promise.all([rules, silences, slos].map((mirror) => mirror.start(ended.signal)))
  let at = Date.parse('2026-03-02T12:00:00Z')
  const clock = { now: () => new Date(at) }
  const measured: World['measured'] = new Map()
  const calls: World['calls'] = new Map()
  const query = async (_team: string, text: string): Promise<QueryResult[]> => {
    const found = measured.get(text) ?? []
    if (found instanceof Error) throw found
    return found
  }
  const events = createEventRecorder(database)
  const measure = createMeasure({ query, logs: undefined, probe: undefined, urlOf: async () => undefined, slo: (team, name) => slos.get(team, name), rules: () => rules.values(), ...given })
  const look: LookDeps = { database, resources, rules, silences, slos, query, measure, calls: async ({ team, app }) => calls.get(`${team}/${app}`) ?? [], events, clock, log }
  const delivery: DeliverDeps = { database, resources, notifiers, openSecret: async ({ secret }) => `value of ${secret}`, links: createLinks(() => 'https://pavior.example', linkKey), events, clock, lot: () => 1, log }
  const deliveries = createDelivery(delivery, () => () => undefined)
  const newest = new Map<string, string>()
  const declare: World['declare'] = async (kind, name, spec) => {
    const made = await resources.create(tester, kind, kernel.kinds.mustFind(kind).scope === 'Cluster' ? '' : 'blue', { metadata: { name }, spec })
    newest.set(kind, made.metadata.resourceVersion)
    return made
  }
  return {
    ...kernel, look, delivery, measured, calls, declare,
    commands: { database, resources, events, audit: async () => undefined, clock },
    pass: (ms) => void (at += ms),
    now: clock.now,
    lookNow: async () => {
      await Promise.all(Object.entries({ AlertRule: rules, Silence: silences, Slo: slos }).map(([kind, mirror]) => mirror.reached(newest.get(kind) ?? '0', 10_000)))
      await lookOnce(look, ended.signal)
    },
    deliver: async () => {
      let attempts = 0
      for (let runs = await deliveries.deliverDue(ended.signal); runs.length > 0; runs = await deliveries.deliverDue(ended.signal)) {
        attempts += runs.length
        await Promise.all(runs)
      }
      return attempts
    },
    rule: (name, { query: text, ...spec }) => declare('AlertRule', name, { severity: 'page', condition: { metric: { query: text ?? name, above: 10 } }, ...spec }) as unknown as Promise<AlertRule>,
    channel: async (name, spec) => void (await declare('NotificationChannel', name, spec)),
    alerts: async () => (await resources.listAll<Alert>(tester, 'Alert')).toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1)),
    log: ({ metadata }) => readNotifications(database, { alert: metadata.uid }),
    events: async (kind = 'Alert') => (await events.list(['blue'], { kind })).map(({ reason }) => reason).toSorted(),
  }
}

export const secondMs = 1000
export const minuteMs = 60_000
