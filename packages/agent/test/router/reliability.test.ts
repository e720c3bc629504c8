import * as http from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startRouter, type Router } from '../../src/router/index.ts'
import { atEnd, call, cleanUp, closedPort, listen, quietLog, rawApp, rawClient, setOf, signal, tableOf, testApp, testRouter, type TestApp } from './harness.ts'

afterEach(cleanUp)

/** Waits until a metric of the router has the wanted value. */
async function metric(router: Router, name: string, wanted: (value: number) => boolean): Promise<number> {
  for (;;) {
    const line = router.metrics().split('\n').find((candidate) => candidate.startsWith(`pavior_router_${name} `))
    const value = Number(line?.split(' ')[1] ?? NaN)
    if (wanted(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('instances that fail', () => {
  test('a refused connection is tried once more elsewhere, and the instance is passed over for a while', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { ejectMs: 60_000, ejectMaxMs: 60_000 } })
    await router.update(tableOf([setOf('v1', [await closedPort(), app.port])]))
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(router, '/', { method: 'POST', body: 'once' })))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const failures = await metric(router, 'connect_failures_total', (value) => value > 0)
    // Passed over: a second round does not even try it.
    for (let i = 0; i < 20; i++) await call(router)
    await metric(router, 'responses_total{class="2xx"}', (value) => value === 40)
    expect(await metric(router, 'connect_failures_total', () => true)).toBe(failures)
  })

  test('the last instance is never passed over', async () => {
    const port = await closedPort()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    for (let i = 0; i < 3; i++) expect((await call(router)).status).toBe(502)
    const server = http.createServer((_, response) => response.end('back'))
    await listen(server, port)
    atEnd(() => server.close())
    expect((await call(router)).body).toBe('back')
  })

  test('a release whose instances all refuse leaves its requests to the other release', async () => {
    const app = await testApp()
    const router = await testRouter()
    await router.update(tableOf([setOf('stable', [app.port]), setOf('canary', [await closedPort()])], [{ backends: { stable: 50, canary: 50 } }]))
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(router)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })

  test('a stale connection is replaced for what may be repeated, and only for that', async () => {
    // Answers the first request of each connection and breaks off at the second, as an instance does that just timed out.
    const served: string[] = []
    const { port } = await rawApp((socket) => {
      let first = true
      socket.on('data', (data) => {
        const method = data.toString().split(' ')[0]!
        if (!first) return socket.resetAndDestroy()
        first = false
        served.push(method)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    expect((await call(router)).status).toBe(200)
    expect((await call(router)).status).toBe(200)
    expect((await call(router, '/', { method: 'POST' })).status).toBe(502)
    expect(served).toEqual(['GET', 'GET'])
  })

  test('an instance that breaks off on a new connection is not asked again', async () => {
    let connections = 0
    const { port } = await rawApp((socket) => {
      connections++
      socket.once('data', () => socket.destroy())
    })
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    expect((await call(router)).status).toBe(502)
    expect(connections).toBe(1)
  })

  test('bytes behind an answer never become the next answer', async () => {
    let connections = 0
    const { port } = await rawApp((socket) => {
      connections++
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrightHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong'))
    })
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    for (let i = 0; i < 5; i++) expect((await call(router)).body).toBe('right')
    expect(connections).toBe(5)
  })

  test('an instance that leaves the body of a GET unread cannot mix up requests', async () => {
    const seen: string[][] = []
    const { port } = await rawApp((socket) => {
      const onThis: string[] = []
      seen.push(onThis)
      socket.on('data', (data) => {
        const paths = [...data.toString().matchAll(/^[A-Z]+ (\S+) HTTP/gm)].map((match) => match[1]!)
        onThis.push(...paths)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n'
    await rawClient(router).send(`GET /first HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`).until(/ok/)
    expect((await call(router, '/second')).body).toBe('ok')
    expect(seen).toEqual([['/first', '/smuggled'], ['/second']])
  })
})

describe('clients that are slow', () => {
  test('a head that never ends in time is given up', async () => {
    const router = await testRouter({ settings: { headersTimeoutMs: 300 } })
    const client = rawClient(router).send('GET / HTTP/1.1\r\n')
    const drip = setInterval(() => client.send('X-Slow: 1\r\n'), 50)
    expect(await client.ended).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    clearInterval(drip)
  })

  test('a connection without a request is closed', async () => {
    const router = await testRouter({ settings: { headersTimeoutMs: 300 } })
    expect(await rawClient(router).ended).toBe('')
  })

  test('an idle connection is closed after its time, not before', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { keepAliveTimeoutMs: 600, headersTimeoutMs: 200 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const client = rawClient(router).send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await client.until(/hello/)
    const since = performance.now()
    await client.ended
    expect(performance.now() - since).toBeGreaterThan(500)
  })

  test('a body that stops coming is given up, and the instance is told', async () => {
    const gone = signal()
    const app = await testApp((request) => void request.on('error', () => {}).on('close', () => gone.resolve()))
    const router = await testRouter({ settings: { bodyIdleTimeoutMs: 300 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const client = rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nonly this')
    expect(await client.ended).toMatch(/^HTTP\/1\.1 408 /)
    await gone.promise
  })

  test('a slow upload that goes on is not cut off by the time limit of its answer', async () => {
    const app = await testApp((request, response) => request.resume().on('end', () => response.end('all there')))
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])], [{ timeoutMs: 400 }]))
    const client = rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n')
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      client.send('x')
    }
    expect(await client.until(/all there/)).toMatch(/^HTTP\/1\.1 200/)
  })

  test('two hundred slow connections do not keep others from being served', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { headersTimeoutMs: 5_000 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const slow = Array.from({ length: 200 }, () => rawClient(router).send('GET / HTTP/1.1\r\nHost: app'))
    await Promise.all(slow.map(({ socket }) => socket.connecting ? new Promise((resolve) => socket.once('connect', resolve)) : undefined))
    expect((await call(router)).status).toBe(200)
  })

  test('connections above the limit are closed at once', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { maxConnections: 2 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const kept = [rawClient(router), rawClient(router)]
    for (const client of kept) await client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n').until(/hello/)
    expect(await rawClient(router).ended).toBe('')
  })
})

/** Requests without pause on several connections, some kept and some new, until told to stop. */
function constantLoad(router: Router, kinds: ('kept' | 'new')[]): { stop(): Promise<{ requests: number; failures: string[] }> } {
  let stopped = false
  let requests = 0
  const failures: string[] = []
  const loops = kinds.map(async (kind) => {
    const agent = kind === 'kept' ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!stopped) {
      try {
        const answer = await call(router, '/', { agent: agent ?? false })
        if (answer.status !== 200) failures.push(`${answer.status} ${answer.body}`)
      } catch (error) {
        failures.push(String(error))
      }
      requests++
    }
    agent?.destroy()
  })
  return {
    stop: async () => {
      stopped = true
      await Promise.all(loops)
      return { requests, failures }
    },
  }
}

/** Ends an instance as the supervisor does: no new connections, then the end. */
async function stopApp(app: TestApp): Promise<void> {
  app.server.closeAllConnections()
  await new Promise((resolve) => app.server.close(resolve))
}

describe('switching', () => {
  test('20 switches under constant load, none of the requests fails', async () => {
    const router = await testRouter({ workers: 2 })
    const slowly: http.RequestListener = (_, response) => void setTimeout(() => response.end('ok'), 3)
    let apps = [await testApp(slowly), await testApp(slowly)]
    let set = setOf('v0', apps.map(({ port }) => port))
    await router.update(tableOf([set]))
    const load = constantLoad(router, ['kept', 'kept', 'kept', 'kept', 'new', 'new', 'new', 'new'])
    for (let release = 1; release <= 20; release++) {
      const next = [await testApp(slowly), await testApp(slowly)]
      const nextSet = setOf(`v${release}`, next.map(({ port }) => port), { release })
      await router.update(tableOf([nextSet]))
      for (const { instance } of set.endpoints) expect(await router.drain(instance, 5_000)).toEqual({ inFlight: 0 })
      await Promise.all(apps.map(stopApp))
      const before = next[0]!.requests.length + next[1]!.requests.length
      await call(router)
      expect(next[0]!.requests.length + next[1]!.requests.length).toBeGreaterThan(before)
      apps = next
      set = nextSet
    }
    const { requests, failures } = await load.stop()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(100)
  })

  test('drain waits for a slow request and then closes the idle connections', async () => {
    const [arrived, release] = [signal(), signal()]
    const app = await testApp(async (request, response) => {
      if (request.url === '/slow') {
        arrived.resolve()
        await release.promise
      }
      response.end('done')
    })
    const closed: Promise<unknown>[] = []
    app.server.on('connection', (socket: Socket) => closed.push(new Promise((resolve) => socket.on('close', resolve))))
    const router = await testRouter()
    const set = setOf('v1', [app.port])
    await router.update(tableOf([set]))
    await Promise.all([call(router), call(router)])
    const slow = call(router, '/slow')
    await arrived.promise
    await router.update(tableOf([], []))
    const instance = set.endpoints[0]!.instance
    expect(await router.drain(instance, 200)).toEqual({ inFlight: 1 })
    const drained = router.drain(instance, 10_000)
    release.resolve()
    expect((await slow).body).toBe('done')
    expect(await drained).toEqual({ inFlight: 0 })
    await Promise.all(closed)
    expect(closed.length).toBeGreaterThan(1)
  })

  test('an instance that comes back into the table is used again', async () => {
    const app = await testApp()
    const router = await testRouter()
    const set = setOf('v1', [app.port])
    await router.update(tableOf([set]))
    await call(router)
    await router.update(tableOf([], []))
    expect((await call(router)).status).toBe(404)
    await router.update(tableOf([set]))
    expect((await call(router)).status).toBe(200)
  })
})

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

describe('records', () => {
  test('every request is counted once, by instance, status and duration, merged over the workers', async () => {
    const app = await testApp((request, response) => {
      response.statusCode = Number(request.url!.slice(1))
      response.end('x'.repeat(1_000))
    })
    const router = await testRouter({ workers: 2, settings: { recordIntervalMs: 600_000 } })
    await router.update(tableOf([setOf('v1', [app.port], { release: 7 }), setOf('v2', [], { release: 8 })], [{ backends: { v1: 1 } }, { host: 'empty.test', backends: { v2: 1 } }]))
    await Promise.all([...[200, 200, 200, 302, 404, 500].map((status) => call(router, `/${status}`)), call(router, '/', { host: 'empty.test' })])
    await router.close()
    const records = router.takeRecords()
    // Two intervals if the test fell on their border.
    const sum = (pick: (record: (typeof records)[number]) => number, release: number): number => records.filter((record) => record.release === release).reduce((total, record) => total + pick(record), 0)
    expect([0, 1, 2, 3, 4].map((index) => sum((record) => record.statusClasses[index]!, 7))).toEqual([0, 3, 1, 1, 1])
    expect(sum((record) => record.durationBuckets.reduce((a, b) => a + b), 7)).toBe(6)
    expect(sum((record) => record.bytesOut, 7)).toBeGreaterThan(6_000)
    expect(sum((record) => record.routerErrors, 7)).toBe(0)
    expect([sum((record) => record.statusClasses[4], 8), sum((record) => record.routerErrors, 8)]).toEqual([1, 1])
    expect(records[0]).toMatchObject({ team: 'payments', app: 'checkout-api', environment: 'production', instance: expect.any(String), intervalMs: 600_000 })
    expect(router.takeRecords()).toEqual([])
  })
})
