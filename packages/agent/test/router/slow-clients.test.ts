import { afterEach, describe, expect, test } from 'vitest'
import { call, cleanUp, rawClient, setOf, signal, tableOf, testApp, testRouter } from './harness.ts'

afterEach(cleanUp)

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

  test.each(['Content-Length: 1000', 'Transfer-Encoding: chunked'])('a body that only drips is given up with 408 and the connection closed (%s)', async (framing) => {
    const gone = signal()
    const app = await testApp((request) => void request.on('error', () => {}).on('close', () => gone.resolve()))
    const router = await testRouter({ settings: { bodyMinBytesPerSecond: 1_000, bodyPaceWindowMs: 500 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const client = rawClient(router).send(`POST / HTTP/1.1\r\nHost: app.test\r\n${framing}\r\n\r\n`)
    const drip = setInterval(() => client.send(framing.startsWith('C') ? 'x' : '1\r\nx\r\n'), 20)
    const answer = await client.ended
    clearInterval(drip)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(answer).toContain('REQUEST_TOO_SLOW')
    await gone.promise
  })

  test('what came fast before does not pay for a drip', async () => {
    const app = await testApp((request) => void request.on('error', () => {}).resume())
    const router = await testRouter({ settings: { bodyMinBytesPerSecond: 1_000, bodyPaceWindowMs: 500 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const client = rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10000000\r\n\r\n').send(Buffer.alloc(1_000_000))
    const drip = setInterval(() => client.send('x'), 20)
    expect(await client.ended).toMatch(/^HTTP\/1\.1 408 /)
    clearInterval(drip)
  })

  test('an instance that takes its time with a body is not held against the client', async () => {
    const app = await testApp((request, response) => {
      setTimeout(() => request.resume().on('end', () => response.end('all there')), 1_500)
    })
    const router = await testRouter({ settings: { bodyMinBytesPerSecond: 1_000, bodyPaceWindowMs: 300 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const answer = await call(router, '/', { method: 'POST', body: Buffer.alloc(30_000_000) })
    expect([answer.status, answer.body]).toEqual([200, 'all there'])
  })

  test('a pace of 0 takes any', async () => {
    const app = await testApp((request, response) => request.resume().on('end', () => response.end('all there')))
    const router = await testRouter({ settings: { bodyMinBytesPerSecond: 0, bodyPaceWindowMs: 100 } })
    await router.update(tableOf([setOf('v1', [app.port])]))
    const client = rawClient(router).send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\n')
    for (let index = 0; index < 5; index++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      client.send('x')
    }
    expect(await client.until(/all there/)).toMatch(/^HTTP\/1\.1 200/)
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
