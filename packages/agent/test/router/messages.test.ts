import * as http from 'node:http'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { RouterSet } from '../../src/router/index.ts'
import {
  answering, call, cleanUp, keepAliveAgent, namedApp, rawApp, rawClient, routerTo, setOf, signal, tableOf, testApp, testRouter,
} from './harness.ts'

afterEach(cleanUp)

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
    const router = await routerTo(sets, [
      { backends: { root: 1 } }, { path: '/api', backends: { api: 1 } }, { path: '/api/v2/', backends: { v2: 1 } },
    ])
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
        'x-forwarded-for': '10.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test', 'x-forwarded-port': '1',
        forwarded: 'for=10.1.1.1', 'x-real-ip': '10.1.1.1', x_forwarded_proto: 'https', connection: 'close, X-Secret', 'x-secret': '1',
        'keep-alive': '5', te: 'trailers, deflate', 'proxy-connection': 'keep-alive', 'x-kept': 'yes',
      },
    })
    expect(answer.status).toBe(200)
    const { headers } = app.requests[0]!
    expect(headers).toMatchObject({
      host: 'app.test:8080', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'app.test:8080',
      'x-forwarded-port': '8080', 'x-kept': 'yes', te: 'trailers', via: '1.1 pavior',
    })
    for (const gone of ['forwarded', 'x-real-ip', 'x_forwarded_proto', 'x-secret', 'keep-alive', 'proxy-connection']) {
      expect(headers).not.toHaveProperty(gone)
    }
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(answer.headers['x-request-id']).toBe(headers['x-request-id'])
  })

  test('a trusted proxy is believed, and goes behind the addresses that it names', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { trustedProxies: ['10.0.0.0/8', '127.0.0.0/8'] } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.test', 'x-real-ip': '203.0.113.9' }
    expect((await call(router, '/', { headers })).status).toBe(200)
    expect(app.requests[0]!.headers).toMatchObject({
      host: 'app.test', 'x-forwarded-for': '203.0.113.9, 127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.test', 'x-forwarded-port': '443',
    })
    expect(app.requests[0]!.headers).not.toHaveProperty('x-real-ip')
  })

  test('a proxy that is not in the trusted networks is not', async () => {
    const app = await testApp()
    const router = await testRouter({ settings: { trustedProxies: ['10.0.0.0/8'] } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    await call(router, '/', { headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' } })
    expect(app.requests[0]!.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  })

  test('what is no network is refused at the start', async () => {
    await expect(testRouter({ settings: { trustedProxies: ['proxy.test'] } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('a sane request id is kept and a trace goes on with the router in it; others are replaced', async () => {
    const app = await testApp()
    const router = await routerTo([setOf('v1', [app.port])])
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const kept = await call(router, '/', { headers: { 'x-request-id': 'order-17', traceparent, tracestate: 'a=1' } })
    expect(kept.headers['x-request-id']).toBe('order-17')
    expect(app.requests[0]!.headers).toMatchObject({ 'x-request-id': 'order-17', traceparent: expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/), tracestate: 'a=1' })
    await call(router, '/', { headers: { 'x-request-id': '<script>', traceparent: '00-0-0-00', tracestate: 'a=1' } })
    const { headers } = app.requests[1]!
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(headers.traceparent).not.toBe('00-0-0-00')
    expect(headers).not.toHaveProperty('tracestate')
  })

  test('hop-by-hop fields of the instance stay behind, its own fields pass', async () => {
    const router = await routerTo([await answering(
      'HTTP/1.1 200 Fine\r\nConnection: close, X-Internal\r\nX-Internal: 1\r\nKeep-Alive: timeout=9\r\nX-Request-Id: mine\r\n'
      + 'Server: app\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
    )])
    const answer = await call(router, '/', { headers: { connection: 'keep-alive' }, agent: keepAliveAgent() })
    expect(answer.headers).toMatchObject({ server: 'app', 'set-cookie': ['a=1', 'b=2'] })
    expect(answer.headers.date).toBeDefined()
    for (const gone of ['x-internal', 'keep-alive', 'via']) expect(answer.headers).not.toHaveProperty(gone)
    expect(answer.headers['x-request-id']).not.toBe('mine')
    expect(answer.body).toBe('ok')
  })
})

describe('messages', () => {
  test('one connection serves many requests, on both sides', async () => {
    const app = await testApp()
    const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\ndata'
    let connections = 0
    app.server.on('connection', () => connections++)
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router)
    for (let i = 0; i < 20; i++) {
      client.received = ''
      await client.send(i % 2 === 0 ? 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n' : post).until(/hello from \d+$/)
    }
    expect(connections).toBe(1)
    expect(app.requests).toHaveLength(20)
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
    const second = rawClient(router).send('PUT /no HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
    const refused = await second.ended
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
    const options = { port: router.port, host: '127.0.0.1', headers: { host: 'app.test' }, maxHeaderSize: 65_536, agent: false as const }
    const answer = await new Promise<{ latin: unknown; body: Buffer }>((resolve) => http.get(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ latin: response.headers['x-latin'], body: Buffer.concat(chunks) }))
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
