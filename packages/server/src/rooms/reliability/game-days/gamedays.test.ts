/** Game days over a real database, with an app and an agent that the test plays. */
import type { AlertSpec, Fault, FaultReport, FaultTarget, GameDayFigures, GameDaySpec, WantedFaults } from '@pavior/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { testKernel, tester, type TestKernel } from '../../../../test/kernel.ts'
import { kinds as catalogKinds } from '../../catalog/index.ts'
import { kinds as releaseKinds } from '../../release/index.ts'
import type { Actor } from '../../../kernel/actor.ts'
import { createEventRecorder } from '../../../kernel/audit/events.ts'
import { createLog } from '../../../kernel/log.ts'
import { alert as alertKind } from '../alerts/kinds.ts'
import { incident as incidentKind } from '../incidents/kinds.ts'
import { slo as sloKind } from '../slo/kinds.ts'
import { again, judgeIt, start, stop, type CommandDeps } from './commands.ts'
import { gameDay as gameDayKind } from './kinds.ts'
import type { GameDay } from './plan.ts'
import { createFaultGiver, createGameDays } from './reconcile.ts'

const person = (name: string, role: 'developer' | 'viewer'): Actor => ({ name: `user:${name}`, kind: 'user', admin: false, roles: new Map([['blue', role]]) })
const [ana, view] = [person('ana', 'developer'), person('view', 'viewer')]
const admin: Actor = { name: 'user:root', kind: 'user', admin: true, roles: new Map() }

/** Like that of this machine: faults are whole, and forgotten when it is started again. */
class AgentDouble {
  generation = 0
  faults: Fault[] = []
  reports: FaultReport[] = []
  cgroup: 'v1' | 'none' = 'v1'
  given: string[][] = []

  inject = async ({ generation, faults }: WantedFaults): Promise<{ generation: number; faults: FaultReport[] }> => {
    expect(generation).toBeGreaterThan(this.generation)
    this.generation = generation
    this.faults = faults
    this.given.push(faults.map(({ id }) => id.split('/')[1]!))
    return this.injected()
  }

  injected = async (): Promise<{ generation: number; faults: FaultReport[] }> => ({
    generation: this.generation,
    faults: [...this.faults.map(({ id }): FaultReport => ({ id, active: true, seen: 10, delayed: 4, failed: 0, instances: [] })), ...this.reports],
  })

  current = async (): Promise<any> => ({ host: { cgroup: this.cgroup } })

  startAnew(): void {
    this.faults = []
  }
}

interface World {
  kernel: TestKernel
  deps: CommandDeps
  agent: AgentDouble
  serving: FaultTarget[]
  figures: GameDayFigures
  left: Date[]
  /** How fast time goes by. */
  speed: number
}

let world: World
beforeEach(async () => {
  const agent = new AgentDouble()
  const made: { deps?: CommandDeps } = {}
  const serving = [1, 2, 3, 4].map((number) => ({ instance: `shop-web-1-${number}`, startedAt: '2026-03-01T09:00:00.000Z' }))
  const origin = Date.now()
  const it = { agent, serving, figures: { requests: 100, errorPercent: 0, p95Ms: 5 }, left: [] as Date[], speed: 1 }
  const kernel = await testKernel([...catalogKinds, ...releaseKinds, sloKind, alertKind, incidentKind, gameDayKind], ({ database, resources }) => {
    const deps: CommandDeps = (made.deps = {
      database,
      resources,
      slos: { values: () => [].values() },
      tools: {
        injector: agent,
        figures: async () => it.figures,
        value: async () => undefined,
        check: async () => {},
        serving: async () => it.serving,
        leave: async (until) => void it.left.push(until),
      },
      events: createEventRecorder(database),
      deployment: () => releaseKinds.find(({ kind }) => kind === 'Deployment')!,
      random: () => 0.5,
      clock: { now: () => new Date(origin + (Date.now() - origin) * it.speed) },
      log: createLog('silent', 'test'),
    })
    return [createGameDays(deps), createFaultGiver(deps)]
  })
  world = Object.assign(it, { kernel, deps: made.deps! })
  await kernel.resources.create(tester, 'Environment', 'blue', { metadata: { name: 'staging' }, spec: { tier: 'staging', faults: true } })
  await kernel.resources.create(tester, 'Environment', 'blue', { metadata: { name: 'production' }, spec: { tier: 'production' } })
})

async function planned(over: Partial<GameDaySpec> = {}, name = 'day'): Promise<GameDay> {
  const spec = { hypothesis: 'It holds whatever comes.', app: 'shop', environment: 'staging', settleSeconds: 10, steps: [{ seconds: 600, latency: { ms: 100, percent: 20 } }], ...over }
  return world.kernel.resources.create<GameDay>(ana, 'GameDay', 'blue', { metadata: { name }, spec })
}

const read = (name = 'day'): Promise<GameDay> => world.kernel.resources.mustGet<GameDay>(tester, { kind: 'GameDay', namespace: 'blue', name })
const begin = (by = ana, name = 'day'): Promise<GameDay> => start(world.deps, by, 'blue', name)
const until = (holds: () => boolean | Promise<boolean>): Promise<void> => expect.poll(holds, { timeout: 25_000, interval: 20 }).toBe(true)
const injecting = (): Promise<void> => until(() => world.agent.faults.length === 1)
const code = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'done', (error: { code: string }) => error.code)

describe('what keeps it from beginning', () => {
  test('an environment that does not allow faults, somebody who may not deploy there, and the control plane of all', async () => {
    await planned({ environment: 'production' }, 'there')
    await planned({}, 'day')
    await planned({ steps: [{ seconds: 10, server: {} }] }, 'away')
    expect(await code(begin(ana, 'there'))).toBe('FAULTS_NOT_ALLOWED')
    expect(await code(begin(view))).toBe('FORBIDDEN')
    expect(await code(begin({ ...ana, app: 'another' }))).toBe('FORBIDDEN')
    expect(await code(begin(ana, 'away'))).toBe('FORBIDDEN')
    expect(world.agent.given).toEqual([])
  })

  test('a freeze, an incident, an alert that wakes somebody, no instance, and what would end it at once', async () => {
    const { resources } = world.kernel
    await planned({ abort: [{ errorPercent: 5 }] })
    const blocked = async (kind: string, spec: object, status?: object): Promise<string> => {
      const made = await resources.create<any>(tester, kind, 'blue', { metadata: { name: 'block' }, spec, ...(status ? { status } : {}) } as never)
      const found = await code(begin())
      await resources.delete(tester, { kind, namespace: 'blue', name: made.metadata.name })
      return found
    }
    expect(await blocked('Freeze', { reason: 'Holidays.', environments: ['staging'] })).toBe('GAME_DAY_UNSAFE')
    expect(await blocked('Incident', { title: 'It is slow.', severity: 'sev3', app: 'shop', environment: 'staging' }, { state: 'Investigating' })).toBe('GAME_DAY_UNSAFE')
    expect(await blocked('Alert', alertOf('page'), { state: 'Acknowledged' })).toBe('GAME_DAY_UNSAFE')
    world.figures = { requests: 100, errorPercent: 5.5, p95Ms: 5 }
    expect(await code(begin())).toBe('GAME_DAY_UNSAFE')
    world.figures = { requests: 100, errorPercent: 0, p95Ms: 5 }
    world.serving = []
    expect(await code(begin())).toBe('GAME_DAY_UNSAFE')
  })

  test('too few instances for its reach, and a machine that holds no burner back', async () => {
    await planned({ steps: [{ seconds: 10, kill: { instances: 2 } }] }, 'kill')
    await planned({ steps: [{ seconds: 10, cpu: { cores: 1 } }] }, 'cpu')
    expect(await code(begin(ana, 'kill'))).toBe('FAULT_IMPOSSIBLE')
    world.agent.cgroup = 'none'
    expect(await code(begin(ana, 'cpu'))).toBe('FAULT_IMPOSSIBLE')
  })

  test('another one in the environment: of two at once one begins', async () => {
    await planned({}, 'one')
    await planned({ app: 'blog' }, 'other')
    const outcomes = await Promise.all(['one', 'other'].map((name) => code(begin(ana, name))))
    expect(outcomes.toSorted()).toEqual(['GAME_DAY_RUNS', 'done'])
    expect((await Promise.all(['one', 'one', 'one'].map((name) => code(begin(ana, name))))).every((outcome) => outcome !== 'done')).toBe(true)
  })
})

const alertOf = (severity: 'page' | 'ticket'): AlertSpec => ({ severity, summary: 'Answers fail.', source: { kind: 'AlertRule', name: 'errors' }, app: 'shop', environment: 'staging' })

describe('while it runs', () => {
  test('the fault is given with its end, and given again to an agent that was started anew', async () => {
    await planned()
    await begin()
    await injecting()
    const [fault] = world.agent.faults
    expect(fault).toMatchObject({ gameDay: 'day', team: 'blue', app: 'shop', environment: 'staging', latency: { ms: 100, percent: 20 } })
    expect(fault!.until).toBe((await read()).status!.steps![0]!.until)
    world.agent.startAnew()
    await injecting()
    await until(async () => (await read()).status!.steps![0]!.reached?.delayed === 4)
  })

  test('kills are of a share of those that serve, chosen once', async () => {
    await planned({ steps: [{ seconds: 600, kill: { instances: 1 } }] })
    await begin()
    await injecting()
    const { targets } = world.agent.faults[0]!.kill!
    expect(targets).toHaveLength(1)
    expect((await read()).status!.steps![0]!.targets).toEqual(targets)
  })

  test('it ends at once when too many requests fail, and says why', async () => {
    await planned({ abort: [{ errorPercent: 5 }] })
    await begin()
    await injecting()
    world.figures = { requests: 200, errorPercent: 12.5, p95Ms: 5 }
    await until(() => world.agent.faults.length === 0)
    expect((await read()).status).toMatchObject({ state: 'Aborted', reason: 'Requests that fail: 12.5 %, and more than 5 % ends it.', steps: [{ state: 'Cut' }], limits: [{ text: 'Requests that fail', value: 12.5, limit: 5, unit: '%' }] })
    const { items } = { items: await world.deps.events.list(['blue'], { kind: 'GameDay' }) }
    expect(items.map(({ reason }) => reason).toSorted()).toEqual(['GameDayAborted', 'GameDayStarted'])
  })

  test('it ends when somebody is woken for the app, unless that is expected', async () => {
    await planned()
    await planned({ app: 'blog', pages: 'expected' }, 'expected')
    await begin()
    await injecting()
    await world.kernel.resources.create<any>(tester, 'Alert', 'blue', { metadata: { name: 'errors-1' }, spec: alertOf('page'), status: { state: 'Firing' } } as never)
    await until(async () => (await read()).status!.state === 'Aborted')
    expect((await read()).status!.reason).toBe('The alert errors-1 is open: Answers fail.')
    await begin(ana, 'expected').catch((error: Error) => expect.unreachable(error.message))
  })

  test('it ends when the environment does not allow faults any more', async () => {
    await planned()
    await begin()
    await injecting()
    await world.kernel.resources.mutate<any>(tester, { kind: 'Environment', namespace: 'blue', name: 'staging' }, (current) => ({ ...current!, spec: { tier: 'staging' } }))
    await until(() => world.agent.faults.length === 0)
    expect((await read()).status!.state).toBe('Aborted')
  })

  test('it ends when somebody stops it, and when it is deleted', async () => {
    await planned()
    await begin()
    await injecting()
    expect(await code(stop(world.deps, view, 'blue', 'day'))).toBe('FORBIDDEN')
    await stop(world.deps, ana, 'blue', 'day')
    await until(() => world.agent.faults.length === 0)
    expect((await stop(world.deps, ana, 'blue', 'day')).status).toMatchObject({ state: 'Stopped', stoppedBy: 'user:ana', reason: 'ana stopped it.' })
    await planned({}, 'gone')
    await begin(ana, 'gone')
    await injecting()
    await world.kernel.resources.delete(ana, { kind: 'GameDay', namespace: 'blue', name: 'gone' })
    await until(() => world.agent.faults.length === 0)
  })

  test('its plan stays what it was', async () => {
    await planned()
    await begin()
    const change = (spec: Partial<GameDaySpec>): Promise<unknown> => world.kernel.resources.mutate<GameDay>(ana, { kind: 'GameDay', namespace: 'blue', name: 'day' }, (current) => ({ ...current!, spec: { ...current!.spec, ...spec } }))
    expect(await code(change({ app: 'blog' }))).toBe('INVALID')
    expect(await code(change({ verdict: { result: 'held', text: 'It did.' } }))).toBe('INVALID')
  })
})

test('the control plane is taken away once, whoever looks', async () => {
  await planned({ steps: [{ seconds: 2, server: {} }] })
  await begin(admin)
  await until(async () => (await read()).status!.steps![0]!.state === 'Settling')
  expect(world.left.map((at) => at.toISOString())).toEqual([(await read()).status!.steps![0]!.until])
  expect(world.agent.given).toEqual([])
})

test('it is gone through, judged, and done again as a new one', async () => {
  world.speed = 10
  await planned({ steps: [{ seconds: 5, latency: { ms: 100, percent: 20 } }, { seconds: 5, errors: { status: 503, percent: 10 } }] })
  await begin()
  expect(await code(judgeIt(world.deps, ana, 'blue', 'day', { result: 'held', text: 'Too soon.' }))).toBe('INVALID')
  await until(async () => (await read()).status!.state === 'Finished')
  const { status } = await read()
  expect(status!.steps!.map(({ state }) => state)).toEqual(['Done', 'Done'])
  expect(status!.steps![0]).toMatchObject({ during: { requests: 100 }, outcome: expect.stringContaining('4 of 10 requests were held up.') })
  expect(world.agent.given).toEqual([['0'], [], ['1'], []])
  const judged = await judgeIt(world.deps, ana, 'blue', 'day', { result: 'refuted', text: 'Callers gave up.', actions: [{ title: 'Set a time limit', owner: 'ana' }] })
  expect(judged.spec.verdict).toMatchObject({ result: 'refuted', by: 'user:ana', actions: [{ title: 'Set a time limit' }] })
  expect(await code(begin())).toBe('GAME_DAY_OVER')
  const next = await again(world.deps, ana, 'blue', 'day')
  expect([next.metadata.name, next.spec.verdict, next.status]).toEqual(['day-2', undefined, undefined])
  expect((await again(world.deps, ana, 'blue', 'day')).metadata.name).toBe('day-3')
})
