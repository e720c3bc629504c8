import type { PaviorError, Resource } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NewResource } from '../resources/types.ts'
import { createFieldManager, type Write } from './apply.ts'
import { appKind, teamKind } from './testing/kinds.ts'

const apps = createFieldManager(appKind)
const teams = createFieldManager(teamKind)
const time = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`

const config = (spec: object, metadata: object = {}): NewResource => ({
  apiVersion: 'pavior.dev/v1',
  kind: 'App',
  metadata: { name: 'shop', ...metadata },
  spec,
})
const stored = (next: NewResource): Resource =>
  ({ ...next, metadata: { ...next.metadata, uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: time(0) } }) as Resource

function apply(
  live: Resource | undefined,
  manager: string,
  spec: object,
  more: Partial<Write & { force: boolean; metadata: object }> = {},
): Resource {
  const { metadata, ...write } = more
  return stored(apps.apply(live, config(spec, metadata), { manager, force: false, time: time(1), ...write }))
}

function update(live: Resource | undefined, manager: string, spec: object, more: Partial<Write> = {}): Resource {
  const next = config(spec)
  return stored({ ...next, metadata: { ...next.metadata, managedFields: apps.update(live, next, { manager, time: time(1), ...more }) } })
}

const owners = (resource: Resource): Record<string, unknown> =>
  Object.fromEntries(
    (resource.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
      `${manager}/${operation}${subresource ? `/${subresource}` : ''}`,
      fieldsV1,
    ]),
  )

function conflict(act: () => unknown): PaviorError {
  try {
    act()
  } catch (error) {
    return error as PaviorError
  }
  throw new Error('there was no conflict')
}

describe('apply', () => {
  test('the first one creates and owns what it names', () => {
    const created = apply(undefined, 'one', { description: 'a', env: { A: '1' } }, { metadata: { labels: { tier: 'web' } } })
    expect(created.spec).toEqual({ description: 'a', env: { A: '1' } })
    expect(created.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'pavior.dev/v1',
        time: time(1),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:tier': {} } },
          'f:spec': { 'f:description': {}, 'f:env': { '.': {}, 'f:A': {} } },
        },
      },
    ])
  })

  test('a field of another manager is a conflict, named as Kubernetes does', () => {
    const live = update(apply(undefined, 'one', { description: 'a' }), 'editor', { description: 'b', env: { A: '1' } })
    const single = conflict(() => apply(live, 'one', { description: 'c' }))
    expect(single.code).toBe('APPLY_CONFLICT')
    expect(single.message).toBe('Apply failed with 1 conflict: conflict with "editor" using pavior.dev/v1: .spec.description')
    expect(single.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "editor" using pavior.dev/v1', field: '.spec.description' },
    ])
    const several = conflict(() => apply(live, 'one', { description: 'c', env: { A: '2' } }))
    expect(several.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "editor" using pavior.dev/v1:\n- .spec.description\n- .spec.env.A',
    )
  })

  test('the same value is no conflict, and both own it', () => {
    const live = apply(apply(undefined, 'one', { description: 'a' }), 'two', { description: 'a' })
    expect(owners(live)).toEqual({ 'one/Apply': { 'f:spec': { 'f:description': {} } }, 'two/Apply': { 'f:spec': { 'f:description': {} } } })
    // Leaving it out gives up the ownership only.
    const left = apply(live, 'one', { env: { A: '1' } })
    expect(left.spec).toEqual({ description: 'a', env: { A: '1' } })
  })

  test('force takes over', () => {
    const live = apply(apply(undefined, 'one', { description: 'a', env: { A: '1' } }), 'two', { description: 'b' }, { force: true })
    expect(live.spec).toEqual({ description: 'b', env: { A: '1' } })
    expect(owners(live)).toEqual({
      'one/Apply': { 'f:spec': { 'f:env': { '.': {}, 'f:A': {} } } },
      'two/Apply': { 'f:spec': { 'f:description': {} } },
    })
  })

  test('what a manager no longer applies goes, with everything that becomes empty by that', () => {
    const live = apply(undefined, 'one', { description: 'a', env: { A: '1' }, build: { command: 'make' } })
    expect(apply(live, 'one', { description: 'a' }).spec).toEqual({ description: 'a' })
    expect(apply(live, 'one', {}).spec).toEqual({})
    expect(apply(live, 'one', {}).metadata.managedFields).toEqual([])
  })

  test('items of keyed lists have owners of their own', () => {
    const team = (manager: string, members: object[], live?: Resource): Resource =>
      stored(teams.apply(live, { ...config({ members }), kind: 'Team' }, { manager, force: false, time: time(1) }))
    const both = team('two', [{ user: 'bob', role: 'viewer' }], team('one', [{ user: 'ada', role: 'admin' }]))
    expect(both.spec.members).toEqual([
      { user: 'ada', role: 'admin' },
      { user: 'bob', role: 'viewer' },
    ])
    expect(conflict(() => team('two', [{ user: 'ada', role: 'viewer' }], both)).details.causes?.[0]?.field).toBe(
      '.spec.members[user="ada"].role',
    )
    expect(team('one', [], both).spec.members).toEqual([{ user: 'bob', role: 'viewer' }])
  })

  test('the status is applied for its subresource only', () => {
    const live = { ...apply(undefined, 'one', { description: 'a' }), status: { observedGeneration: 1 } }
    const withStatus = { ...config({ description: 'ignored' }), status: { problem: { code: 'X', message: 'm', fix: 'f' } } }
    const next = apps.apply(live, withStatus, { manager: 'one', subresource: 'status', force: false, time: time(2) })
    expect(next).toMatchObject({ spec: { description: 'a' }, status: { observedGeneration: 1, problem: { code: 'X' } } })
    expect(owners(stored(next))).toMatchObject({ 'one/Apply/status': { 'f:status': { 'f:problem': {} } } })
    expect(apps.apply(live, withStatus, { manager: 'two', force: true, time: time(2) }).status).toEqual({ observedGeneration: 1 })
  })

  test('null counts as left out', () => {
    const live = apply(undefined, 'one', { description: 'a', env: { A: '1' } })
    expect(apply(live, 'one', { description: null, env: { A: '1' } }).spec).toEqual({ env: { A: '1' } })
  })
})

describe('update', () => {
  test('owns what it changed, and takes it from the others', () => {
    const live = update(apply(undefined, 'one', { description: 'a', env: { A: '1' } }), 'editor', {
      description: 'b',
      env: { A: '1', B: '2' },
    })
    expect(owners(live)).toEqual({
      'one/Apply': { 'f:spec': { 'f:env': { '.': {}, 'f:A': {} } } },
      'editor/Update': { 'f:spec': { 'f:description': {}, 'f:env': { 'f:B': {} } } },
    })
  })

  test('nobody owns what was removed', () => {
    const live = update(update(undefined, 'editor', { description: 'a', env: { A: '1' } }), 'editor', { env: { A: '1' } })
    expect(owners(live)).toEqual({ 'editor/Update': { 'f:spec': { 'f:env': { '.': {}, 'f:A': {} } } } })
  })

  test('without a change leaves everything as it was', () => {
    const live = update(undefined, 'editor', { description: 'a' })
    expect(update(live, 'other', { description: 'a' }, { time: time(9) }).metadata.managedFields).toEqual(live.metadata.managedFields)
  })

  test('may send managers, or reset them with one empty entry', () => {
    const live = update(undefined, 'editor', { description: 'a' })
    const sent = apply(undefined, 'elsewhere', { description: 'a' }).metadata.managedFields
    const write = { manager: 'x', time: time(2) }
    expect(apps.update(live, config({ description: 'a' }, { managedFields: sent }), write)).toEqual(sent)
    expect(apps.update(live, config({ description: 'a' }, { managedFields: [{}] }), write)).toEqual([])
    expect(apps.update(live, config({ description: 'a' }, { managedFields: [{ nonsense: true }] }), write)).toEqual(
      live.metadata.managedFields,
    )
  })

  test('keeps at most ten entries of updates', () => {
    let live: Resource | undefined
    const env: Record<string, string> = {}
    for (let index = 0; index < 14; index++) {
      env[`K${index}`] = '1'
      live = update(live, `m${index}`, { env: { ...env } }, { time: time(index) })
    }
    const names = live!.metadata.managedFields!.map(({ manager }) => manager)
    expect(names).toHaveLength(10)
    expect(names).toContain('ancient-changes')
    expect(Object.keys(owners(live!)['ancient-changes/Update'] as object)).toEqual(['f:spec'])
  })
})

describe('properties', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D')
  const process = fc.record(
    {
      command: fc.constantFrom('x', 'y'),
      replicas: fc.nat(3),
      health: fc.record({ path: fc.constantFrom('/', '/h') }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  const spec = fc.record(
    {
      description: fc.constantFrom('a', 'b'),
      env: fc.dictionary(name, fc.constantFrom('1', '2')),
      processes: fc.dictionary(fc.constantFrom('web', 'worker'), process),
      routes: fc.array(fc.record({ host: fc.constantFrom('a.example', 'b.example') }), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  const manager = fc.constantFrom('one', 'two', 'three')
  const step = fc.record({ manager, spec, how: fc.constantFrom('apply', 'update') })

  const history = (steps: { manager: string; spec: object; how: string }[]): Resource | undefined =>
    steps.reduce<Resource | undefined>((live, { manager: who, spec: wanted, how }, index) => {
      const write = { time: time(index % 60), force: true }
      return how === 'apply' ? apply(live, who, wanted, write) : update(live, who, wanted, write)
    }, undefined)

  test('applying twice changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), manager, spec, (steps, who, wanted) => {
        const once = apply(history(steps), who, wanted, { force: true, time: time(58) })
        const twice = apply(once, who, wanted, { force: false, time: time(59) })
        expect(twice).toEqual(once)
      }),
    )
  })

  test('what is applied is there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), manager, spec, (steps, who, wanted) => {
        expect(apply(history(steps), who, wanted, { force: true }).spec).toMatchObject(wanted)
      }),
    )
  })

  test('managers of different fields never conflict, in any order', () => {
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.constantFrom('1', '2')),
        fc.constantFrom('x', 'y'),
        fc.constantFrom('a', 'b'),
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        (env, command, description, order) => {
          const writes: [string, object][] = [
            ['one', { env }],
            ['two', { processes: { web: { command } } }],
            ['three', { description }],
          ]
          const live = order.reduce<Resource | undefined>((before, index) => apply(before, ...writes[index]!), undefined)
          expect(live!.spec).toEqual({ env, processes: { web: { command } }, description })
        },
      ),
    )
  })

  test('a lone manager gets exactly what it applied last', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), (specs) => {
        const live = specs.reduce<Resource | undefined>((before, wanted) => apply(before, 'one', wanted), undefined)
        expect(live!.spec).toEqual(specs.at(-1))
      }),
    )
  })

  test('without force nothing that another manager owns is changed', () => {
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const live = apply(undefined, 'one', first)
        try {
          expect(apply(live, 'two', second).spec).toMatchObject(first)
        } catch (error) {
          expect((error as PaviorError).code).toBe('APPLY_CONFLICT')
        }
      }),
    )
  })

  test('force leaves no field with two values: each is owned with the value that is there', () => {
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const live = apply(apply(undefined, 'one', first), 'two', second, { force: true })
        // Whoever applies what it still owns finds no conflict with what it took.
        expect(() => apply(live, 'two', second)).not.toThrow()
        expect(live.spec).toMatchObject(second)
      }),
    )
  })
})
