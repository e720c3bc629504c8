import { createHash, randomBytes } from 'node:crypto'
import * as http from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { Router, RouterSet } from '../../src/router/index.ts'
import { atEnd, call, cleanUp, closedPort, rawApp, rawClient, setOf, signal, tableOf, testApp, testRouter, type TestRoute } from './harness.ts'

afterEach(cleanUp)

async function routerTo(sets: RouterSet[], routes?: TestRoute[]): Promise<Router> {
  const router = await testRouter()
  await router.update(tableOf(sets, routes))
  return router
}

async function namedApp(name: string): Promise<RouterSet> {
  const app = await testApp((_, response) => response.end(name))
  return setOf(name, [app.port])
}

/** An instance that answers every connection's first request with these bytes. */
async function answering(bytes: string, end = true): Promise<RouterSet> {
  const { port } = await rawApp((socket) => {
    socket.once('data', () => {
      socket.write(bytes, 'latin1')
      if (end) socket.end()
    })
  })
  return setOf('raw', [port])
}

describe('routing', () => {
  test('the exact host wins over the suffix, the longer suffix over the shorter, without regard to case and port', async () => {
    const sets = await Promise.all(['exact', 'deep', 'wide'].map(namedApp))
    const router = await routerTo(sets, [
      { host: '*.example.test', backends: { wide: 1 } }, { host: '*.a.example.test', backends: { deep: 1 } },
      { host: 'x.a.example.test', backends: { exact: 1 } },
    ])
    const bodyAt = async (host: string): Promise<string> => (await call(router, '/', { host })).body
    expect(await bodyAt('x.a.example.test')).toBe('exact')
    expect(await bodyAt('X.A.Example.Test:8080')).toBe('exact')
    expect(await bodyAt('y.a.example.test')).toBe('deep')
    expect(await bodyAt('q.y.a.example.test')).toBe('deep')
    expect(await bodyAt('b.example.test')).toBe('wide')
    expect((await call(router, '/', { host: 'example.test' })).status).toBe(404)
  })

  test('the longest path wins, on whole segments only', async () => {
    const sets = await Promise.all(['root', 'api', 'v2'].map(namedApp))
    const router = await routerTo(sets, [{ backends: { root: 1 } }, { path: '/api', backends: { api: 1 } }, { path: '/api/v2/', backends: { v2: 1 } }])
    const bodyAt = async (path: string): Promise<string> => (await call(router, path)).body
    expect(await Promise.all(['/', '/apiary', '/api', '/api?x=1', '/api/v', '/api/v2', '/api/v2/x', '/api/v22', '/x/api'].map(bodyAt)))
      .toEqual(['root', 'root', 'api', 'api', 'api', 'v2', 'v2', 'api', 'root'])
  })

  test('weights hold exactly over a turn, and an instance-less release leaves its share to the others', async () => {
    const [stable, canary] = await Promise.all(['stable', 'canary'].map(namedApp)) as [RouterSet, RouterSet]
    const router = await routerTo([stable, canary], [{ backends: { stable: 75, canary: 25 } }])
    const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await call(router)).body))
    expect(bodies.filter((body) => body === 'canary')).toHaveLength(25)
    await router.update(tableOf([stable, { ...canary, endpoints: [] }], [{ backends: { stable: 75, canary: 25 } }]))
    const after = await Promise.all(Array.from({ length: 20 }, async () => (await call(router)).body))
    expect(new Set(after)).toEqual(new Set(['stable']))
  })

  test('instances of a release take turns', async () => {
    const apps = await Promise.all([1, 2, 3].map(() => testApp()))
    const router = await routerTo([setOf('v1', apps.map((app) => app.port))])
    for (let i = 0; i < 9; i++) await call(router)
    expect(apps.map((app) => app.requests.length)).toEqual([3, 3, 3])
  })
})

describe('header hygiene', () => {
  test('the instance learns who asked, and nothing that the client made up about it', async () => {
    const app = await testApp()
    const router = await routerTo([setOf('v1', [app.port])])
    const answer = await call(router, '/', {
      host: 'app.test:8080',
      headers: {
        'x-forwarded-for': '10.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test', 'x-forwarded-port': '1', forwarded: 'for=10.1.1.1',
        'x-real-ip': '10.1.1.1', x_forwarded_proto: 'https', connection: 'close, X-Secret', 'x-secret': '1', 'keep-alive': '5', te: 'trailers, deflate',
        'proxy-connection': 'keep-alive', 'x-kept': 'yes',
      },
    })
    expect(answer.status).toBe(200)
    const { headers } = app.requests[0]!
    expect(headers).toMatchObject({
      host: 'app.test:8080', 'x-forwarded-for': '10.1.1.1, 127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'app.test:8080',
      'x-forwarded-port': '8080', 'x-kept': 'yes', te: 'trailers', via: '1.1 pavior',
    })
    for (const gone of ['forwarded', 'x-real-ip', 'x_forwarded_proto', 'x-secret', 'keep-alive', 'proxy-connection']) expect(headers).not.toHaveProperty(gone)
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(answer.headers['x-request-id']).toBe(headers['x-request-id'])
  })

  test('a sane request id and trace are kept, others replaced', async () => {
    const app = await testApp()
    const router = await routerTo([setOf('v1', [app.port])])
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const kept = await call(router, '/', { headers: { 'x-request-id': 'order-17', traceparent, tracestate: 'a=1' } })
    expect(kept.headers['x-request-id']).toBe('order-17')
    expect(app.requests[0]!.headers).toMatchObject({ 'x-request-id': 'order-17', traceparent, tracestate: 'a=1' })
    await call(router, '/', { headers: { 'x-request-id': '<script>', traceparent: '00-0-0-00', tracestate: 'a=1' } })
    const { headers } = app.requests[1]!
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(headers.traceparent).not.toBe('00-0-0-00')
    expect(headers).not.toHaveProperty('tracestate')
  })

  test('hop-by-hop fields of the instance stay behind, its own fields pass', async () => {
    const router = await routerTo([await answering(
      'HTTP/1.1 200 Fine\r\nConnection: close, X-Internal\r\nX-Internal: 1\r\nKeep-Alive: timeout=9\r\nX-Request-Id: mine\r\nServer: app\r\n'
      + 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
    )])
    const answer = await call(router, '/', { headers: { connection: 'keep-alive' }, agent: keepAliveAgent() })
    expect(answer.headers).toMatchObject({ server: 'app', 'set-cookie': ['a=1', 'b=2'] })
    expect(answer.headers.date).toBeDefined()
    for (const gone of ['x-internal', 'keep-alive', 'via']) expect(answer.headers).not.toHaveProperty(gone)
    expect(answer.headers['x-request-id']).not.toBe('mine')
    expect(answer.body).toBe('ok')
  })
})

function keepAliveAgent(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  atEnd(() => agent.destroy())
  return agent
}

describe('messages', () => {
  test('one connection serves many requests, on both sides', async () => {
    const app = await testApp()
    let connections = 0
    app.server.on('connection', () => connections++)
    const router = await routerTo([setOf('v1', [app.port])])
    const agent = keepAliveAgent()
    const ports = new Set<number>()
    for (let i = 0; i < 20; i++) {
      expect((await call(router, '/', { agent, method: i % 2 ? 'POST' : 'GET', body: i % 2 ? 'data' : undefined })).status).toBe(200)
      ports.add((agent as unknown as { freeSockets: Record<string, { localPort: number }[]> }).freeSockets[Object.keys((agent as unknown as { freeSockets: object }).freeSockets)[0]!]![0]!.localPort)
    }
    expect(connections).toBe(1)
    expect(ports.size).toBe(1)
  })

  test('HEAD, 204 and 304 have no body and leave the connection usable', async () => {
    const app = await testApp((request, response) => {
      const status = Number(request.url!.slice(1))
      response.writeHead(status, status === 200 ? { 'content-length': 1_000 } : { etag: '"x"' })
      response.end()
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const agent = keepAliveAgent()
    const head = await call(router, '/200', { agent, method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '1000', ''])
    expect((await call(router, '/204', { agent })).status).toBe(204)
    expect((await call(router, '/304', { agent })).headers.etag).toBe('"x"')
    expect((await call(router, '/204', { agent })).status).toBe(204)
  })

  test('trailers pass both ways, forbidden ones do not', async () => {
    const received = signal<NodeJS.Dict<string>>()
    const app = await testApp((request, response) => {
      request.resume().on('end', () => {
        received.resolve(request.trailers)
        response.writeHead(200, { trailer: 'x-sum' })
        response.write('body')
        response.addTrailers({ 'x-sum': '42', 'content-length': '9' })
        response.end()
      })
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const text = await rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n'
      + '3\r\nabc\r\n0\r\nX-Check: 7\r\nHost: evil.test\r\n\r\n').until(/\r\n0\r\n.*\r\n\r\n$/s)
    expect(await received.promise).toEqual({ 'x-check': '7' })
    expect(text).toMatch(/4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n$/i)
  })

  test('100-continue: the instance decides, and an early refusal arrives', async () => {
    const app = await testApp((request, response) => request.pipe(response))
    app.server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
      if (request.url === '/no') {
        response.writeHead(417)
        return response.end()
      }
      response.writeContinue()
      request.pipe(response)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router).send('PUT / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
    expect(await client.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    expect(await client.send('hello').until(/hello/)).toMatch(/HTTP\/1\.1 200 OK/)
    const refused = await rawClient(router).send('PUT /no HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n').ended
    expect(refused).toMatch(/^HTTP\/1\.1 417 /)
  })

  test('early hints pass to HTTP/1.1 and not to HTTP/1.0', async () => {
    const app = await testApp((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.end('done')
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const newer = await rawClient(router).send('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n').ended
    expect(newer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nlink: .*\r\n\r\nHTTP\/1\.1 200 OK/i)
    const older = await rawClient(router).send('GET / HTTP/1.0\r\nHost: app.test\r\n\r\n').ended
    expect(older).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  test('a client of HTTP/1.0 gets a body without chunks and the end of the connection, or keeps it when it asks to', async () => {
    const app = await testApp((request, response) => {
      if (request.url === '/plain') return response.end('plain')
      response.write('one,')
      response.end('two')
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const closed = await rawClient(router).send('GET /chunked HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n').ended
    expect(closed).toMatch(/\r\nconnection: close\r\n\r\none,two$/)
    expect(closed).not.toMatch(/transfer-encoding/i)
    const client = rawClient(router).send('GET /plain HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n')
    expect(await client.until(/plain$/)).toMatch(/\r\nconnection: keep-alive\r\n/)
    await client.send('GET /plain HTTP/1.0\r\nHost: app.test\r\n\r\n').ended
    expect(client.received.match(/\r\n\r\nplain/g)).toHaveLength(2)
  })

  test('an answer without length ends with the connection', async () => {
    const router = await routerTo([await answering('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')])
    const text = await rawClient(router).send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n').ended
    expect(text).toMatch(/\r\nconnection: close\r\n\r\nuntil the end$/)
  })

  test('an answer that arrives byte by byte is the same answer', async () => {
    const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'
    const { port } = await rawApp((socket) => socket.once('data', async () => {
      socket.setNoDelay(true)
      for (const char of bytes) {
        socket.write(char)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }))
    const router = await routerTo([setOf('raw', [port])])
    expect((await call(router)).body).toBe('hello world')
  })

  test('answers above 0x7f and large heads pass unchanged', async () => {
    const body = randomBytes(3_000)
    const app = await testApp((_, response) => {
      for (let i = 0; i < 40; i++) response.setHeader(`x-field-${i}`, 'v'.repeat(400))
      response.setHeader('x-latin', 'gr\xfc\xdfe')
      response.end(body)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const answer = await new Promise<{ latin: unknown; body: Buffer }>((resolve) => http.get({ port: router.port, host: '127.0.0.1', headers: { host: 'app.test' }, maxHeaderSize: 65_536, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve({ latin: response.headers['x-latin'], body: Buffer.concat(chunks) }))
    }))
    expect(answer.latin).toBe('gr\xfc\xdfe')
    expect(answer.body.equals(body)).toBe(true)
  })

  test('an early answer arrives while the upload is still going on', async () => {
    const app = await testApp((_, response) => {
      response.writeHead(413, { connection: 'close' })
      response.end('too much')
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000000\r\n\r\nbegin')
    expect(await client.ended).toMatch(/^HTTP\/1\.1 413 .*\r\nconnection: close\r\n.*too much\r\n0\r\n\r\n$/s)
  })
})

describe('streams', () => {
  test('events arrive at once, and the instance learns that the reader is gone', async () => {
    const stream = signal<http.ServerResponse>()
    const gone = signal()
    const app = await testApp((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      request.on('close', () => gone.resolve())
      stream.resolve(response)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router).send('GET /events HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await client.until(/\r\n\r\n/)
    const response = await stream.promise
    for (const event of ['one', 'two', 'three']) {
      response.write(`data: ${event}\n\n`)
      await client.until(new RegExp(`data: ${event}`))
    }
    client.socket.destroy()
    await gone.promise
  })

  test('a client that goes away cancels its request at the instance', async () => {
    const [arrived, gone] = [signal(), signal()]
    const app = await testApp((request) => {
      request.on('close', () => gone.resolve())
      arrived.resolve()
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const request = http.get({ port: router.port, host: '127.0.0.1', headers: { host: 'app.test' }, agent: false }).on('error', () => {})
    await arrived.promise
    request.destroy()
    await gone.promise
  })

  test('a client that closes its sending side behind its request still gets the answer', async () => {
    const app = await testApp((_, response) => setTimeout(() => response.end('answer'), 50))
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router)
    client.socket.end('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    expect(await client.ended).toMatch(/answer$/)
  })

  test('100 MB pass both ways with bounded memory', async () => {
    const size = 100 * 1_048_576
    const block = randomBytes(1_048_576)
    const app = await testApp((request, response) => {
      response.setHeader('content-type', 'application/octet-stream')
      request.pipe(response)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const [sent, received] = [createHash('sha256'), createHash('sha256')]
    let bytes = 0
    let peak = 0
    await new Promise<void>((resolve, reject) => {
      const options = { port: router.port, host: '127.0.0.1', method: 'POST', headers: { host: 'app.test', 'content-length': size }, agent: false }
      const request = http.request(options, (response) => {
        response.on('data', (chunk: Buffer) => {
          received.update(chunk)
          bytes += chunk.length
          if (bytes % 50 === 0 || chunk.length > 60_000) peak = Math.max(peak, router.workers()[0]!.memoryBytes)
        })
        response.on('end', resolve).on('error', reject)
      })
      request.on('error', reject)
      const write = (left: number): void => {
        if (left === 0) return void request.end()
        sent.update(block)
        if (request.write(block)) write(left - 1)
        else request.once('drain', () => write(left - 1))
      }
      write(size / block.length)
    })
    expect(bytes).toBe(size)
    expect(received.digest('hex')).toBe(sent.digest('hex'))
    expect(peak).toBeGreaterThan(0)
    expect(peak).toBeLessThan(160 * 1_048_576)
  })

  test('a reader that stops reading stops the instance, not the router', async () => {
    let written = 0
    const block = Buffer.alloc(65_536)
    const stalled = signal()
    const app = await testApp((_, response) => {
      const write = (): void => {
        let idle: NodeJS.Timeout | undefined
        while (written < 512 * 1_048_576) {
          written += block.length
          if (!response.write(block)) {
            idle = setTimeout(() => stalled.resolve(), 500)
            response.once('drain', () => {
              clearTimeout(idle)
              write()
            })
            return
          }
        }
        stalled.resolve()
      }
      write()
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await stalled.promise
    expect(written).toBeLessThan(64 * 1_048_576)
    expect(router.workers()[0]!.memoryBytes).toBeLessThan(160 * 1_048_576)
  })
})

describe('pages', () => {
  test('an unknown host and an unknown path are 404 and the connection stays usable', async () => {
    const router = await routerTo([await namedApp('api')], [{ path: '/api', backends: { api: 1 } }])
    const agent = keepAliveAgent()
    const unknown = await call(router, '/', { agent, host: 'nobody.test', headers: { accept: 'application/json' } })
    expect([unknown.status, unknown.headers['content-type']]).toEqual([404, 'application/json'])
    expect(JSON.parse(unknown.body)).toMatchObject({
      error: { code: 'ROUTE_NOT_FOUND', message: 'No app is reachable at nobody.test.', facts: { requestId: unknown.headers['x-request-id'] } },
    })
    const path = await call(router, '/<b>', { agent, headers: { accept: 'text/html,*/*' } })
    expect(path.headers['content-type']).toMatch('text/html')
    expect(path.body).toContain('No app is reachable at /&lt;b&gt; of app.test.')
    expect((await call(router, '/api', { agent })).body).toBe('api')
    const head = await call(router, '/', { agent, host: 'nobody.test', method: 'HEAD' })
    expect([head.status, head.body]).toEqual([404, ''])
  })

  test('no instance: 503 names the app and the reason', async () => {
    const reason = 'PORT_NOT_BOUND: release 1 did not listen on its port in time.'
    const router = await routerTo([setOf('v1', [], { reason })])
    const answer = await call(router)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.headers['content-type']).toMatch('text/plain')
    expect(answer.body).toContain('checkout-api (payments/production) has no instance that can answer.')
    expect(answer.body).toContain(reason)
  })

  test('refused connection: 502, without address or port of the instance', async () => {
    const port = await closedPort()
    const router = await routerTo([setOf('v1', [port])])
    const answer = await call(router, '/', { headers: { accept: 'application/problem+json' } })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body).error.code).toBe('APP_UNREACHABLE')
    expect(answer.body).not.toContain(String(port))
    expect(answer.body).not.toContain('127.0.0.1')
  })

  test.each([
    ['closes without an answer', '', 'APP_BROKE_OFF'],
    ['gives something that is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'APP_BAD_ANSWER'],
    ['gives two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'APP_BAD_ANSWER'],
    ['gives length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'APP_BAD_ANSWER'],
    ['switches a protocol that nobody asked for', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'APP_BAD_ANSWER'],
    ['gives a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\na', 'APP_BAD_ANSWER'],
    ['gives an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}`, 'APP_BAD_ANSWER'],
  ])('an instance that %s is a 502', async (_, bytes, code) => {
    const router = await routerTo([await answering(bytes)])
    const answer = await call(router, '/', { headers: { accept: 'application/json' } })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body).error.code).toBe(code)
  })

  test('no answer in time: 504, and the instance is told', async () => {
    const gone = signal()
    const app = await testApp((request) => void request.on('close', () => gone.resolve()))
    const router = await routerTo([setOf('v1', [app.port])], [{ timeoutMs: 300 }])
    const answer = await call(router, '/', { headers: { accept: 'text/html' } })
    expect(answer.status).toBe(504)
    expect(answer.body).toContain('did not answer within 0.3 s')
    await gone.promise
  })

  test('an answer that breaks off is not taken for the whole', async () => {
    const router = await routerTo([await answering('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')])
    await expect(call(router)).rejects.toThrow(/aborted|ECONNRESET|hang up/)
  })

  test('before its first table the router says so', async () => {
    const router = await testRouter()
    const answer = await call(router)
    expect([answer.status, answer.body.split(' ')[0]]).toEqual([503, 'ROUTER_STARTING'])
  })
})
