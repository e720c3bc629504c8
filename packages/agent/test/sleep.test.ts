/** Instances that are frozen while nobody asks for them: the agent as a process of its own, with its real router. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DesiredRoute, DesiredSet, InstanceStatus } from '@pavior/contract'
import { readStat } from '../src/run/proc.ts'
import { bundleAgent } from './bundle.ts'
import { killAgent, startAgent, stopAgent, type RunningAgent } from './agent-process.ts'
import { Client, desiredSet, temporaryDirectory, workload, writeApp } from './harness.ts'

let dist: string
let directory: string
let running: RunningAgent | undefined

/** Beside answering, it counts on by itself while it runs, in a child of its own too. */
const countingApp = `
import { createServer } from 'node:http'
import { spawn } from 'node:child_process'
let count = 0
setInterval(() => count++, 5)
spawn(process.execPath, ['-e', 'setInterval(() => {}, 5)'], { stdio: 'ignore' })
createServer(async (request, response) => {
  if (request.url === '/slow') await new Promise((resolve) => setTimeout(resolve, 1500))
  response.end(String(count))
}).listen(process.env.PORT)
`

beforeAll(async () => {
  dist = await bundleAgent()
  chmodSync(dist, 0o755)
})
afterAll(() => rmSync(dist, { recursive: true, force: true }))
afterEach(async () => {
  if (running) await stop()
  rmSync(directory, { recursive: true, force: true })
})

async function start(flags: string[] = []): Promise<Client> {
  running = await startAgent(dist, directory, ['--router-workers', '2', ...flags])
  return running.client
}

/** The one that runs, which is nobody's any more. */
function taken(): RunningAgent {
  const one = running!
  running = undefined
  return one
}

const kill = (): Promise<void> => killAgent(taken())
const stop = (): Promise<void> => stopAgent(taken())

function prepare(): string {
  directory = temporaryDirectory()
  mkdirSync(join(directory, 'run'))
  return writeApp(join(directory, 'app'), { 'count.mjs': countingApp })
}

const route: DesiredRoute = { id: 'route-1', team: 'payments', app: 'shop', environment: 'production', host: 'shop.test', path: '/', backends: [{ set: 'set-1', weight: 100 }], requestTimeoutMs: 10_000 }
const sets = (app: string, over: Partial<DesiredSet> = {}): DesiredSet[] => [
  desiredSet(workload(app, ['node', 'count.mjs']), { sleepAfterMs: 600, ...over }),
  desiredSet(workload(app, ['node', '-e', 'setInterval(() => {}, 10)']), { id: 'set-2', process: 'worker', listens: false, sleepAfterMs: 600, ...over }),
]

function ask(client: Client, path = '/'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: client.state!.routerPort, path, agent: false, headers: { host: 'shop.test' } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += String(chunk)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

const allAsleep = (client: Client): Promise<InstanceStatus[]> => client.until(() => client.instances.length > 0 && client.instances.every(({ asleepSince }) => asleepSince !== undefined) && client.instances)

const wakes = async (client: Client): Promise<number> => Number(/^pavior_agent_wakes_total (\d+)$/m.exec((await client.call<string>('GET', '/metrics')).body)?.[1])

/** CPU time of a process in ticks: it stands still while the process is frozen. */
const ticks = (pid: number): number => Math.round((readStat(pid)?.cpuSeconds ?? 0) * 100)

describe.each([{ how: 'by its cgroup, where there is one', flags: [] }, { how: 'by signals', flags: ['--cgroup', 'none'] }])('an app that nobody asks for is frozen $how', ({ flags }) => {
  test('and thawed by the first request, once for fifty that come together; a restart of the agent changes nothing', async () => {
    const app = prepare()
    const first = await start(flags)
    await first.desire(1, sets(app), { routes: [route] })
    await first.until(() => first.state?.routedGeneration === 1)
    await first.healthy(2)
    const asleep = await allAsleep(first)
    expect(asleep.every(({ state }) => state === 'healthy')).toBe(true)
    const pids = asleep.map(({ pid }) => pid!)
    const before = pids.map(ticks)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(pids.map(ticks)).toEqual(before)
    // Probes of a frozen instance would have failed by now and had it started again.
    expect(first.instances.map(({ restarts }) => restarts)).toEqual([0, 0])

    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(first)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(await wakes(first)).toBe(1)
    await allAsleep(first)
    const began = performance.now()
    expect((await ask(first)).status).toBe(200)
    console.log(`woken ${flags.join(' ')}: ${(performance.now() - began).toFixed(1)} ms`)

    await allAsleep(first)
    await kill()
    const second = await start(flags)
    expect((await allAsleep(second)).map(({ id }) => id).sort()).toEqual(asleep.map(({ id }) => id).sort())
    expect((await ask(second)).status).toBe(200)
    expect(second.instances.map(({ restarts }) => restarts)).toEqual([0, 0])
    const { use } = second.instances[0]!
    expect(use!.asleepSeconds).toBeGreaterThan(1)
    expect(use!.awakeSeconds).toBeGreaterThan(0.5)
  })

  test('and ends in order, is replaced, and is started again when somebody kills it', async () => {
    const app = prepare()
    const client = await start(flags)
    await client.desire(1, sets(app), { routes: [route] })
    const [killed] = (await allAsleep(client)).filter(({ set }) => set === 'set-1')
    process.kill(killed!.pid!, 'SIGKILL')
    await client.call('POST', '/sets/set-1/wake')
    await client.until(() => client.instances.some(({ set, restarts, state }) => set === 'set-1' && restarts === 1 && state === 'healthy'))
    await expect.poll(async () => (await ask(client)).status).toBe(200)

    // A change of a sleeping app wakes it; the old instance ends in order.
    await allAsleep(client)
    await client.desire(2, sets(app, { restartToken: 'again' }), { routes: [route] })
    const old = client.instances.map(({ id }) => id)
    await client.until(() => client.instances.length === 2 && client.instances.every(({ id, state }) => state === 'healthy' && !old.includes(id)))
    await expect.poll(async () => (await ask(client)).status).toBe(200)
    await allAsleep(client)
    await client.desire(3, [])
    await client.until(() => client.instances.length === 0)
  })
})

test('a request under way keeps it awake, and people may put it to sleep and wake it', async () => {
  const app = prepare()
  const client = await start()
  await client.desire(1, sets(app), { routes: [route] })
  await client.until(() => client.state?.routedGeneration === 1)
  await client.healthy(2)
  await expect.poll(async () => (await ask(client)).status).toBe(200)
  const slow = ask(client, '/slow')
  expect((await slow).status).toBe(200)
  expect(client.events.some((event) => event.type === 'instance' && event.instance.asleepSince !== undefined)).toBe(false)
  await allAsleep(client)
  expect((await client.call('POST', '/sets/set-1/wake')).status).toBe(200)
  await client.until(() => client.instances.every(({ asleepSince }) => asleepSince === undefined))
  expect((await client.call('POST', '/sets/set-2/sleep')).status).toBe(200)
  await allAsleep(client)
  expect((await client.call('POST', '/sets/none/sleep')).status).toBe(404)
})
