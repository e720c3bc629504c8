import { join } from 'node:path'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DesiredSet } from '@pavior/contract'
import { desiredSet, endpointsOf, isRoot, megabyte, startTestAgent, webApp, workload, writeApp, type TestAgent } from './harness.ts'

let it: TestAgent
let web: string
let generation = 1

beforeAll(async () => {
  it = await startTestAgent()
  web = writeApp(join(it.directory, 'web app'), { 'server.mjs': webApp })
})
afterEach(async () => {
  await it.client.desire(generation++, [])
  await it.client.until(() => it.client.instances.length === 0)
})
afterAll(async () => {
  await it.close()
})

const webSet = (over: Partial<DesiredSet> = {}) => desiredSet(workload(web, ['node', 'server.mjs']), over)
const desire = (...sets: DesiredSet[]) => it.client.desire(generation++, sets)
const nodeSet = (script: string, over: Partial<DesiredSet> = {}) => desiredSet(workload(web, ['node', '-e', script]), over)
const pidOf = async (port: number | undefined) => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text())

describe('instances', () => {
  test('start, serve, are routed, scale up and down, and go', async () => {
    await desire(webSet({ replicas: 2 }))
    const two = await it.client.healthy(2)
    expect(new Set(two.map((each) => each.port)).size).toBe(2)
    for (const each of two) {
      expect(await pidOf(each.port)).toBeGreaterThan(0)
      expect(each).toMatchObject({ restarts: 0, crashLoop: false, set: 'set-1' })
      expect(each.id).toMatch(/^shop-web-1-[0-9a-f]{10}$/)
      expect(readFileSync(`/proc/${each.pid}/cmdline`, 'utf8')).toContain('server.mjs')
    }
    expect(endpointsOf(it.router.tables.at(-1)).sort()).toEqual(two.map((each) => each.id).sort())
    await it.client.until(() => it.client.state?.routedGeneration === generation - 1)
    await desire(webSet({ replicas: 1 }))
    const [left] = await it.client.healthy(1)
    expect(endpointsOf(it.router.tables.at(-1))).toEqual([left!.id])
    await desire()
    await it.client.until(() => it.client.instances.length === 0)
    expect(readdirSync(join(it.home, 'agent', 'runs'))).toEqual([])
    expect(readdirSync(join(it.home, 'agent', 'scratch'))).toEqual([])
    expect((await it.client.lines(left!.id)).map((each) => each.line)).toEqual([`listening on ${left!.port}`, 'ending'])
  })

  test('leave traffic before they are drained, and are drained before they are told to end', async () => {
    await desire(webSet())
    const [one] = await it.client.healthy(1)
    let release = () => {}
    it.router.holdDrain = new Promise((resolve) => (release = resolve))
    it.router.log.length = 0
    await desire()
    await it.client.until(() => it.client.instances[0]?.state === 'draining')
    await expect.poll(() => it.router.log).toEqual(['update ', `drain ${one!.id}`])
    expect(await pidOf(one!.port)).toBeGreaterThan(0)
    release()
    it.router.holdDrain = undefined
    await it.client.until(() => it.client.instances.length === 0)
    expect((await it.client.lines(one!.id)).at(-1)?.line).toBe('ending')
  })

  test('are replaced one by one when the restart token changes, with capacity kept', async () => {
    await desire(webSet({ replicas: 2, restartToken: 'a' }))
    const before = await it.client.healthy(2)
    it.router.tables.length = 0
    await desire(webSet({ replicas: 2, restartToken: 'b' }))
    const after = await it.client.until(() => {
      const { instances } = it.client
      return (
        instances.length === 2 &&
        instances.every((each) => each.state === 'healthy' && !before.some((old) => old.id === each.id)) &&
        instances
      )
    })
    expect(after.length).toBe(2)
    expect(it.router.tables.every((table) => endpointsOf(table).length >= 2)).toBe(true)
    expect(Math.max(...it.client.events.map(() => it.client.instances.length))).toBeLessThanOrEqual(3)
    // The same token again changes nothing.
    await desire(webSet({ replicas: 2, restartToken: 'b' }))
    expect((await it.client.healthy(2)).map((each) => each.id).sort()).toEqual(after.map((each) => each.id).sort())
  })

  test('without a port are healthy once they have run for a while', async () => {
    await desire(
      nodeSet('console.log("port", process.env.PORT); setInterval(() => {}, 1000)', { listens: false, process: 'worker', minReadyMs: 300 }),
    )
    const [worker] = await it.client.healthy(1)
    expect(Date.parse(worker!.healthyAt!) - Date.parse(worker!.startedAt!)).toBeGreaterThanOrEqual(295)
    await expect.poll(async () => (await it.client.lines(worker!.id)).map((each) => each.line)).toEqual(['port undefined'])
    expect(endpointsOf(it.router.tables.at(-1))).toEqual([])
  })

  test('that ignore SIGTERM are killed after the grace', async () => {
    const script =
      'process.on("SIGTERM", () => console.log("no")); require("http").createServer((q, r) => r.end()).listen(process.env.PORT)'
    await desire(nodeSet(script, { stopGraceMs: 400 }))
    const [one] = await it.client.healthy(1)
    const begunMs = Date.now()
    await desire()
    await it.client.until(() => it.client.instances.length === 0)
    expect(Date.now() - begunMs).toBeGreaterThanOrEqual(390)
    expect((await it.client.lines(one!.id)).map((each) => each.line)).toEqual(['no'])
  })

  test('report CPU and memory', async () => {
    await desire(webSet())
    await it.client.healthy(1)
    const { body } = await it.client.call<{ instances: { cpuSeconds: number; memoryBytes: number }[] }>('GET', '/observed')
    await expect
      .poll(async () => (await it.client.call<typeof body>('GET', '/observed')).body.instances[0]!.cpuSeconds, { timeout: 5000 })
      .toBeGreaterThan(0.005)
    const memory = (await it.client.call<typeof body>('GET', '/observed')).body.instances[0]!.memoryBytes
    expect(memory).toBeGreaterThan(5 * megabyte)
    expect(memory).toBeLessThan(300 * megabyte)
  })
})

describe('problems', () => {
  const problemOf = (code: string) => it.client.until(() => it.client.instances.find((each) => each.problem?.code === code))

  test('the wrong port is named', async () => {
    await desire(
      nodeSet(
        'console.log("here"); require("http").createServer((q, r) => r.end()).listen(0, "127.0.0.1", function () { console.log(this.address().port) })',
        { startTimeoutMs: 600 },
      ),
    )
    const one = await problemOf('PORT_NOT_BOUND')
    const other = Number((await it.client.lines(one.id)).at(-1)?.line)
    expect(one.state).toBe('starting')
    expect(one.problem!.message).toBe(`shop v1 did not listen on PORT ${one.port} within 600 ms; it listens on ${other} instead.`)
    expect(one.problem!.facts).toMatchObject({ boundPorts: [other], lastLines: ['here', String(other)] })
    // It is given up later and started again.
    await it.client.until(() => it.client.instances.find((each) => each.restarts > 0))
  })

  test('the status of a failing health check is named, and a late success heals', async () => {
    const script =
      'let ok = false; process.on("SIGUSR2", () => (ok = true)); require("http").createServer((q, r) => { r.statusCode = ok ? 204 : 500; r.end() }).listen(process.env.PORT)'
    await desire(
      nodeSet(script, { startTimeoutMs: 1500, probe: { path: '/up?x=1', intervalMs: 100, timeoutMs: 500, failureThreshold: 2 } }),
    )
    const one = await problemOf('HEALTH_CHECK_FAILED')
    expect(one.problem!.message).toBe('shop v1 answered /up?x=1 with status 500 for 1.5 s after its start.')
    process.kill(one.pid!, 'SIGUSR2')
    const [healthy] = await it.client.healthy(1)
    expect(healthy!.problem).toBeUndefined()
  })

  test('a healthy instance that stops answering leaves traffic and is started again', async () => {
    const script =
      'let ok = true; process.on("SIGUSR2", () => (ok = false)); require("http").createServer((q, r) => { if (ok) r.end("x") }).listen(process.env.PORT)'
    await desire(nodeSet(script, { probe: { path: '/', intervalMs: 60, timeoutMs: 150, failureThreshold: 3 } }))
    const [one] = await it.client.healthy(1)
    process.kill(one!.pid!, 'SIGUSR2')
    const failing = await it.client.until(() => it.client.instances.find((each) => each.state !== 'healthy'))
    expect(failing.problem?.code).toBe('HEALTH_CHECK_FAILED')
    const again = await it.client.until(() => it.client.instances.find((each) => each.state === 'healthy' && each.restarts === 1))
    expect(again.id).toBe(one!.id)
    expect(again.pid).not.toBe(one!.pid)
    expect(again.lastExit?.signal).toBe('SIGTERM')
    expect(it.router.log).toContain('update ')
  })

  test('an exit at once is told with its code and last lines, waits longer each time, and becomes a crash loop', async () => {
    await desire(nodeSet('console.log("begin"); console.error("it broke"); process.exit(3)'))
    const one = await problemOf('PROCESS_EXITED')
    expect(one.problem!.message).toMatch(/^shop v1 exited with code 3 after .*, before it was healthy\.$/)
    expect(one.problem).toMatchObject({ why: 'It said: it broke', facts: { code: 3, lastLines: ['begin', 'it broke'] } })
    expect(one.lastExit).toMatchObject({ code: 3 })
    const looping = await it.client.until(() => it.client.instances.find((each) => each.crashLoop))
    expect(looping.restarts).toBeGreaterThanOrEqual(3)
    const lines = await it.client.lines(one.id)
    const starts = lines.filter((each) => each.line === 'begin').map((each) => Date.parse(each.time))
    // At least 100, 200 and 400 ms, less the jitter of a fifth and the resolution of the log.
    expect(starts[3]! - starts[0]!).toBeGreaterThan(500)
    expect(it.router.tables.at(-1)!.sets[0]!.reason).toContain('exited with code 3')
  })

  test('an exit later leaves traffic at once and comes back on another start', async () => {
    await desire(
      nodeSet('require("http").createServer((q, r) => { r.end(); process.kill(process.pid, "SIGKILL") }).listen(process.env.PORT)'),
    )
    const [one] = await it.client.healthy(1)
    await fetch(`http://127.0.0.1:${one!.port}/`).catch(() => {})
    const again = await it.client.until(() => it.client.instances.find((each) => each.restarts === 1 && each.state === 'healthy'))
    expect(again.lastExit).toMatchObject({ signal: 'SIGKILL' })
    expect(again.lastExit!.outOfMemory).toBeUndefined()
    expect(again.crashLoop).toBe(false)
  })

  test('a command that is not there', async () => {
    await desire(desiredSet(workload(web, ['no-such-server', '--port'])))
    const one = await problemOf('START_FAILED')
    expect(one.problem!.message).toContain('no-such-server was not found')
  })

  test('a directory that is not there', async () => {
    await desire(desiredSet(workload(join(it.directory, 'gone'), ['true'])))
    const one = await problemOf('START_FAILED')
    expect(one.problem!.message).toContain('does not exist')
    expect(one.state).toBe('backoff')
  })

  test('memory that runs out', async (context) => {
    if (it.agent.capabilities.cgroup === 'none') return context.skip()
    const script =
      'const a = []; setInterval(() => a.push(Buffer.alloc(8 << 20, 1)), 1); require("http").createServer((q, r) => r.end()).listen(process.env.PORT)'
    await desire(desiredSet(workload(web, ['node', '-e', script], { limits: { memoryBytes: 100 * megabyte, cpu: 1, pids: 50 } })))
    const one = await problemOf('OUT_OF_MEMORY')
    expect(one.problem!.message).toBe('shop v1 was killed because it used more than its 100 MB of memory.')
    expect(one.lastExit).toMatchObject({ signal: 'SIGKILL', outOfMemory: true })
  })

  test('100 MB of log without end and without line breaks do not hurt the agent', async () => {
    const script =
      'const b = Buffer.alloc(1 << 20, 120); for (let i = 0; i < 100; i++) require("fs").writeSync(1, b); console.log("\\nlast line"); require("http").createServer((q, r) => r.end()).listen(process.env.PORT)'
    await desire(nodeSet(script))
    const [one] = await it.client.healthy(1)
    await expect
      .poll(() => statSync(join(it.home, 'agent', 'logs', `${one!.id}.log`)).blocks * 512, { timeout: 10_000 })
      .toBeLessThan(40 * megabyte)
    expect((await it.client.lines(one!.id, 'tail=1')).map((each) => [each.line, each.next])).toEqual([['last line', 100 * megabyte + 11]])
    expect(process.memoryUsage.rss()).toBeLessThan(600 * megabyte)
  })
})

describe('the state', () => {
  test('that is older is refused, and secrets are nowhere in clear', async () => {
    const secret = 'open-sesame-4711'
    await desire(desiredSet(workload(web, ['node', 'server.mjs'], { env: { PASSWORD: secret } })))
    await it.client.healthy(1)
    const { status, body } = await it.client.call<{ error: { code: string } }>('PUT', '/desired', { generation: 0, sets: [], routes: [] })
    expect([status, body.error.code]).toEqual([409, 'CONFLICT'])
    for (const name of readdirSync(it.home, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name)).includes(secret), name.name).toBe(false)
    }
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      expect(commandLine(pid), pid).not.toContain(secret)
    }
  })

  test('that makes no sense is refused', async () => {
    for (const body of [{}, { generation: -1, sets: [], routes: [] }, { generation: 99_999, sets: [{}], routes: [] }, [], 'x']) {
      expect((await it.client.call('PUT', '/desired', body)).status).toBe(400)
    }
    const bad = webSet({ probe: { path: '/a b\r\nX: y', intervalMs: 1, timeoutMs: 1, failureThreshold: 1 } })
    expect((await it.client.call('PUT', '/desired', { generation: 99_999, sets: [bad], routes: [] })).status).toBe(400)
    expect((await it.client.call('PUT', '/tasks/..%2f..%2fx', {})).status).toBe(400)
    expect((await it.client.call('GET', '/nothing')).status).toBe(404)
  })

  test('is behind a socket that is only ours', () => {
    expect(statSync(join(it.directory, 's.sock')).mode & 0o777).toBe(0o600)
  })
})

describe.runIf(isRoot)('users', () => {
  test('apps have their own, always the same', async () => {
    const script = 'require("http").createServer((q, r) => r.end(String(process.getuid()))).listen(process.env.PORT)'
    const set = (app: string) => desiredSet(workload(web, ['node', '-e', script], { app }), { id: `set-${app}` })
    await desire(set('one'), set('two'))
    const both = await it.client.healthy(2)
    const uids = Object.fromEntries(await Promise.all(both.map(async (each) => [each.set, await pidOf(each.port)])))
    expect(uids['set-one']).toBeGreaterThanOrEqual(200_000)
    expect(uids['set-two']).toBeGreaterThanOrEqual(200_000)
    expect(uids['set-one']).not.toBe(uids['set-two'])
    await desire(set('one'))
    await it.restart()
    const [one] = await it.client.healthy(1)
    expect(await pidOf(one!.port)).toBe(uids['set-one'])
  })
})

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
