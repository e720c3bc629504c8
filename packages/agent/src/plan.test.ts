import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plan, restartDelayMs, type PlannedInstance, type WantedSet } from './plan.ts'

const surge = 1
const now = 1_000_000

function instance(over: Partial<PlannedInstance>): PlannedInstance {
  return { id: `i${Math.random()}`, set: 's', revision: 'r1', phase: 'up', order: 0, ...over }
}

describe('plan', () => {
  test('creates what is missing', () => {
    expect(plan([{ id: 's', replicas: 2, revision: 'r1' }], [], now, surge).actions).toEqual([
      { do: 'create', set: 's' },
      { do: 'create', set: 's' },
    ])
  })

  test('retires what does not serve before what does, the youngest first', () => {
    const instances = [instance({ id: 'a', order: 1 }), instance({ id: 'b', order: 2 }), instance({ id: 'c', order: 3, phase: 'coming' })]
    expect(plan([{ id: 's', replicas: 1, revision: 'r1' }], instances, now, surge).actions).toEqual([
      { do: 'retire', instance: 'c' },
      { do: 'retire', instance: 'b' },
    ])
  })

  test('retires instances of sets that are not wanted, once', () => {
    const instances = [instance({ id: 'a' }), instance({ id: 'b', phase: 'leaving' })]
    expect(plan([], instances, now, surge).actions).toEqual([{ do: 'retire', instance: 'a' }])
  })

  test('replaces old instances one by one, the new one first', () => {
    const old = [instance({ id: 'a', order: 1 }), instance({ id: 'b', order: 2 })]
    const wanted = [{ id: 's', replicas: 2, revision: 'r2' }]
    expect(plan(wanted, old, now, surge).actions).toEqual([{ do: 'create', set: 's' }])
    const coming = instance({ id: 'c', order: 3, revision: 'r2', phase: 'coming' })
    expect(plan(wanted, [...old, coming], now, surge).actions).toEqual([])
    const up = { ...coming, phase: 'up' as const }
    expect(plan(wanted, [...old, up], now, surge).actions).toEqual([{ do: 'retire', instance: 'b' }])
    // What is leaving still uses the machine, so the next one waits for it.
    expect(plan(wanted, [old[0]!, { ...old[1]!, phase: 'leaving' }, up], now, surge).actions).toEqual([])
    expect(plan(wanted, [old[0]!, up], now, surge).actions).toEqual([{ do: 'create', set: 's' }])
  })

  test('keeps old instances while the new one crashes', () => {
    const instances = [instance({ id: 'a' }), instance({ id: 'n', revision: 'r2', phase: 'waiting', dueMs: now + 5000, order: 2 })]
    const { actions, wakeAtMs } = plan([{ id: 's', replicas: 1, revision: 'r2' }], instances, now, surge)
    expect(actions).toEqual([])
    expect(wakeAtMs).toBe(now + 5000)
  })

  test('starts again when the wait is over, and restarts what fails or comes too late', () => {
    const instances = [
      instance({ id: 'a', phase: 'waiting', dueMs: now }),
      instance({ id: 'b', phase: 'failing' }),
      instance({ id: 'c', phase: 'coming', giveUpMs: now - 1 }),
    ]
    expect(plan([{ id: 's', replicas: 3, revision: 'r1' }], instances, now, surge).actions).toEqual([
      { do: 'start', instance: 'a' },
      { do: 'restart', instance: 'b' },
      { do: 'restart', instance: 'c' },
    ])
  })
})

/** A machine that does what the plan says, and moves on by itself in the order that the choices give. */
class Machine {
  instances: PlannedInstance[] = []
  #next = 0

  apply(wanted: WantedSet[], nowMs: number): number {
    const { actions } = plan(wanted, this.instances, nowMs, surge)
    for (const action of actions) {
      if (action.do === 'create') {
        const set = wanted.find((each) => each.id === action.set)!
        this.instances.push({ id: `n${this.#next}`, set: set.id, revision: set.revision, phase: 'coming', order: this.#next++ })
      } else {
        const found = this.instances.find((each) => each.id === action.instance)!
        if (action.do === 'retire') found.phase = 'leaving'
        else found.phase = 'coming'
      }
    }
    return actions.length
  }

  /** One thing happens: a start succeeds, an end is reached, something crashes or fails. */
  happen(choice: number, nowMs: number, mayCrash: boolean): void {
    const movable = this.instances.filter((each) => each.phase !== 'up' || mayCrash)
    const one = movable[choice % Math.max(1, movable.length)]
    if (!one) return
    if (one.phase === 'leaving') this.instances = this.instances.filter((each) => each !== one)
    else if (one.phase === 'coming') one.phase = mayCrash && choice % 3 === 0 ? 'waiting' : 'up'
    else if (one.phase === 'up') one.phase = choice % 2 === 0 ? 'failing' : 'waiting'
    else one.phase = 'waiting'
    if (one.phase === 'waiting') one.dueMs = nowMs
  }
}

const someSets = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      replicas: fc.integer({ min: 0, max: 5 }),
      revision: fc.constantFrom('r1', 'r2', 'r3'),
    }),
    { maxLength: 3 },
  )
  .map((sets) => [...new Map(sets.map((set) => [set.id, set])).values()])
const history = fc.array(fc.record({ wanted: someSets, choices: fc.array(fc.nat(1000), { maxLength: 12 }) }), {
  minLength: 1,
  maxLength: 6,
})

describe('any history', () => {
  test('converges to exactly what is wanted, all of it serving', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), (steps, later) => {
        const machine = new Machine()
        for (const step of steps) {
          machine.apply(step.wanted, now)
          for (const choice of step.choices) {
            machine.happen(choice, now, true)
            machine.apply(step.wanted, now)
          }
        }
        const { wanted } = steps.at(-1)!
        for (let round = 0; round < 300; round++) {
          machine.apply(wanted, now)
          machine.happen(later[round % later.length]! + round, now, false)
        }
        expect(machine.apply(wanted, now)).toBe(0)
        for (const set of wanted) {
          const own = machine.instances.filter((each) => each.set === set.id)
          expect(own.map((each) => [each.phase, each.revision])).toEqual(Array.from({ length: set.replicas }, () => ['up', set.revision]))
        }
        expect(machine.instances.length).toBe(wanted.reduce((sum, set) => sum + set.replicas, 0))
      }),
    )
  })

  test('never creates above replicas and surge, never retires a serving instance without need, and is idempotent', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const machine = new Machine()
        for (const { wanted, choices } of steps) {
          for (const choice of [0, ...choices]) {
            const before = machine.instances.map((each) => ({ ...each }))
            machine.apply(wanted, now)
            for (const set of wanted)
              checkSet(
                set,
                before.filter((each) => each.set === set.id),
                machine.instances.filter((each) => each.set === set.id),
              )
            expect(
              plan(wanted, machine.instances, now, surge).actions.filter((action) => action.do === 'create' || action.do === 'start'),
            ).toEqual([])
            machine.happen(choice, now, true)
          }
        }
      }),
    )
  })
})

function checkSet(set: WantedSet, before: PlannedInstance[], after: PlannedInstance[]): void {
  expect(after.length).toBeLessThanOrEqual(Math.max(before.length, set.replicas + surge))
  const serving = (list: PlannedInstance[]) => list.filter((each) => each.phase === 'up').length
  // An instance that serves is let go only when as many others as are wanted serve, or when there are simply too many.
  if (serving(after) < serving(before)) {
    const live = before.filter((each) => each.phase !== 'leaving').length
    expect(serving(after) >= set.replicas || live > set.replicas).toBe(true)
    expect(serving(after)).toBeGreaterThanOrEqual(Math.min(serving(before), set.replicas))
  }
}

describe('restartDelayMs', () => {
  const settings = { restartDelayMinMs: 100, restartDelayMaxMs: 60_000, restartDelayJitter: 0.2 }

  test('doubles up to its limit', () => {
    expect([1, 2, 3, 10, 11, 50].map((exits) => restartDelayMs(exits, settings, 0.5))).toEqual([100, 200, 400, 51_200, 60_000, 60_000])
  })

  test('stays within the jitter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (exits, random) => {
        const middle = restartDelayMs(exits, settings, 0.5)
        const delay = restartDelayMs(exits, settings, random)
        expect(delay).toBeGreaterThanOrEqual(Math.floor(middle * 0.8))
        expect(delay).toBeLessThanOrEqual(Math.ceil(middle * 1.2))
      }),
    )
  })
})
