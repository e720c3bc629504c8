import { afterEach, describe, expect, test } from 'vitest'
import { answering, call, cleanUp, closedPort, keepAliveAgent, namedApp, routerTo, setOf, signal, testApp, testRouter } from './harness.ts'

afterEach(cleanUp)

describe('pages', () => {
  test('an unknown host and an unknown path are 404 and the connection stays usable', async () => {
    const router = await routerTo([await namedApp('api')], [{ path: '/api', backends: { api: 1 } }])
    const agent = keepAliveAgent()
    const unknown = await call(router, '/', { agent, host: 'nobody.test', headers: { accept: 'application/json' } })
    expect([unknown.status, unknown.headers['content-type']]).toEqual([404, 'application/json'])
    expect(JSON.parse(unknown.body)).toMatchObject({
      error: {
        code: 'ROUTE_NOT_FOUND', message: 'No app is reachable at nobody.test.', facts: { requestId: unknown.headers['x-request-id'] },
      },
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
