/** Faults of game days in instances: the agent as a process of its own, killed in the middle. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Fault, FaultReports, InstanceStatus } from '@pavior/contract'
import { bundleAgent } from './bundle.ts'
import { killAgent, startAgent, stopAgent, type RunningAgent } from './agent-process.ts'
import { Client, desiredSet, megabyte, temporaryDirectory, webApp, workload, writeApp } from './harness.ts'

let dist: string
let directory: string
let running: RunningAgent | undefined

beforeAll(async () => {
  dist = await bundleAgent()
  chmodSync(dist, 0o755)
})
afterAll(() => rmSync(dist, { recursive: true, force: true }))
afterEach(async () => {
  if (running) await stopAgent(taken())
  rmSync(directory, { recursive: true, force: true })
})

/** The one that runs, which is nobody's any more. */
function taken(): RunningAgent {
  const one = running!
  running = undefined
  return one
}

async function start(): Promise<Client> {
  running = await startAgent(dist, directory, ['--router-workers', '1'])
  return running.client
}

async function serving(replicas: number, memoryBytes = 256 * megabyte): Promise<{ client: Client; instances: InstanceStatus[] }> {
  directory = temporaryDirectory()
  mkdirSync(join(directory, 'run'))
  const app = writeApp(join(directory, 'app'), { 'server.mjs': webApp })
  const client = await start()
  await client.desire(1, [desiredSet(workload(app, ['node', 'server.mjs'], { limits: { memoryBytes, cpu: 0.2, pids: 100 } }), { replicas })])
  return { client, instances: await client.healthy(replicas) }
}

const faultOf = (over: Partial<Fault>): Fault => ({ id: 'day/0', gameDay: 'day', team: 'payments', app: 'shop', environment: 'production', until: new Date(Date.now() + 300_000).toISOString(), ...over })
const targetOf = ({ id, startedAt }: InstanceStatus): { instance: string; startedAt: string } => ({ instance: id, startedAt: startedAt! })

async function inject(client: Client, generation: number, faults: Fault[]): Promise<FaultReports> {
  const { status, body } = await client.call<FaultReports>('PUT', '/faults', { generation, faults })
  expect(status).toBe(200)
  return body
}

const waitUntil = (holds: () => boolean | Promise<boolean>): Promise<void> => expect.poll(holds, { timeout: 30_000, interval: 50 }).toBe(true)

/** Pids of burners of a fault, wherever they are. */
function burners(id = 'day/0'): number[] {
  return readdirSync('/proc').map(Number).filter((pid) => {
    try {
      return Number.isInteger(pid) && `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0PAVIOR_FAULT=${id}\0`)
    } catch {
      return false
    }
  })
}

describe('a kill', () => {
  test('reaches the start that is meant, once, and the instance comes back', async () => {
    const { client, instances } = await serving(2)
    const [one, other] = instances as [InstanceStatus, InstanceStatus]
    const fault = faultOf({ kill: { signal: 'SIGKILL', targets: [targetOf(one)] } })
    expect((await inject(client, 1, [fault])).faults).toMatchObject([{ id: 'day/0', active: true, instances: [one.id] }])
    const back = await client.until(() => client.instances.find(({ id, restarts, state }) => id === one.id && restarts === 1 && state === 'healthy'))
    expect(back.lastExit).toMatchObject({ signal: 'SIGKILL' })
    // Given again, and by an agent that knows nothing of it: the start that was meant is gone.
    await inject(client, 2, [fault])
    await killAgent(taken())
    const second = await start()
    await inject(second, 3, [fault])
    const after = await second.healthy(2)
    expect(after.find(({ id }) => id === one.id)!.restarts).toBe(1)
    expect(after.find(({ id }) => id === other.id)!.pid).toBe(other.pid)
  })

  test('of an older state is refused', async () => {
    const { client } = await serving(1)
    await inject(client, 5, [])
    const { status, body } = await client.call<{ error: { code: string } }>('PUT', '/faults', { generation: 4, faults: [] })
    expect([status, body.error.code]).toEqual([409, 'CONFLICT'])
    const wrong = await client.call<{ error: { code: string } }>('PUT', '/faults', { generation: 6, faults: [{ ...faultOf({}), gameDay: 'two\r\nlines', errors: { status: 503, percent: 1 } }] })
    expect([wrong.status, wrong.body.error.code]).toEqual([400, 'BAD_REQUEST'])
  })
})

describe('a burden', () => {
  const holds = async (client: Client): Promise<boolean> => {
    if (client.state!.host.cgroup !== 'none') return true
    console.warn('Burdens are not tried out: this machine lets us make no cgroups.')
    return false
  }

  test('keeps CPU busy within the limits of the instance, and is gone when it is taken back', async () => {
    const { client, instances } = await serving(1)
    const [one] = instances as [InstanceStatus]
    const fault = faultOf({ cpu: { cores: 2, targets: [targetOf(one)] } })
    const report = await inject(client, 1, [fault])
    if (!(await holds(client))) return expect(report.faults[0]!.problem).toContain('cgroups')
    await waitUntil(() => burners().length >= 2)
    const before = await cpuOf(client)
    await waitUntil(async () => (await cpuOf(client)).seconds > before.seconds + 0.3)
    const { seconds, atMs } = await cpuOf(client)
    // 0.2 cores are its limit, whatever burns in it.
    expect((seconds - before.seconds) / ((atMs - before.atMs) / 1000)).toBeLessThan(0.5)
    await inject(client, 2, [])
    await waitUntil(() => burners().length === 0)
    expect((await client.healthy(1))[0]!.pid).toBe(one.pid)
  })

  test('of memory fills the instance to the share that was asked for, and ends by its own clock', async () => {
    const { client, instances } = await serving(1)
    const [one] = instances as [InstanceStatus]
    await inject(client, 1, [faultOf({ memory: { percent: 80, targets: [targetOf(one)] }, until: new Date(Date.now() + 5000).toISOString() })])
    if (!(await holds(client))) return
    const memory = async (): Promise<number> => (await client.call<{ instances: InstanceStatus[] }>('GET', '/observed')).body.instances[0]!.memoryBytes ?? 0
    await waitUntil(async () => (await memory()) > 256 * megabyte * 0.75)
    await waitUntil(() => burners().length === 0)
    expect((await client.healthy(1))[0]!.pid).toBe(one.pid)
  })

  test('goes with an agent that is killed: the next one puts out what still burns', async () => {
    const { client, instances } = await serving(1)
    const [one] = instances as [InstanceStatus]
    await inject(client, 1, [faultOf({ cpu: { cores: 1, targets: [targetOf(one)] } })])
    if (!(await holds(client))) return
    await waitUntil(() => burners().length > 0)
    await killAgent(taken())
    const second = await start()
    await waitUntil(() => burners().length === 0)
    expect((await second.call<FaultReports>('GET', '/faults')).body).toEqual({ generation: 0, faults: [] })
    expect((await second.healthy(1))[0]!.pid).toBe(one.pid)
  })

  test('goes with its instance', async () => {
    const { client, instances } = await serving(1)
    const [one] = instances as [InstanceStatus]
    await inject(client, 1, [faultOf({ cpu: { cores: 1, targets: [targetOf(one)] } })])
    if (!(await holds(client))) return
    await waitUntil(() => burners().length > 0)
    process.kill(one.pid!, 'SIGKILL')
    await waitUntil(() => burners().length === 0)
  })
})

async function cpuOf(client: Client): Promise<{ seconds: number; atMs: number }> {
  const { body } = await client.call<{ instances: InstanceStatus[] }>('GET', '/observed')
  return { seconds: body.instances[0]!.cpuSeconds ?? 0, atMs: performance.now() }
}
