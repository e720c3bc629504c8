/** The loop against a real queue: failed runs, and a session that is lost at an awkward moment. */
import { expect, test } from 'vitest'
import { AppSpec, AppStatus } from '@pavior/contract'
import { tester, testKernel } from '../../../test/kernel.ts'
import { defineKind } from '../kind.ts'
import { done, itself, type Reconciler } from './index.ts'

const app = defineKind<AppSpec, AppStatus>({ kind: 'App', plural: 'apps', scope: 'Namespaced', description: 'An app.', spec: AppSpec, status: AppStatus, access: {}, columns: [] })

test('a run that fails is tried again after 100 ms, then 200, by the same worker', async () => {
  const runs: number[] = []
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const failing: Reconciler = {
    name: 'work',
    concurrency: 1,
    interests: [itself(app)],
    reconcile: async () => {
      runs.push(Date.now())
      if (runs.length < 3) throw new Error('not yet')
      finish()
      return done
    },
  }
  const { database, resources } = await testKernel([app], () => [failing])
  await resources.create(tester, 'App', 'blue', { metadata: { name: 'shop' }, spec: {} })
  await finished
  expect(runs[1]! - runs[0]!).toBeGreaterThanOrEqual(95)
  expect(runs[2]! - runs[1]!).toBeGreaterThanOrEqual(190)
  await expect.poll(async () => (await database.query(`select 1 from queue where controller = 'work'`)).rowCount).toBe(0)
  // A claim that could not be settled would have cost the worker its session, and a new one its number.
  expect((await database.query('select last_value::int as id from queue_workers')).rows[0]!.id).toBe(1)
})
