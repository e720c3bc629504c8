/** The agent as a process of its own, killed, started again, run by an ordinary user. */
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ObservedState, TaskStatus } from '@pavior/contract'
import { bundleAgent } from './bundle.ts'
import { killAgent, stopAgent, type RunningAgent } from './agent-process.ts'
import { Client, desiredSet, isRoot, task, temporaryDirectory, webApp, workload, writeApp } from './harness.ts'

let dist: string
let directory: string
let running: RunningAgent | undefined

beforeAll(async () => {
  dist = await bundleAgent()
  chmodSync(dist, 0o755)
})
afterAll(() => rmSync(dist, { recursive: true, force: true }))
afterEach(async () => {
  if (running) await stop()
  rmSync(directory, { recursive: true, force: true })
})

const home = () => join(directory, 'home')

/** `logFile`: where it says that it is ready, when not on its standard output. */
async function start(options: { user?: number; flags?: string[]; logFile?: string } = {}): Promise<Client> {
  const socket = join(directory, 'run', 's.sock')
  const child = spawn(
    process.execPath,
    [
      join(dist, 'agent.mjs'),
      '--home',
      home(),
      '--socket',
      socket,
      '--router-port',
      '0',
      '--router-host',
      '127.0.0.1',
      '--router-workers',
      '1',
      ...(options.flags ?? []),
      ...(options.logFile === undefined ? [] : ['--log-file', options.logFile]),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      uid: options.user,
      gid: options.user,
      cwd: '/',
      detached: true,
    },
  )
  let output = ''
  const ready = new Promise<void>((resolve, reject) => {
    const take = (bytes: Buffer) => {
      output += String(bytes)
      if (output.includes('agent ready')) resolve()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('exit', (code) => reject(new Error(`agent ended with ${code}: ${output}`)))
  })
  const { logFile } = options
  await (logFile === undefined ? ready : Promise.race([ready, expect.poll(() => existsSync(logFile) && readFileSync(logFile, 'utf8')).toContain('agent ready')]))
  const client = new Client(socket)
  await client.follow()
  running = { child, client }
  return client
}

/** The one that runs, which is nobody's any more. */
function taken(): RunningAgent {
  const one = running!
  running = undefined
  return one
}

const kill = (): Promise<void> => killAgent(taken())
const stop = (): Promise<void> => stopAgent(taken())

function prepare(): void {
  directory = temporaryDirectory()
  mkdirSync(join(directory, 'run'))
}

const talkingApp = `
import { createServer } from 'node:http'
let count = 0
createServer((request, response) => response.end(String(process.pid))).listen(process.env.PORT, () => setInterval(() => console.log('line', count++), 5))
`

describe('an agent that is killed', () => {
  test('leaves instances serving, and the next one takes them over with port, count and every log line', async () => {
    prepare()
    const app = writeApp(join(directory, 'app'), { 'talk.mjs': talkingApp })
    const first = await start()
    await first.desire(1, [desiredSet(workload(app, ['node', 'talk.mjs']), { replicas: 2 })])
    const before = await first.healthy(2)
    await kill()
    for (const each of before) expect((await fetch(`http://127.0.0.1:${each.port}/`)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const second = await start()
    const after = await second.healthy(2)
    const essence = (list: typeof before) =>
      list
        .map(({ id, pid, port, restarts, startedAt }) => ({ id, pid, port, restarts, startedAt }))
        .sort((one, other) => one.id.localeCompare(other.id))
    expect(essence(after)).toEqual(essence(before))
    for (const each of after) {
      const lines = (await second.lines(each.id)).map((line) => line.line)
      expect(lines.length).toBeGreaterThan(20)
      expect(lines).toEqual(lines.map((_, index) => `line ${index}`))
    }
    expect(readdirSync(join(home(), 'agent', 'runs')).length).toBe(2)
  })

  test('routes again at once, and knows of exits that happened meanwhile', async () => {
    prepare()
    const app = writeApp(join(directory, 'app'), { 'server.mjs': webApp })
    const first = await start()
    const set = desiredSet(workload(app, ['node', 'server.mjs']))
    const route = {
      id: 'r',
      team: 'payments',
      app: 'shop',
      environment: 'production',
      host: 'shop.localhost',
      path: '/',
      backends: [{ set: 'set-1', weight: 100 }],
      requestTimeoutMs: 5000,
    }
    await first.desire(1, [set], { routes: [route] })
    const [one] = await first.healthy(1)
    const ask = async (client: Client) => {
      await client.until(() => client.state?.routedGeneration === 1)
      const { request } = await import('node:http')
      return new Promise<number | undefined>((resolve, reject) => {
        request({ port: client.state!.routerPort, host: '127.0.0.1', headers: { host: 'shop.localhost' } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
    }
    // The table with the instance that has just become healthy follows the news of it.
    await expect.poll(() => ask(first)).toBe(200)
    await kill()
    const second = await start()
    expect(await ask(second)).toBe(200)
    await kill()
    process.kill(one!.pid!, 'SIGSEGV')
    await expect.poll(() => existsSync(`/proc/${one!.pid}`)).toBe(false)
    const third = await start()
    const again = await third.until(() => third.instances.find((each) => each.state === 'healthy' && each.restarts === 1))
    expect(again.id).toBe(one!.id)
    expect(again.lastExit).toMatchObject({ signal: 'SIGSEGV' })
  })

  test('takes tasks over, and keeps the exit of those that end meanwhile', async () => {
    prepare()
    const app = writeApp(join(directory, 'build'), {})
    const first = await start()
    const shell = (script: string) => task(workload(app, ['sh', '-c', script], { writable: true }))
    await first.call('PUT', '/tasks/long', shell('echo begin; while [ ! -e go ]; do sleep 0.05; done; echo end; exit 5'))
    await first.call('PUT', '/tasks/short', shell('echo hello; while [ ! -e stop ]; do sleep 0.05; done; exit 137'))
    await expect.poll(async () => (await first.lines('short')).length).toBe(1)
    await kill()
    writeApp(app, { stop: '' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const second = await start()
    expect((await second.taskEnd('short')).exit).toMatchObject({ code: 137 })
    expect((await second.call<TaskStatus>('GET', '/tasks/long')).body.state).toBe('running')
    expect((await second.call<TaskStatus>('PUT', '/tasks/long', shell('exit 0'))).body.state).toBe('running')
    writeApp(app, { go: '' })
    expect((await second.taskEnd('long')).exit).toMatchObject({ code: 5 })
    expect((await second.lines('long')).map((each) => each.line)).toEqual(['begin', 'end'])
  })
})

describe('an agent', () => {
  test('is the only one on its home, whoever asks at the same moment', async () => {
    prepare()
    await start()
    const { pid } = running!.child
    const second = await start().catch((error: Error) => error)
    expect(String(second)).toContain('ALREADY_RUNNING')
    expect(String(second)).toContain(`pid ${pid}`)
    const holder = JSON.parse(readFileSync(join(home(), 'agent', 'agent.pid'), 'utf8')) as { pid: number; routerPort: number }
    expect(holder).toMatchObject({ pid, routerPort: running!.client.state!.routerPort })
  })

  test('sets its own log aside while it runs', async () => {
    prepare()
    const logFile = join(directory, 'agent.log')
    const client = await start({ logFile })
    truncateSync(logFile, 21 * 1024 * 1024)
    const worker = (await client.call<ObservedState>('GET', '/observed')).body.processes.find(({ role }) => role === 'router')!
    process.kill(worker.pid, 'SIGKILL')
    await expect.poll(() => existsSync(`${logFile}.1`)).toBe(true)
    expect(statSync(logFile).size).toBeLessThan(1024 * 1024)
    expect(readFileSync(`${logFile}.1`, 'latin1').slice(-1000)).toContain('A router worker ended and is replaced.')
    await stop()
    expect(readFileSync(logFile, 'utf8')).toMatch(/\S/)
  })

  test('ends on SIGTERM and leaves what it runs alone', async () => {
    prepare()
    const app = writeApp(join(directory, 'app'), { 'server.mjs': webApp })
    const first = await start()
    await first.desire(1, [desiredSet(workload(app, ['node', 'server.mjs']))])
    const [one] = await first.healthy(1)
    const { child } = running!
    const gone = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    child.kill('SIGTERM')
    expect(await gone).toBe(0)
    first.close()
    expect(existsSync(join(home(), 'agent', 'agent.pid'))).toBe(false)
    expect((await fetch(`http://127.0.0.1:${one!.port}/`)).status).toBe(200)
    const second = await start()
    expect((await second.healthy(1))[0]!.pid).toBe(one!.pid)
    await stop()
    await expect.poll(() => existsSync(`/proc/${one!.pid}`)).toBe(false)
  })

  test('tells what it measures', async () => {
    prepare()
    const client = await start()
    const { body } = await client.call<string>('GET', '/metrics')
    expect(body).toMatch(/^pavior_agent_instances\{state="healthy"\} 0$/m)
    expect(body).toMatch(/^pavior_agent_resident_memory_bytes\{role="router",pid="\d+"\} \d+$/m)
    expect((await client.call<{ ok: boolean }>('GET', '/healthz')).body.ok).toBe(true)
  })
})

describe.runIf(isRoot).each([['bubblewrap'], ['none']])('as an ordinary user, sandbox %s', (sandbox) => {
  test('everything works, with less kept apart', async (context) => {
    directory = mkdtempSync(join(tmpdir(), 'pavior user '))
    const nobody = 65534
    chownSync(directory, nobody, nobody)
    mkdirSync(join(directory, 'run'))
    chownSync(join(directory, 'run'), nobody, nobody)
    const app = writeApp(join(directory, 'app'), { 'server.mjs': webApp })
    const client = await start({ user: nobody, flags: ['--sandbox', sandbox] })
    const { host } = client.state as ObservedState
    expect(host).toMatchObject({ users: false, cgroup: 'none' })
    expect(host.notes.join(' ')).toContain('does not run as root')
    if (host.sandbox !== sandbox) {
      console.log(`skipped: ${host.notes.join(' ')}`)
      return context.skip()
    }
    await client.desire(1, [desiredSet(workload(app, ['node', 'server.mjs']))])
    const [one] = await client.healthy(1)
    expect((await fetch(`http://127.0.0.1:${one!.port}/`)).status).toBe(200)
    expect(readFileSync(`/proc/${one!.pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534\s+65534/m)
    await kill()
    const second = await start({ user: nobody, flags: ['--sandbox', sandbox] })
    expect((await second.healthy(1))[0]).toMatchObject({ pid: one!.pid, port: one!.port })
    const elsewhere = 'require("http").createServer((q, r) => r.end()).listen(0, "127.0.0.1")'
    await second.desire(2, [desiredSet(workload(app, ['node', '-e', elsewhere]), { id: 'set-2', startTimeoutMs: 1000 })])
    const wrong = await second.until(() => second.instances.find((each) => each.problem?.code === 'PORT_NOT_BOUND'))
    expect(wrong.problem!.message).toMatch(/it listens on \d+ instead\.$/)
    await second.desire(3, [])
    await second.until(() => second.instances.length === 0)
    expect(existsSync(`/proc/${one!.pid}`)).toBe(false)
  })
})
