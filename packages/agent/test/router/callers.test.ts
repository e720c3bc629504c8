import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { CallerCounts } from '@pavior/contract'
import { afterEach, expect, test } from 'vitest'
import { createCallerFinder } from '../../src/callers.ts'
import { defaultSettings } from '../../src/settings.ts'
import type { Router } from '../../src/router/index.ts'
import { atEnd, call, cleanUp, setOf, tableOf, testApp, testRouter } from './harness.ts'

// On a busy machine a look may take long; how long the pause behind it is shall not be what is tested here.
const settings = { ...defaultSettings, callerLookShare: 1 }

afterEach(cleanUp)

/** Another process: it asks as often as it is told, on one connection or on one for each, and says how many answers it had. */
const program = `
const http = require('node:http')
process.on('message', async ({ port, count, keepAlive, atOnce }) => {
  const agent = new http.Agent({ keepAlive, maxSockets: keepAlive ? 1 : atOnce })
  let left = count
  const one = (done) => http.get({ host: '127.0.0.1', port, agent, headers: { host: 'app.test' } }, (response) => response.resume().on('end', done)).on('error', done)
  const work = async () => { while (left-- > 0) await new Promise(one) }
  await Promise.all(Array.from({ length: atOnce }, work))
  agent.destroy()
  process.send(count)
})`

function startCaller(): ChildProcess {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  atEnd(() => child.kill('SIGKILL'))
  return child
}

async function ask(child: ChildProcess, port: number, count: number, keepAlive: boolean, atOnce = 1): Promise<void> {
  child.send({ port, count, keepAlive, atOnce })
  await once(child, 'message')
}

/** Everything that was counted until the router has ended. */
async function countedBy(router: Router): Promise<{ requests: number; callers: Record<string, CallerCounts> }> {
  await router.close()
  const records = router.takeRecords()
  const callers: Record<string, CallerCounts> = {}
  for (const { team, app, requests, errors } of records.flatMap((record) => record.callers ?? [])) {
    const sum = (callers[`${team}/${app}`] ??= { team, app, requests: 0, errors: 0 })
    sum.requests += requests
    sum.errors += errors
  }
  return { requests: records.reduce((sum, { statusClasses }) => sum + statusClasses.reduce((a, b) => a + b, 0), 0), callers }
}

async function routerWithCallers(processes: [string, ChildProcess][]): Promise<{ router: Router; looks: () => number }> {
  let count = 0
  const app = await testApp((request, response) => {
    if (++count % 10 === 0) response.statusCode = 500
    response.end(request.url)
  })
  const router = await testRouter()
  const finder = createCallerFinder({
    routerPort: router.port, appOfUser: undefined, processes: () => processes.map(([name, { pid }]) => [name, [pid!]]), settings, cpuMs: () => 0,
  })
  router.identifyCallers(finder.find)
  await router.update(tableOf([setOf('web', [app.port])]))
  return { router, looks: () => finder.cost.looks }
}

test('requests over kept connections are counted by the app that sends them, and no outsider is an app', async () => {
  const caller = startCaller()
  const { router } = await routerWithCallers([['blue/caller', caller]])
  await ask(caller, router.port, 200, true)
  for (let i = 0; i < 50; i++) await call(router)
  const { requests, callers } = await countedBy(router)
  expect(requests).toBe(250)
  expect(Object.keys(callers).filter((name) => name !== '/')).toEqual(['blue/caller'])
  expect(callers['blue/caller']).toMatchObject({ requests: 200, errors: 20 })
})

test('an app that opens a connection for each request is found too, by looking at few of them', async () => {
  const caller = startCaller()
  const { router, looks } = await routerWithCallers([['blue/opens', caller]])
  const begun = performance.now()
  await ask(caller, router.port, 3_000, false, 50)
  const took = performance.now() - begun
  const { requests, callers } = await countedBy(router)
  expect(requests).toBe(3_000)
  // Without users of their own, a socket that is closed between the table and the open files looks like an outsider's.
  const known = Object.values(callers).reduce((sum, each) => sum + each.requests, 0)
  expect(known).toBeGreaterThan(2_700)
  expect(known).toBeLessThanOrEqual(3_000)
  expect(callers['blue/opens']!.requests).toBeGreaterThan(0)
  expect(looks()).toBeLessThanOrEqual(2 + took / settings.callerLookPauseMs)
})

test('a finder that fails costs nobody anything', async () => {
  const { router } = await routerWithCallers([])
  router.identifyCallers(() => {
    throw new Error('no')
  })
  expect((await call(router)).status).toBe(200)
  expect(Object.keys((await countedBy(router)).callers).filter((name) => name !== '/')).toEqual([])
})
