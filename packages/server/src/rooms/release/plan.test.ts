/** The rollout against a small world: whatever happens when, it ends, never takes away what serves, and ends clean. */
import type { ErrorObject, ResolvedStrategy, TaskStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sample } from './judge.ts'
import { finalPhases, type Action, type Backends, type Observed, type Phase, type SetView, type Trial } from './observed.ts'
import { nextSteps, planRollout } from './plan.ts'
import { resolveStrategy } from './strategy.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const problem: ErrorObject = { code: 'PORT_NOT_BOUND', message: 'It did not listen.', fix: 'Listen.' }

interface SetState {
  name: string
  ready: boolean
  failed: boolean
  deleting: boolean
  replicas: number
}

/** What a rollout acts on, as small as it can be and still go wrong in every way. */
interface World {
  phase: Phase
  own: Map<string, SetState>
  others: Map<string, SetState>
  /** Name of the set that routes name, and the one that the router serves. */
  written: Backends | undefined
  served: Backends | undefined
  trial: Trial | undefined
  problem: ErrorObject | undefined
  canary: Sample
  perSecond: number
  stale: boolean
  paused: boolean
  promoted: boolean
  resumedStep: number
  task: 'none' | 'running' | 'ok' | 'failed'
  /** How often the release process was started. */
  taskStarts: number
  canceled: boolean
  appGone: boolean
  newer: boolean
  olderActive: boolean
  releaseGone: boolean
  nowMs: number
  phases: Phase[]
}

interface Shape {
  web: boolean
  worker: boolean
  releaseProcess: boolean
  earlier: boolean
  strategy: ResolvedStrategy
}

const webReplicas = 4
const noRequests: Sample = { requests: 0, errors: 0, p95Ms: null, p99Ms: null }
const rolling = resolveStrategy({}, { tier: 'staging' })
const canary = resolveStrategy({}, { tier: 'production' })
const strategies = [rolling, canary, resolveStrategy({ strategy: 'bluegreen' }), resolveStrategy({ rollout: { steps: [{ weight: 10, pause: true }], watchSeconds: 0 } })]

const webSet = 'shop-2-web'
const oldSet = 'shop-1-web'

function newWorld({ earlier }: Shape): World {
  const others = new Map(earlier ? [[oldSet, { name: oldSet, ready: true, failed: false, deleting: false, replicas: webReplicas }]] : [])
  const routes = earlier ? leadingTo(oldSet) : undefined
  return { phase: 'Pending', own: new Map(), others, written: routes, served: routes, trial: undefined, problem: undefined, canary: noRequests, perSecond: 0, stale: false, paused: false, promoted: false, resumedStep: -1, task: 'none', taskStarts: 0, canceled: false, appGone: false, newer: false, olderActive: false, releaseGone: false, nowMs: start, phases: ['Pending'] }
}

function leadingTo(set: string): Backends {
  return [{ instanceSet: set, weight: 100 }]
}

function view({ name, ready, failed, deleting, replicas }: SetState): SetView {
  return {
    metadata: { name, uid: name, generation: 1, ...(deleting ? { deletionTimestamp: 'now' } : {}) } as SetView['metadata'],
    spec: { replicas } as SetView['spec'],
    status: { observedGeneration: 1, ready: ready ? replicas : 0, ...(failed ? { problem } : {}) },
  }
}

function taskStatus(task: World['task']): 'wanted' | TaskStatus {
  if (task === 'none') return 'wanted'
  const common = { id: 'release', startedAt: '' }
  return task === 'running' ? { ...common, state: 'running' } : { ...common, state: 'exited', exit: { code: task === 'ok' ? 0 : 1, at: '' } }
}

function observe(world: World, shape: Shape): Observed {
  const web = shape.web ? webSet : undefined
  return {
    phase: world.phase,
    name: 'shop-2',
    app: 'shop',
    release: 2,
    canceled: world.canceled,
    appGone: world.appGone,
    releaseGone: world.releaseGone,
    newer: world.newer ? 'shop-3' : undefined,
    olderActive: world.olderActive ? 'shop-1' : undefined,
    releaseTask: shape.releaseProcess ? taskStatus(world.phase === 'Releasing' ? world.task : 'none') : undefined,
    wanted: [...(shape.web ? [webSet] : []), ...(shape.worker ? ['shop-2-worker'] : [])],
    own: [...world.own.values()].map(view),
    others: [...world.others.values()].map(view),
    webSet: web,
    webReplicas,
    stableSet: shape.earlier && world.others.get(oldSet)?.deleting === false ? oldSet : undefined,
    stableReady: shape.earlier && world.others.get(oldSet)?.ready === true,
    backends: world.written,
    testersTo: undefined,
    routed: world.written === world.served,
    strategy: shape.strategy,
    gates: [], notes: [],
    waitingFor: [],
    refusal: undefined,
    trial: world.trial,
    readings: world.stale ? undefined : { canary: world.canary, stable: noRequests, perSecond: world.perSecond },
    paused: world.paused,
    frozen: undefined,
    resumedStep: world.resumedStep,
    promoted: world.promoted,
    problem: world.problem,
    startedAt: world.phase === 'Pending' ? undefined : new Date(start).toISOString(),
    timeoutMs: 600_000,
    serving: shape.earlier ? 1 : undefined,
  }
}

/** Carries one action out, as the reconciler does: each may be done twice. */
function apply(world: World, action: Action, { web, strategy }: Shape): void {
  if (action.type === 'startReleaseTask' && world.task === 'none') {
    world.task = 'running'
    world.taskStarts++
  }
  if (action.type === 'cancelReleaseTask' && world.task === 'running') world.task = 'failed'
  if (action.type === 'createSets') for (const name of action.names) if (!world.own.has(name)) world.own.set(name, { name, ready: false, failed: false, deleting: false, replicas: world.phase === 'Starting' && strategy.type === 'canary' && world.others.size > 0 ? 1 : webReplicas })
  if (action.type === 'deleteSets') {
    for (const name of action.names) {
      // A release without a web process takes the traffic away on purpose, and so does the end of the app.
      if (web && !world.appGone) expect(world.served?.some(({ instanceSet }) => instanceSet === name) ?? false, 'what the router serves is never deleted').toBe(false)
      const set = world.own.get(name) ?? world.others.get(name)
      if (set) set.deleting = true
    }
  }
  if (action.type === 'scaleSet') {
    const set = world.own.get(action.name)!
    if (set.replicas !== action.replicas) Object.assign(set, { replicas: action.replicas, ready: false })
  }
  if (action.type === 'writeRoutes') {
    expect(action.backends.reduce((sum, { weight }) => sum + weight, 0), 'weights are percents').toBe(100)
    for (const { instanceSet } of action.backends) expect((world.own.get(instanceSet) ?? world.others.get(instanceSet))?.ready, 'routes lead to ready instances').toBe(true)
    if (JSON.stringify(world.written) !== JSON.stringify(action.backends)) world.written = action.backends
  }
  if (action.type === 'probe') world.trial = { ...world.trial!, synthetic: { requests: action.requests, errors: 0, p95Ms: 1, p99Ms: 1 } }
  if (action.type === 'note' && action.trial) world.trial = action.trial
  if (action.type === 'phase' && world.phase !== action.phase) {
    world.phase = action.phase
    world.trial = action.trial ?? world.trial
    world.problem = action.problem ?? world.problem
    world.phases.push(action.phase)
  }
}

/** Something that happens in the world between two looks at it. */
type Happening = 'ready' | 'fails' | 'served' | 'task ok' | 'task fails' | 'cancel' | 'newer' | 'app gone' | 'release gone' | 'older ends' | 'late' | 'gone' | 'time passes' | 'errors' | 'traffic' | 'paused' | 'promoted' | 'resumed' | 'stale' | 'fresh'
const happenings: Happening[] = ['ready', 'fails', 'served', 'task ok', 'task fails', 'cancel', 'newer', 'app gone', 'release gone', 'older ends', 'late', 'gone', 'time passes', 'errors', 'traffic', 'paused', 'promoted', 'resumed', 'stale', 'fresh']

function happen(world: World, what: Happening): void {
  const sets = [...world.own.values()].filter(({ deleting }) => !deleting)
  if (what === 'ready') for (const set of sets) set.ready = true
  if (what === 'fails' && sets[0] && !sets[0].ready) sets[0].failed = true
  // Routers serve what is written, and nothing of an app that is gone.
  if (what === 'served') world.served = world.written
  if (what === 'task ok' && world.task === 'running') world.task = 'ok'
  if (what === 'task fails' && world.task === 'running') world.task = 'failed'
  if (what === 'cancel') world.canceled = true
  if (what === 'newer') world.newer = true
  if (what === 'app gone') world.appGone = true
  if (what === 'release gone') world.releaseGone = true
  if (what === 'older ends') world.olderActive = false
  if (what === 'late') world.nowMs += 700_000
  if (what === 'time passes') world.nowMs += 70_000
  if (what === 'traffic') Object.assign(world, { perSecond: 100, canary: { requests: 1000, errors: 1, p95Ms: 5, p99Ms: 9 } })
  if (what === 'errors') Object.assign(world, { perSecond: 100, canary: { requests: 40, errors: 20, p95Ms: 5, p99Ms: 9 } })
  if (what === 'stale') world.stale = true
  if (what === 'fresh') world.stale = false
  if (what === 'paused') world.paused = true
  if (what === 'promoted') world.promoted = true
  if (what === 'resumed') Object.assign(world, { paused: false, resumedStep: world.trial?.step ?? -1 })
  if (what === 'gone') for (const sets of [world.own, world.others]) for (const [name, { deleting }] of sets) if (deleting) sets.delete(name)
}

/** Looks and acts until there is only waiting; `crashAfter` actions of a look are carried out, then it looks again. */
function reconcile(world: World, shape: Shape, crashAfter: () => number, twice: boolean): void {
  for (let look = 0; look < 50; look++) {
    const actions = planRollout(observe(world, shape), new Date(world.nowMs))
    if (actions.length === 0) return
    const kept = actions.slice(0, crashAfter())
    for (const action of kept) {
      apply(world, action, shape)
      if (twice) apply(world, action, shape)
    }
    if (kept.some(({ type }) => type === 'wait')) return
  }
  throw new Error(`it goes round in circles in phase ${world.phase}`)
}

/** With nothing but good happenings left, everything must come to its end. */
function settle(world: World, shape: Shape): void {
  for (let round = 0; round < 40; round++) {
    reconcile(world, shape, () => Infinity, false)
    for (const good of ['older ends', 'task ok', 'ready', 'served', 'gone', 'resumed', 'late', 'fresh'] as const) happen(world, good)
    // Enough requests for a verdict, whichever it is.
    if (world.perSecond > 0) world.canary = { ...world.canary, requests: 1000 }
  }
  reconcile(world, shape, () => Infinity, false)
}

const shapes = fc.record({ web: fc.boolean(), worker: fc.boolean(), releaseProcess: fc.boolean(), earlier: fc.boolean(), strategy: fc.constantFrom(...strategies) })
const stories = fc.array(fc.record({ what: fc.constantFrom(...happenings), crashAfter: fc.constantFrom(0, 1, 2, 99) }), { maxLength: 14 })
const order: Phase[] = ['Pending', 'Releasing', 'Starting', 'Shifting', 'Completing', 'Switching', 'Watching', 'Restoring', 'Draining', 'Succeeded']

function play(shape: Shape, story: { what: Happening; crashAfter: number }[], olderActive: boolean, twice = false): World {
  const world = newWorld(shape)
  world.olderActive = olderActive
  for (const { what, crashAfter } of story) {
    happen(world, what)
    let crashes = 0
    // A process that crashes is started again, and then gets further.
    reconcile(world, shape, () => (crashes++ === 0 ? crashAfter : Infinity), twice)
  }
  settle(world, shape)
  return world
}

describe('whatever happens', () => {
  test('the rollout ends, and what serves is never deleted before something else serves', () => {
    fc.assert(
      fc.property(shapes, stories, fc.boolean(), (shape, story, olderActive) => {
        expect(finalPhases.has(play(shape, story, olderActive).phase)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('it ends clean: either all of the new and nothing else, or nothing of the new', () => {
    fc.assert(
      fc.property(shapes, stories, fc.boolean(), (shape, story, olderActive) => {
        const world = play(shape, story, olderActive)
        if (world.phase === 'Succeeded') {
          expect(world.others.size).toBe(0)
          expect([...world.own.keys()].toSorted()).toEqual(observe(world, shape).wanted.toSorted())
          if (shape.web) expect(world.served).toEqual(leadingTo(webSet))
        } else {
          expect(world.own.size).toBe(0)
          // The app's own end takes the rest with it.
          if (!world.appGone) expect([world.served, world.others.size]).toEqual(shape.earlier ? [leadingTo(oldSet), 1] : [undefined, 0])
          expect(world.task).not.toBe('running')
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('phases follow one another in order, and the release process is started once at most', () => {
    fc.assert(
      fc.property(shapes, stories, fc.boolean(), (shape, story, olderActive) => {
        const { phases, taskStarts } = play(shape, story, olderActive)
        const steps = phases.filter((phase) => order.includes(phase)).map((phase) => order.indexOf(phase))
        expect(steps).toEqual(steps.toSorted((one, other) => one - other))
        expect(phases.slice(0, -1).filter((phase) => finalPhases.has(phase))).toEqual([])
        expect(taskStarts).toBeLessThanOrEqual(shape.releaseProcess ? 1 : 0)
      }),
      { numRuns: 1000 },
    )
  })

  test('every action may be carried out twice', () => {
    fc.assert(
      fc.property(shapes, stories, fc.boolean(), (shape, story, olderActive) => {
        expect(play(shape, story, olderActive, true)).toEqual(play(shape, story, olderActive, false))
      }),
      { numRuns: 500 },
    )
  })
})

describe('why it ends', () => {
  const shape = { web: true, worker: false, releaseProcess: true, earlier: true, strategy: rolling }
  const ended = (story: Happening[], shape: Shape): { phase: Phase; code: string | undefined; state: string | undefined; phases: Phase[] } => {
    const world = newWorld(shape)
    let last: ErrorObject | undefined
    for (const what of [undefined, ...story]) {
      if (what) happen(world, what)
      for (let look = 0; look < 10; look++) {
        const actions = planRollout(observe(world, shape), new Date(world.nowMs))
        for (const action of actions) {
          if (action.type === 'phase') last = action.problem ?? last
          apply(world, action, shape)
        }
        if (actions.length === 0 || actions.some(({ type }) => type === 'wait')) break
      }
    }
    return { phase: world.phase, code: last?.code, state: last?.state, phases: world.phases }
  }
  const kept = 'v1 keeps serving; nothing was changed for your users.'

  test.each<[string, Happening[], Phase, string | undefined]>([
    ['a release process that fails', ['task fails'], 'Failed', 'RELEASE_PHASE_FAILED'],
    ['a cancel while the release process runs', ['cancel'], 'Canceled', 'CANCELED'],
    ['a newer one, once the release process has ended', ['newer', 'task ok'], 'Superseded', 'SUPERSEDED'],
    ['a newer one does not break the release process off', ['newer'], 'Releasing', undefined],
    ['an instance that does not listen', ['task ok', 'fails'], 'Failed', 'PORT_NOT_BOUND'],
    ['a cancel while instances start', ['task ok', 'cancel'], 'Canceled', 'CANCELED'],
    ['too late', ['task ok', 'late'], 'Failed', 'DEPLOYMENT_TIMEOUT'],
    ['no app any more', ['task ok', 'app gone'], 'Canceled', 'APP_DELETED'],
    ['no release any more', ['task ok', 'release gone'], 'Failed', 'NO_SUCH_RELEASE'],
    ['a cancel after traffic moved comes too late', ['task ok', 'ready', 'cancel', 'served'], 'Succeeded', undefined],
    ['nothing in the way', ['task ok', 'ready', 'served'], 'Succeeded', undefined],
  ])('%s', (_title, story, phase, code) => {
    expect(ended(story, shape)).toMatchObject({ phase, code, state: code === undefined ? undefined : kept })
  })

  const onTrial = { web: true, worker: true, releaseProcess: false, earlier: true, strategy: canary }
  const back = 'v1 has all traffic again.'
  test.each<[string, Happening[], Phase, string | undefined, Phase[]]>([
    ['without traffic the platform asks itself, and no time is lost', ['ready', 'served', 'ready', 'served', 'ready', 'served', 'ready', 'served'], 'Succeeded', undefined, ['Shifting', 'Completing', 'Switching', 'Draining']],
    ['errors of the release on trial', ['ready', 'served', 'errors'], 'Restoring', 'CANARY_FAILED', ['Shifting']],
    ['errors, once traffic is back', ['ready', 'served', 'errors', 'served', 'gone'], 'RolledBack', 'CANARY_FAILED', ['Shifting', 'Restoring']],
    ['traffic that is served well, but not for long enough', ['traffic', 'ready', 'served'], 'Shifting', undefined, []],
    ['an abort on trial', ['traffic', 'ready', 'served', 'cancel', 'served'], 'Canceled', 'CANCELED', ['Shifting', 'Restoring']],
    ['a newer one on trial', ['traffic', 'ready', 'served', 'newer', 'served'], 'Superseded', 'SUPERSEDED', ['Shifting', 'Restoring']],
    ['counts that are not taken any more are no verdict', ['ready', 'stale', 'served', 'late'], 'Shifting', undefined, []],
    ['a pause', ['ready', 'paused', 'served', 'late'], 'Shifting', undefined, []],
    ['errors while it is watched', ['traffic', 'ready', 'served', 'promoted', 'ready', 'served', 'errors', 'served'], 'RolledBack', 'WATCH_FAILED', ['Shifting', 'Completing', 'Switching', 'Watching', 'Restoring']],
    ['a watch that ends well', ['traffic', 'ready', 'served', 'promoted', 'ready', 'served', 'late'], 'Succeeded', undefined, ['Shifting', 'Completing', 'Switching', 'Watching', 'Draining']],
  ])('on trial: %s', (_title, story, phase, code, through) => {
    const end = ended(story, onTrial)
    expect(end).toMatchObject({ phase, code })
    if (code !== undefined) expect(end.state).toBe(back)
    expect(end.phases.slice(0, -1)).toEqual(['Pending', 'Starting', ...through])
  })
})

test('steps are opened and closed with their phases', () => {
  const first = nextSteps([], 'Pending', 'Starting', 'New instances start.', 't1')
  expect(first).toEqual([{ name: 'start', state: 'running', message: 'New instances start.', startedAt: 't1' }])
  expect(nextSteps(first, 'Starting', 'Failed', 'x', 't2')).toEqual([{ ...first[0], state: 'failed', finishedAt: 't2' }])
  const switched = nextSteps(first, 'Starting', 'Switching', 'Traffic moves.', 't2')
  expect(switched.map(({ name, state }) => [name, state])).toEqual([['start', 'done'], ['switch', 'running']])
})
