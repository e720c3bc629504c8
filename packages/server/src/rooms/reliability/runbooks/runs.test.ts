import { fail, type RunbookRunStatus, type TaskStatus } from '@pavior/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../kernel/clock.ts'
import { startKernel, testDatabase, tester, type TestKernel } from '../../../../test/kernel.ts'
import { kernelTestKinds } from '../../../kernel/kube/testing/kinds.ts'
import type { Actor } from '../../../kernel/actor.ts'
import { createFieldIndexes } from '../../../kernel/store/store.ts'
import { answer, cancel } from './commands.ts'
import { createRunbookRules } from './admission.ts'
import { runbook, runbookRun } from './kinds.ts'
import { createRunbookRuns, createRunbookWatch, type Runbook, type RunbookDeps, type RunbookRun } from './reconcile.ts'

const person = (name: string, role: 'developer' | 'viewer'): Actor => ({ name: `user:${name}`, kind: 'user', admin: false, roles: new Map([['blue', role]]) })
const [ana, bo, view] = [person('ana', 'developer'), person('bo', 'developer'), person('view', 'viewer')]
const block = (text: string): string => `\n\`\`\`step\n${text}\n\`\`\`\n`
const markdown = `# Errors\n${block('check: Are there errors?\nquery: errors{app="$app"}\nabove: 0.1')}${block('change: Roll back\nact: rollback\napp: $app')}${block('command: Clean up\napp: $app\nrun: npm run clean')}${block('wait: Until quiet\nseconds: 600\nuntil:\n  query: errors\n  below: 0.1')}`

interface World {
  kernel: TestKernel
  deps: RunbookDeps
  values: Map<string, number>
  done: string[]
  tasks: Map<string, TaskStatus>
}

let world: World
beforeEach(async () => {
  const values = new Map([['errors{app="shop"}', 0.5], ['errors', 0]])
  const done: string[] = []
  const tasks = new Map<string, TaskStatus>()
  const tools: RunbookDeps['tools'] = {
    value: async (_team, query) => values.get(query),
    rollBack: async (by, team, app, environment) => {
      done.push(`${by.name} rolls back ${team}/${app} in ${environment}`)
      return { metadata: { name: 'shop-production-9' } }
    },
    run: async (by, { app, command }) => {
      if (command.includes('forbidden')) throw fail('FORBIDDEN', { message: `${by.name} may not.` })
      done.push(`${by.name} runs ${command} in ${app}`)
      tasks.set('task-1', { id: 'task-1', state: 'exited', startedAt: '', exit: { code: 0, at: '' } })
      return { id: 'task-1' }
    },
    task: async (id) => tasks.get(id),
    lines: async () => ['3 removed'],
    defaultEnvironment: () => 'production',
  }
  const kinds = [...kernelTestKinds, runbook, runbookRun]
  const database = await testDatabase()
  await createFieldIndexes(database, kinds)
  let deps!: RunbookDeps
  const kernel = await startKernel(database, kinds, ({ resources }) => {
    deps = { resources, tools, clock: systemClock }
    return [createRunbookRuns(deps), createRunbookWatch(deps)]
  })
  world = { kernel, deps, values, done, tasks }
})

/** As the API does it: what admission fills in, then the write. */
async function begin(actor: Actor, spec: object): Promise<RunbookRun> {
  const { resources, kinds } = world.kernel
  const object = { apiVersion: 'pavior.dev/v1', kind: 'RunbookRun', metadata: { name: '', generateName: 'errors-', namespace: 'blue' } as never, spec: { runbook: 'errors', ...spec } }
  await createRunbookRules(() => resources, () => kinds.find('App')!)({ actor, verb: 'create', kind: runbookRun, object: object as never, previous: undefined, dryRun: false })
  return resources.create<RunbookRun>(actor, 'RunbookRun', 'blue', object as never)
}

async function until(run: RunbookRun, holds: (status: RunbookRunStatus) => boolean): Promise<RunbookRun> {
  for (;;) {
    const found = await world.kernel.resources.mustGet<RunbookRun>(tester, { kind: 'RunbookRun', namespace: 'blue', name: run.metadata.name })
    if (found.status && holds(found.status)) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const waits = (name: string) => ({ phase, steps }: RunbookRunStatus): boolean => phase === 'Waiting' && steps!.at(-1)!.name === name
const book = (over: object = {}): Promise<Runbook> => world.kernel.resources.create<Runbook>(ana, 'Runbook', 'blue', { metadata: { name: 'errors' }, spec: { title: 'Errors', parameters: [{ name: 'app' }], markdown, ...over } })

describe('runs', () => {
  test('go on by themselves, wait for people, act in their name, and say how trustworthy the runbook is', async () => {
    await book()
    let run = await begin(ana, { parameters: { app: 'shop' } })
    expect(run.spec).toMatchObject({ generation: 1, title: 'Errors', requestedBy: 'user:ana' })
    run = await until(run, waits('Roll back'))
    expect(run.status!.steps![0]).toMatchObject({ state: 'Done', output: 'It is 0.5.' })
    await expect(answer(world.deps, view, 'blue', run.metadata.name, { step: 1, approve: true })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const both = await Promise.allSettled([ana, bo].map((actor) => answer(world.deps, actor, 'blue', run.metadata.name, { step: 1, approve: true })))
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(world.done).toHaveLength(1)
    run = await until(run, waits('Clean up'))
    expect(run.status!.steps![1]).toMatchObject({ state: 'Done', output: 'Deployment shop-production-9 takes shop back in production.' })
    await answer(world.deps, bo, 'blue', run.metadata.name, { step: 2, approve: true, note: 'go' })
    run = await until(run, ({ phase }) => phase === 'Succeeded')
    expect(run.status!.steps![2]).toMatchObject({ state: 'Done', by: 'user:bo', note: 'go', output: 'It ended well.\n3 removed' })
    expect(world.done.at(-1)).toBe('user:bo runs npm run clean in shop')
    const { rows } = await world.kernel.database.query("select distinct actor from audit where kind = 'RunbookRun' and name = $1 and actor like 'user:%' order by 1", [run.metadata.name])
    expect(rows.map(({ actor }) => actor)).toEqual(['user:ana', 'user:bo'])
    for (;;) {
      const { status } = await world.kernel.resources.mustGet<Runbook>(tester, { kind: 'Runbook', namespace: 'blue', name: 'errors' })
      if (status?.lastSuccessAt) {
        expect(status).toMatchObject({ steps: 4, runs: 1, stale: false, lastOutcome: 'Succeeded: Every step is done.' })
        break
      }
    }
    await expect(answer(world.deps, ana, 'blue', run.metadata.name, { step: 2, approve: true })).rejects.toMatchObject({ code: 'CONFLICT', message: 'user:bo has answered "Clean up" already.' })
  })

  test('a refusal fails the step and says why; a skipped one goes on; a canceled run ends', async () => {
    await book({ markdown: block('command: Clean up\napp: $app\nrun: forbidden') })
    let run = await until(await begin(ana, { parameters: { app: 'shop' } }), waits('Clean up'))
    await answer(world.deps, ana, 'blue', run.metadata.name, { step: 0, approve: true })
    run = await until(run, ({ phase }) => phase === 'Failed')
    expect(run.status).toMatchObject({ message: 'Clean up: FORBIDDEN: user:ana may not.' })
    run = await until(await begin(ana, { parameters: { app: 'shop' } }), waits('Clean up'))
    await answer(world.deps, ana, 'blue', run.metadata.name, { step: 0, skip: true })
    expect((await until(run, ({ phase }) => phase === 'Succeeded')).status!.steps![0]).toMatchObject({ state: 'Skipped', by: 'user:ana' })
    run = await until(await begin(ana, { parameters: { app: 'shop' } }), waits('Clean up'))
    await cancel(world.deps, bo, 'blue', run.metadata.name)
    expect((await cancel(world.deps, ana, 'blue', run.metadata.name)).status).toMatchObject({ phase: 'Canceled', message: 'Canceled by user:bo.' })
  })

  test('a run goes on as it began when its runbook is changed, and a dry run changes nothing', async () => {
    const made = await book()
    const run = await until(await begin(ana, { parameters: { app: 'shop' } }), waits('Roll back'))
    await world.kernel.resources.mutate<Runbook>(ana, { kind: 'Runbook', namespace: 'blue', name: 'errors' }, (current) => ({ ...current!, spec: { ...made.spec, markdown: block('human: Something else') } }))
    await answer(world.deps, ana, 'blue', run.metadata.name, { step: 1, skip: true })
    await until(run, waits('Clean up'))
    await world.kernel.resources.mutate<Runbook>(ana, { kind: 'Runbook', namespace: 'blue', name: 'errors' }, (current) => ({ ...current!, spec: made.spec }))
    const dry = await until(await begin(ana, { parameters: { app: 'shop' }, dryRun: true }), ({ phase }) => phase === 'Succeeded')
    expect(dry.status!.steps!.map(({ output }) => output)).toEqual(['It is 0.5.', 'Not done in a dry run: rollback shop.', 'Not done in a dry run: run in shop: npm run clean.', 'It is 0.'])
    expect(world.done).toEqual([])
  })

  test.each([
    [{}, 'spec.parameters.app'],
    [{ parameters: { app: 'shop', more: 'x' } }, 'spec.parameters.more'],
  ])('what does not fit is refused before anything begins: %j', async (spec, field) => {
    await book()
    await expect(begin(ana, spec)).rejects.toMatchObject({ code: 'INVALID', details: { causes: [{ field }] } })
  })

  test('what would become part of a query or a command holds no signs of their languages', async () => {
    await book()
    await expect(begin(ana, { parameters: { app: '"} or vector(1) #' } })).rejects.toMatchObject({ code: 'INVALID' })
  })

  test('a runbook whose steps cannot be read is refused where it is written', async () => {
    await expect(book({ markdown: block('check: x\nquery: y') })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(book({ parameters: [] })).rejects.toMatchObject({ details: { causes: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining('$app is no parameter') })]) } })
  })
})
