import { AppSpec, AppStatus, type Resource } from '@pavior/contract'
import { describe, expect, test } from 'vitest'
import { tester, testKernel } from '../../../test/kernel.ts'
import { defineKind } from '../kind.ts'
import { done, itself } from '../reconcile/index.ts'
import type { Change } from './types.ts'

const app = defineKind<AppSpec, AppStatus>({
  kind: 'App',
  plural: 'apps',
  scope: 'Namespaced',
  description: 'An app.',
  spec: AppSpec,
  status: AppStatus,
  indexes: ['spec.description'],
  nameForm: 'label',
  access: { developer: ['create', 'update'] },
  columns: [],
})

const key = (name: string) => ({ kind: 'App', namespace: 'blue', name })

/** Reads a watch until `enough` says so. */
async function collect(changes: AsyncIterable<Change>, enough: (seen: Change[]) => boolean): Promise<Change[]> {
  const seen: Change[] = []
  for await (const change of changes) {
    seen.push(change)
    if (enough(seen)) break
  }
  return seen
}

describe('resources', () => {
  test('are created, read, changed, listed by label and field, and deleted', async () => {
    const { resources } = await testKernel([app])
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop', labels: { tier: '1' } }, spec: { description: 'sells' } })
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'wiki' }, spec: { description: 'tells' } })
    const changed = await resources.mutate(tester, key('shop'), (current) => ({ ...current!, spec: { description: 'sells much' } }))
    expect(changed.metadata.generation).toBe(2)
    const byLabel = await resources.list(tester, 'App', 'blue', { labels: [{ key: 'tier', operator: 'In', values: ['1'] }] })
    expect(byLabel.items.map(({ metadata }) => metadata.name)).toEqual(['shop'])
    const byField = await resources.list(tester, 'App', undefined, { fields: [{ path: 'spec.description', operator: '=', value: 'tells' }] })
    expect(byField.items.map(({ metadata }) => metadata.name)).toEqual(['wiki'])
    await resources.delete(tester, key('shop'))
    expect(await resources.get(tester, key('shop'))).toBeUndefined()
  })

  test('pages with a continue token', async () => {
    const { resources } = await testKernel([app])
    for (const name of ['a', 'b', 'c', 'd', 'e']) await resources.create(tester, 'App', 'blue', { metadata: { name }, spec: {} })
    const first = await resources.list(tester, 'App', undefined, { limit: 2 })
    const second = await resources.list(tester, 'App', undefined, { limit: 2, continue: first.continue })
    const third = await resources.list(tester, 'App', undefined, { limit: 2, continue: second.continue })
    expect([first, second, third].map(({ items }) => items.map(({ metadata }) => metadata.name).join(''))).toEqual(['ab', 'cd', 'e'])
  })

  test('writes that go together fail one by one: each is answered by itself', async () => {
    const { resources, database } = await testKernel([app])
    await Promise.all(['taken', 'old', 'gone'].map((name) => resources.create(tester, 'App', 'blue', { metadata: { name }, spec: {} })))
    const create = (name: string, description: string) => resources.create(tester, 'App', 'blue', { metadata: { name }, spec: { description } })
    const describe = (name: string, description: string) => resources.mutate(tester, key(name), (current) => ({ ...current!, spec: { description } }))
    const stale = (await resources.get<Resource>(tester, key('old')))!
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 20 }, (_, index) => create(`new-${index}`, String(index))),
      create('taken', 'again'),
      create('spoilt', 'a text that PostgreSQL cannot keep: \u0000'),
      describe('old', 'changed'),
      resources.mutate(tester, key('old'), () => ({ ...stale, metadata: { ...stale.metadata, resourceVersion: '1' } }), { retries: 0 }),
      resources.delete(tester, key('gone')),
    ])
    const failed = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [[index, (outcome.reason as { code?: string }).code]] : []))
    expect(failed).toEqual([
      [20, 'ALREADY_EXISTS'],
      [21, 'BAD_REQUEST'],
      [23, 'CONFLICT'],
    ])
    const left = (await resources.list(tester, 'App', 'blue')).items.map(({ metadata }) => metadata.name)
    expect(left.toSorted()).toEqual(['old', 'taken', ...Array.from({ length: 20 }, (_, index) => `new-${index}`)].toSorted())
    const { rows } = await database.query('select (select count(*)::int from audit) as audited, (select count(*)::int from resource_changes) as logged')
    expect(rows[0]).toEqual({ audited: 25, logged: 25 })
  })

  test('twenty writers of one resource at once: every change is there', async () => {
    const { resources } = await testKernel([app])
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: { description: '' } })
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        resources.mutate(tester, key('shop'), (current) => ({ ...current!, spec: { description: `${(current!.spec as AppSpec).description},${index}` } }), { retries: 40 }),
      ),
    )
    const { spec, metadata } = (await resources.get<Resource<AppSpec>>(tester, key('shop')))!
    expect(spec.description!.slice(1).split(',').map(Number).toSorted((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, index) => index))
    expect(metadata.generation).toBe(21)
  })

  test('a write from a stale version is a conflict, a repeated state is no write', async () => {
    const { resources } = await testKernel([app])
    const made = await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    const same = await resources.mutate(tester, key('shop'), (current) => current!)
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
    await resources.mutate(tester, key('shop'), (current) => ({ ...current!, spec: { description: 'x' } }))
    await expect(resources.mutate(tester, key('shop'), () => ({ ...made, spec: { description: 'y' } }))).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  test('twenty writers of one resource all get through', async () => {
    const { resources } = await testKernel([app])
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    const write = (writer: number) => resources.mutate(tester, key('shop'), (current) => ({ ...current!, metadata: { ...current!.metadata, labels: { ...current!.metadata.labels, [`w${writer}`]: 'done' } } }), { retries: 100 })
    await Promise.all(Array.from({ length: 20 }, (_, writer) => write(writer)))
    const found = await resources.mustGet<Resource>(tester, key('shop'))
    expect(Object.keys(found.metadata.labels!)).toHaveLength(20)
  })

  test('a watch misses nothing and keeps the order under concurrent writers', async () => {
    const { resources } = await testKernel([app])
    const total = 400
    const abort = new AbortController()
    const watching = collect(resources.watch(tester, 'App', undefined, { signal: abort.signal }), (seen) => seen.filter(({ type }) => type === 'ADDED').length === total)
    await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        for (let index = writer; index < total; index += 16) await resources.create(tester, 'App', 'blue', { metadata: { name: `app-${index}` }, spec: {} })
      }),
    )
    const seen = await watching
    abort.abort()
    expect(new Set(seen.filter(({ type }) => type === 'ADDED').map(({ resourceVersion }) => resourceVersion)).size).toBe(total)
    // What was there already comes first, by name; from the bookmark on the order is that of the writes.
    const versions = seen.slice(seen.findIndex(({ type }) => type === 'BOOKMARK') + 1).map(({ resourceVersion }) => BigInt(resourceVersion))
    expect(versions.every((version, index) => index === 0 || version > versions[index - 1]!)).toBe(true)
  })

  test('a watch resumes after a version, and sees what enters and leaves its selection', async () => {
    const { resources } = await testKernel([app])
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop', labels: { tier: '1' } }, spec: {} })
    const { resourceVersion } = await resources.list(tester, 'App', 'blue')
    const relabel = (tier: string) => resources.mutate(tester, key('shop'), (current) => ({ ...current!, metadata: { ...current!.metadata, labels: { tier } } }))
    await relabel('2')
    await relabel('1')
    await resources.delete(tester, key('shop'))
    const abort = new AbortController()
    const seen = await collect(resources.watch(tester, 'App', 'blue', { resourceVersion, labels: [{ key: 'tier', operator: 'In', values: ['1'] }], signal: abort.signal }), (changes) => changes.length === 3)
    abort.abort()
    expect(seen.map(({ type }) => type)).toEqual(['DELETED', 'ADDED', 'DELETED'])
  })

  test('what is owned goes with its owner; finalizers hold; orphans stay', async () => {
    const { resources } = await testKernel([app])
    const owner = await resources.create(tester, 'App', 'blue', { metadata: { name: 'owner' }, spec: {} })
    const reference = [{ apiVersion: 'pavior.dev/v1', kind: 'App', name: 'owner', uid: owner.metadata.uid }]
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'child', ownerReferences: reference, finalizers: ['test/hold'] }, spec: {} })
    const abort = new AbortController()
    const gone = (name: string, wanted: number) => (seen: Change[]) => seen.filter((change) => change.type !== 'BOOKMARK' && change.object.metadata.name === name && (change.type === 'DELETED' || change.object.metadata.deletionTimestamp)).length >= wanted
    const marked = collect(resources.watch(tester, 'App', 'blue', { signal: abort.signal }), gone('child', 1))
    await resources.delete(tester, key('owner'), { propagationPolicy: 'Foreground' })
    await marked
    expect((await resources.mustGet<Resource>(tester, key('owner'))).metadata.deletionTimestamp).toBeDefined()
    const last = collect(resources.watch(tester, 'App', 'blue', { signal: abort.signal }), (seen) => seen.some((change) => change.type === 'DELETED' && change.object.metadata.name === 'owner'))
    await resources.mutate(tester, key('child'), (current) => ({ ...current!, metadata: { ...current!.metadata, finalizers: [] } }))
    await last
    abort.abort()
    expect((await resources.list(tester, 'App', 'blue')).items).toEqual([])
  })

  test('viewers read, developers write, outsiders see nothing', async () => {
    const { resources } = await testKernel([app])
    const as = (role: 'viewer' | 'developer', team: string) => ({ name: `user:${role}`, kind: 'user' as const, admin: false, roles: new Map([[team, role]]) })
    await resources.create(as('developer', 'blue'), 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    expect(await resources.get(as('viewer', 'blue'), key('shop'))).toBeDefined()
    await expect(resources.create(as('viewer', 'blue'), 'App', 'blue', { metadata: { name: 'x' }, spec: {} })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(resources.get(as('developer', 'red'), key('shop'))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect((await resources.list(as('developer', 'red'), 'App', undefined)).items).toEqual([])
  })
})

describe('reconcile loop', () => {
  test('a change during a run gives exactly one more run', async () => {
    let runs = 0
    let release: () => void = () => {}
    let entered: () => void = () => {}
    const inside = new Promise<void>((resolve) => (entered = resolve))
    const held = new Promise<void>((resolve) => (release = resolve))
    let second: () => void = () => {}
    const again = new Promise<void>((resolve) => (second = resolve))
    const { resources, database } = await testKernel([app], () => [
      {
        name: 'counter',
        concurrency: 2,
        interests: [itself(app)],
        reconcile: async () => {
          runs++
          if (runs === 1) {
            entered()
            await held
          } else second()
          return done
        },
      },
    ])
    await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    await inside
    for (const description of ['a', 'b', 'c']) await resources.mutate(tester, key('shop'), (current) => ({ ...current!, spec: { description } }))
    release()
    await again
    // The row is gone when the last run is settled: nothing more is due.
    for (;;) {
      const { rowCount } = await database.query(`select 1 from queue where controller = 'counter'`)
      if (rowCount === 0) break
    }
    expect(runs).toBe(2)
  })

  test('a run that throws is retried, and work of a dead worker is taken over', async () => {
    const runs: string[] = []
    let finished: () => void = () => {}
    const both = new Promise<void>((resolve) => (finished = resolve))
    const { database, loop } = await testKernel([app], () => [
      {
        name: 'flaky',
        concurrency: 2,
        interests: [],
        reconcile: async (text) => {
          runs.push(text)
          if (text === 'once' && runs.filter((run) => run === 'once').length === 1) throw new Error('the first time')
          if (runs.includes('orphan') && runs.filter((run) => run === 'once').length === 2) finished()
          return done
        },
      },
    ])
    // A row claimed by a worker number that no session holds: its process is gone.
    await database.write(`insert into queue (controller, key, worker, taken_gen) values ('flaky', 'orphan', 999999, 1)`)
    await loop.request([{ controller: 'flaky', key: 'once' }])
    await both
    expect(runs.filter((run) => run === 'orphan')).toHaveLength(1)
  })
})
