/** Two servers on one database: they see each other's writes in order, migrate together and take over from each other. */
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { AppSpec, AppStatus } from '@pavior/contract'
import { startKernel, tester, type TestKernel } from '../../test/kernel.ts'
import { connectDatabase, migrate, type PgDatabase } from './db/index.ts'
import { defineKind } from './kind.ts'
import { createLog } from './log.ts'
import { after, done, itself, type Reconciler } from './reconcile/index.ts'
import { reapDeadWorkers } from './queue/queue.ts'
import { compactChanges, flushStatement } from './store/store.ts'

const log = createLog('silent', 'test')
const app = defineKind<AppSpec, AppStatus>({ kind: 'App', plural: 'apps', scope: 'Namespaced', description: 'An app.', spec: AppSpec, status: AppStatus, access: {}, columns: [] })
const migrations = new URL('../../migrations', import.meta.url).pathname

async function newDatabase(): Promise<string> {
  const { host, user, password } = inject('database')
  const name = `replicas_${randomUUID().replaceAll('-', '')}`
  const admin = await connectDatabase({ connection: { host, user, password, database: 'postgres' }, poolSize: 1, flushStatement, log })
  await admin.query(`create database ${name}`)
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return name
}

async function connect(name: string): Promise<PgDatabase> {
  const { host, user, password } = inject('database')
  const database = await connectDatabase({ connection: { host, user, password, database: name }, poolSize: 4, flushStatement, log })
  onTestFinished(() => database.close())
  return database
}

async function replica(name: string, reconcilers: Reconciler[] = []): Promise<TestKernel> {
  const database = await connect(name)
  await migrate(database, migrations, log)
  return startKernel(database, [app], () => reconcilers)
}

describe('two replicas', () => {
  test('that start at once on an empty database migrate it once', async () => {
    const name = await newDatabase()
    const [one] = await Promise.all([replica(name), replica(name), replica(name)])
    const { rows } = await one.database.query('select name, count(*)::int as times from migrations group by name')
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.every(({ times }) => times === 1)).toBe(true)
  })

  test('see each other’s writes, all and in order', async () => {
    const name = await newDatabase()
    const [one, other] = await Promise.all([replica(name), replica(name)])
    const total = 200
    const { resourceVersion } = await one.resources.list(tester, 'App', undefined)
    const abort = new AbortController()
    const watch = async ({ resources }: TestKernel): Promise<bigint[]> => {
      const versions: bigint[] = []
      for await (const { type, resourceVersion: version } of resources.watch(tester, 'App', undefined, { resourceVersion, signal: abort.signal })) {
        if (type === 'ADDED') versions.push(BigInt(version))
        if (versions.length === total) break
      }
      return versions
    }
    const watching = Promise.all([watch(one), watch(other)])
    await Promise.all([one, other, one, other].map(async ({ resources }, writer) => {
      for (let number = 0; number < total / 4; number++) await resources.create(tester, 'App', 'blue', { metadata: { name: `a-${writer}-${number}` }, spec: {} })
    }))
    const [seenByOne, seenByOther] = await watching
    abort.abort()
    expect(seenByOther).toEqual(seenByOne)
    expect(seenByOne!.every((version, index) => index === 0 || version > seenByOne![index - 1]!)).toBe(true)
  })

  test('a worker whose session dies loses its claims, and the work runs again within 3 s', async () => {
    const name = await newDatabase()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let began = 0
    const hanging: Reconciler = { name: 'work', concurrency: 1, interests: [itself(app)], reconcile: async () => (began++, await held, done) }
    let taken = (_at: number): void => {}
    const takenAt = new Promise<number>((resolve) => (taken = resolve))
    const ready: Reconciler = { name: 'work', concurrency: 1, interests: [itself(app)], reconcile: async () => (taken(Date.now()), done) }
    const one = await replica(name, [hanging])
    onTestFinished(() => release())
    await one.resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    await expect.poll(() => began).toBe(1)
    const other = await replica(name, [ready])
    // Claimed work is left alone as long as its worker lives.
    expect(await reapDeadWorkers(other.database)).toBe(0)
    const killed = Date.now()
    await other.database.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 7220 and objid = (select worker::oid from queue)`)
    expect((await takenAt) - killed).toBeLessThan(3000)
    await expect.poll(async () => (await other.database.query('select 1 from queue')).rowCount).toBe(0)
    release()
  })

  test('one takes over what the other leaves', async () => {
    const name = await newDatabase()
    const ran: string[] = []
    const reconciler = (who: string): Reconciler => ({ name: 'work', concurrency: 1, interests: [itself(app)], reconcile: async () => (ran.push(who), who === 'one' ? after(100) : done) })
    const one = await replica(name, [reconciler('one')])
    await one.resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
    await expect.poll(() => ran.length).toBeGreaterThan(0)
    await one.loop.stop()
    const other = await replica(name, [reconciler('other')])
    await expect.poll(() => ran.includes('other')).toBe(true)
    await expect.poll(async () => (await other.database.query('select 1 from queue')).rowCount).toBe(0)
  })
})

test('a watch from before what is kept is told to list again', async () => {
  const { database, resources } = await replica(await newDatabase())
  const first = await resources.create(tester, 'App', 'blue', { metadata: { name: 'a' }, spec: {} })
  await resources.create(tester, 'App', 'blue', { metadata: { name: 'b' }, spec: {} })
  await database.query(`update resource_changes set at = now() - interval '2 hours'`)
  expect(await compactChanges(database, 3600_000)).toBe(2)
  const read = async (resourceVersion: string): Promise<void> => {
    for await (const _change of resources.watch(tester, 'App', 'blue', { resourceVersion, signal: AbortSignal.timeout(5000) })) return
  }
  await expect(read(first.metadata.resourceVersion)).rejects.toMatchObject({ code: 'EXPIRED' })
  const { resourceVersion } = await resources.list(tester, 'App', 'blue')
  const going = read(resourceVersion)
  await resources.create(tester, 'App', 'blue', { metadata: { name: 'c' }, spec: {} })
  await going
})
