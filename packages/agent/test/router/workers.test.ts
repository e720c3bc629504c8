import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startRouter, type Router } from '../../src/router/index.ts'
import { atEnd, bundle, call, cleanUp, listen, quietLog, rawClient, setOf, signal, tableOf, testApp, testRouter } from './harness.ts'

afterEach(cleanUp)

describe('workers', () => {
  test('a killed worker is replaced with the same table, and connections to the other go on', async () => {
    const app = await testApp()
    const router = await testRouter({ workers: 2 })
    await router.update(tableOf([setOf('v1', [app.port])]))
    // Connections until each worker has some, told apart by which break when one is killed.
    const clients = Array.from({ length: 24 }, () => rawClient(router))
    await Promise.all(clients.map((client) => client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n').until(/hello/)))
    const [victim, other] = router.workers()
    const broken = new Set<number>()
    clients.forEach((client, index) => void client.ended.then(() => broken.add(index)))
    process.kill(victim!.pid, 'SIGKILL')
    await replaced(router, victim!.pid)
    const survivors = clients.filter((_, index) => !broken.has(index))
    for (const client of survivors) {
      client.received = ''
      await client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n').until(/hello/)
    }
    expect(router.workers().map(({ pid }) => pid)).toContain(other!.pid)
    expect((await Promise.all(Array.from({ length: 20 }, () => call(router)))).every(({ status }) => status === 200)).toBe(true)
  })

  test('while the only worker is being replaced, new connections wait instead of being refused', async () => {
    const app = await testApp()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])]))
    expect((await call(router)).status).toBe(200)
    const [victim] = router.workers()
    process.kill(victim!.pid, 'SIGKILL')
    await replaced(router, victim!.pid)
    expect((await call(router)).status).toBe(200)
  })

  test('update and drain do not wait for a worker that dies', async () => {
    const app = await testApp()
    const router = await testRouter({ workers: 2 })
    const set = setOf('v1', [app.port])
    const updated = router.update(tableOf([set]))
    process.kill(router.workers()[0]!.pid, 'SIGKILL')
    await updated
    const drained = router.drain('unknown', 5_000)
    process.kill(router.workers().at(-1)!.pid, 'SIGKILL')
    expect(await drained).toEqual({ inFlight: 0 })
  })

  test('workers end with the process that started them, whatever its end', async () => {
    const directory = await bundle()
    const script = `import { startRouter } from ${JSON.stringify(join(directory, 'router.mjs'))}
      const log = { info() {}, warn() {}, error() {} }
      const router = await startRouter({ port: 0, host: '127.0.0.1', workers: 2, log })
      process.send(router.workers().map(({ pid }) => pid))`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    atEnd(() => owner.kill('SIGKILL'))
    const pids = await new Promise<number[]>((resolve) => owner.once('message', (message) => resolve(message as number[])))
    owner.kill('SIGKILL')
    expect(pids).toHaveLength(2)
    while (pids.some((pid) => isRunning(pid))) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test('a port that is taken is said so', async () => {
    const blocker = createTcpServer()
    const port = await listen(blocker)
    atEnd(() => blocker.close())
    await expect(testRouter({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })

  test('close lets a request end and frees the port', async () => {
    const arrived = signal()
    const app = await testApp((_, response) => {
      arrived.resolve()
      setTimeout(() => response.end('last'), 200)
    })
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])]))
    const idle = rawClient(router).send('GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n')
    await idle.until(/ROUTE_NOT_FOUND/)
    const last = call(router)
    await arrived.promise
    const { port } = router
    await Promise.all([router.close(), idle.ended])
    expect((await last).body).toBe('last')
    const again = await startRouter({ port, host: '127.0.0.1', workers: 0, log: quietLog })
    expect(again.port).toBe(port)
    await again.close()
  })
})

async function replaced(router: Router, pid: number): Promise<void> {
  const deadline = Date.now() + 10_000
  while (router.workers().some((worker) => worker.pid === pid) || router.workers().length === 0) {
    if (Date.now() > deadline) throw new Error('the worker was not replaced')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

describe('records', () => {
  test('every request is counted once, by instance, status and duration, merged over the workers', async () => {
    const app = await testApp((request, response) => {
      response.statusCode = Number(request.url!.slice(1))
      response.end('x'.repeat(1_000))
    })
    const router = await testRouter({ workers: 2, settings: { recordIntervalMs: 600_000 } })
    const sets = [setOf('v1', [app.port], { release: 7 }), setOf('v2', [], { release: 8 })]
    await router.update(tableOf(sets, [{ backends: { v1: 1 } }, { host: 'empty.test', backends: { v2: 1 } }]))
    await Promise.all([200, 200, 200, 302, 404, 500].map((status) => call(router, `/${status}`)))
    await call(router, '/', { host: 'empty.test' })
    await router.close()
    const records = router.takeRecords()
    // Two intervals if the test fell on their border.
    const sum = (pick: (record: (typeof records)[number]) => number, release: number): number => records
      .filter((record) => record.release === release).reduce((total, record) => total + pick(record), 0)
    expect([0, 1, 2, 3, 4].map((index) => sum((record) => record.statusClasses[index]!, 7))).toEqual([0, 3, 1, 1, 1])
    expect(sum((record) => record.durationBuckets.reduce((a, b) => a + b), 7)).toBe(6)
    expect(sum((record) => record.bytesOut, 7)).toBeGreaterThan(6_000)
    expect(sum((record) => record.routerErrors, 7)).toBe(0)
    expect([sum((record) => record.statusClasses[4], 8), sum((record) => record.routerErrors, 8)]).toEqual([1, 1])
    expect(records[0]).toMatchObject({ team: 'payments', app: 'checkout-api', environment: 'production', intervalMs: 600_000 })
    expect(router.takeRecords()).toEqual([])
  })
})
