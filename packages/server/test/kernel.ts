/** A kernel on a database of its own, cloned from the migrated template: what most tests of the server begin with. */
import { randomUUID } from 'node:crypto'
import { Counter, Histogram, Registry } from 'prom-client'
import { inject, onTestFinished } from 'vitest'
import { systemActor } from '../src/kernel/actor.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { connectDatabase, type PgDatabase } from '../src/kernel/db/index.ts'
import { KindRegistry, type KindDefinition } from '../src/kernel/kind.ts'
import { createValidator } from '../src/kernel/kube/validation.ts'
import { createLog } from '../src/kernel/log.ts'
import { createGarbageCollector, ReconcileLoop, type Reconciler } from '../src/kernel/reconcile/index.ts'
import { createResources, type Resources } from '../src/kernel/resources/index.ts'
import { Feed } from '../src/kernel/store/feed.ts'
import { createFieldIndexes, flushStatement } from '../src/kernel/store/store.ts'
import { wakesOf } from '../src/kernel/reconcile/wakes.ts'
import { template } from './database-server.ts'

const log = createLog(process.env.PAVIOR_TEST_LOG ?? 'silent', 'test')
export const tester = systemActor('test')

export async function testDatabase(): Promise<PgDatabase> {
  const { host, user, password } = inject('database')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const connection = { host, user, password }
  const admin = await connectDatabase({ connection: { ...connection, database: 'postgres' }, poolSize: 1, flushStatement, log })
  await admin.query(`create database ${name} template ${template}`)
  const database = await connectDatabase({ connection: { ...connection, database: name }, poolSize: 6, flushStatement, log })
  onTestFinished(async () => {
    await database.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return database
}

export interface TestKernel {
  database: PgDatabase
  feed: Feed
  kinds: KindRegistry
  resources: Resources
  loop: ReconcileLoop
}

/** `rooms` is called with the resources, because reconcilers need them. */
export async function testKernel(kindList: KindDefinition[], rooms: (kernel: { database: PgDatabase; resources: Resources }) => Reconciler[] = () => []): Promise<TestKernel> {
  const database = await testDatabase()
  await createFieldIndexes(database, kindList)
  return startKernel(database, kindList, (kernel) => [createGarbageCollector(kernel), ...rooms(kernel)])
}

/** The kernel of one server on a migrated database, stopped after the test. */
export async function startKernel(database: PgDatabase, kindList: KindDefinition[], makeReconcilers: (kernel: { database: PgDatabase; resources: Resources; kinds: KindRegistry }) => Reconciler[]): Promise<TestKernel> {
  const kinds = new KindRegistry(kindList)
  const feed = new Feed(database, log)
  await feed.start()
  const reconcilers: Reconciler[] = []
  const resources = createResources({ database, feed, kinds, validator: createValidator, wakes: wakesOf(reconcilers), admission: [], clock: systemClock })
  reconcilers.push(...makeReconcilers({ database, resources, kinds }))
  const registry = new Registry()
  const metrics = {
    runs: new Counter({ name: 'runs', help: 'runs', labelNames: ['controller', 'outcome'] as const, registers: [registry] }),
    seconds: new Histogram({ name: 'seconds', help: 'seconds', labelNames: ['controller'] as const, registers: [registry] }),
  }
  const loop = new ReconcileLoop({ database, feed, reconcilers, metrics, log })
  await loop.start()
  onTestFinished(async () => {
    await loop.stop()
    feed.stop()
  })
  return { database, feed, kinds, resources, loop }
}
