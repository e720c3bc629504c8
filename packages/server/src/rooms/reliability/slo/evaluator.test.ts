/** Objectives as resources: proposals, statuses that are written once, what is told once, parts of one that is made of others. */
import type { SloSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { testKernel, tester, type TestKernel } from '../../../../test/kernel.ts'
import { createEventRecorder } from '../../../kernel/audit/events.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { createLog } from '../../../kernel/log.ts'
import { Mirror } from '../../../kernel/resources/mirror.ts'
import { kinds as catalogKinds } from '../../catalog/index.ts'
import { kinds as releaseKinds } from '../../release/index.ts'
import { trafficMinutes } from '../../telemetry/traffic/minutes.ts'
import { draftOnce, draftsFor } from './drafts.ts'
import type { Slo } from './evaluate.ts'
import { evaluateOnce, type EvaluatorDeps } from './evaluator.ts'
import { slo as sloKind } from './kinds.ts'
import type { Query } from './ports.ts'

const log = createLog('silent', 'test')
const minuteMs = 60_000

interface World extends TestKernel {
  deps: EvaluatorDeps
  /** Evaluates once the mirror knows of this resource. */
  look: (known?: { metadata: { resourceVersion: string } }) => Promise<void>
  declare: (name: string, spec: SloSpec) => Promise<Slo>
  read: (name: string) => Promise<Slo>
  count: (minutesAgo: number, good: number, bad: number) => Promise<void>
  events: () => Promise<string[]>
}

async function world(query?: Query): Promise<World> {
  const kernel = await testKernel([...catalogKinds, ...releaseKinds, sloKind])
  const { database, resources } = kernel
  const ended = new AbortController()
  const slos = new Mirror<Slo>(resources, 'Slo', log)
  await slos.start(ended.signal)
  const recorder = createEventRecorder(database)
  const deps: EvaluatorDeps = { database, resources, slos, signals: { minutes: trafficMinutes(database), takenAt: () => new Date(0) }, query, events: recorder, clock: systemClock, log }
  const read = (name: string): Promise<Slo> => resources.mustGet<Slo>(tester, { kind: 'Slo', namespace: 'blue', name })
  return {
    ...kernel,
    deps,
    look: async (known) => {
      if (known) await slos.reached(known.metadata.resourceVersion, 10_000)
      await evaluateOnce(deps)
    },
    declare: (name, spec) => resources.create<Slo>(tester, 'Slo', 'blue', { metadata: { name }, spec }),
    read,
    count: async (minutesAgo, good, bad) => {
      const at = new Date(Math.floor(Date.now() / minuteMs - minutesAgo) * minuteMs)
      await database.query(
        `insert into traffic (at, team, app, environment, release, interval_ms, statuses, router_errors, durations, duration_ms, bytes_in, bytes_out)
         values ($1, 'blue', 'shop', 'production', 3, 5000, array[0, $2::bigint, 0, 0, $3::bigint], 0, array_fill(0::bigint, array[14]), 0, 0, 0)
         on conflict (team, app, environment, at, release) do update set statuses = excluded.statuses`,
        [at, good, bad],
      )
      await database.query(
        `with batch as (insert into counters (name, value) values ('traffic batch', 1) on conflict (name) do update set value = counters.value + 1 returning value)
         insert into traffic_minutes select $1, value from batch on conflict (minute) do update set batch = excluded.batch`,
        [at.getTime() / minuteMs],
      )
    },
    events: async () => (await recorder.list(['blue'], { kind: 'Slo' })).map(({ reason, count }) => `${reason} ${count}`).toSorted(),
  }
}

const golden: SloSpec = { app: 'shop', indicator: { golden: 'requests' }, objective: 0.9 }

test('a status is written when there is something to tell, and each thing is told once', async () => {
  const { look, declare, read, count, events } = await world()
  await count(1, 80, 20)
  await look(await declare('shop', golden))
  const burned = await read('shop')
  expect(burned.status).toMatchObject({ state: 'Exhausted', sli: 0.8, budget: { total: 10, used: 20, remaining: -1 }, burn: { '5m': 2, '3d': 2 }, alerts: [{ alert: 'page' }, { alert: 'ticket' }], reasons: [expect.stringContaining('200 % of the budget went in 1 minute')] })
  expect(await events()).toEqual(['BudgetBurns 1', 'BudgetExhausted 1', 'BudgetRunsLow 1'])
  await look(burned)
  expect((await read('shop')).metadata.resourceVersion).toBe(burned.metadata.resourceVersion)
  await count(0, 900, 0)
  await look(burned)
  const well = await read('shop')
  expect(well.status).toMatchObject({ state: 'Healthy', budget: { remaining: 0.8 } })
  expect(well.status!.alerts).toBeUndefined()
  await look(well)
  expect(await events()).toEqual(['BudgetBurns 1', 'BudgetBurnsEnded 1', 'BudgetExhausted 1', 'BudgetRestored 1', 'BudgetRunsLow 1', 'BudgetRunsLowEnded 1'])
})

test('one that is made of others weighs them, and says what is wrong with its parts', async () => {
  const { look, declare, read, count } = await world()
  await count(1, 80, 20)
  await declare('shop', golden)
  await declare('all', { composite: [{ slo: 'shop', weight: 3 }], objective: 0.9 })
  await look(await declare('lost', { composite: [{ slo: 'shop' }, { slo: 'gone' }], objective: 0.9 }))
  expect((await read('all')).status).toMatchObject({ state: 'Exhausted', sli: 0.8, budget: { unit: 'share', remaining: -1 } })
  expect((await read('lost')).status).toMatchObject({ state: 'NoData', message: 'There is no objective gone in this team.' })
})

test('what needs PromQL says so where nobody answers it, and is asked minute by minute where somebody does', async () => {
  const without = await world()
  const jobs: SloSpec = { indicator: { ratio: { bad: 'bad', total: 'all' } }, objective: 0.9 }
  await without.look(await without.declare('jobs', jobs))
  expect((await without.read('jobs')).status).toMatchObject({ state: 'NoData', message: 'Its indicator is PromQL, and this installation answers no queries.' })

  const asked: string[] = []
  const given = await world(async (team, text, at) => {
    asked.push(`${team} ${text} ${at.getTime() % minuteMs}`)
    if (text === 'broken') throw new Error('no such function')
    return [{ labels: {}, value: text === 'bad' ? 2 : 10 }]
  })
  let now = Date.now()
  given.deps.clock = { now: () => new Date(now) }
  await given.declare('wrong', { ...jobs, indicator: { ratio: { bad: 'broken', total: 'all' } } })
  await given.look(await given.declare('jobs', jobs))
  now += 3 * minuteMs
  await given.look()
  expect((await given.read('jobs')).status).toMatchObject({ sli: 0.8, budget: { used: expect.any(Number) } })
  expect((await given.read('wrong')).status).toMatchObject({ state: 'NoData', message: 'Its query failed: no such function' })
  expect(new Set(asked)).toEqual(new Set(['blue bad 0', 'blue all 0', 'blue broken 0']))
})

test('apps with traffic in production get proposals once; a person decides what becomes of them', async () => {
  const { deps, resources, read, count, declare } = await world()
  await resources.create(tester, 'Environment', 'blue', { metadata: { name: 'production' }, spec: { tier: 'production' } })
  const app = await resources.create<Slo>(tester, 'App', 'blue', { metadata: { name: 'shop', labels: { 'pavior.dev/tier': '1' } }, spec: {} })
  await draftOnce(deps)
  expect(await resources.listAll(tester, 'Slo')).toEqual([])
  await count(1, 10, 0)
  const own = await declare('shop-answers', golden)
  await deps.slos.reached(own.metadata.resourceVersion, 10_000)
  await draftOnce(deps)
  expect((await resources.listAll<Slo>(tester, 'Slo')).map(({ metadata }) => metadata.name).toSorted()).toEqual(['shop-answers', 'shop-latency'])
  expect(await read('shop-latency')).toMatchObject({ metadata: { ownerReferences: [{ kind: 'App', uid: app.metadata.uid }] }, spec: { draft: true, objective: 0.99, indicator: { golden: 'latency', thresholdMs: 500 } } })
  await resources.delete(tester, { kind: 'Slo', namespace: 'blue', name: 'shop-latency' })
  await draftOnce(deps)
  expect((await resources.listAll<Slo>(tester, 'Slo')).map(({ metadata }) => metadata.name)).toEqual(['shop-answers'])
})

test('what is proposed goes by tier, and bears its environment in its name where that is not production', () => {
  expect(draftsFor('shop', 'production', '1').map(({ name, spec }) => [name, spec.objective])).toEqual([['shop-availability', 0.999], ['shop-latency', 0.99]])
  expect(draftsFor('shop', 'live', undefined).map(({ name, spec }) => [name, spec.objective])).toEqual([['shop-live-availability', 0.995], ['shop-live-latency', 0.99]])
})
