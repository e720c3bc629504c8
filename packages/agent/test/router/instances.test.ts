import * as http from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { Router } from '../../src/router/index.ts'
import { atEnd, call, cleanUp, closedPort, listen, rawApp, rawClient, setOf, tableOf, testApp, testRouter } from './harness.ts'

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
    await router.update(tableOf([setOf('stable', [app.port]), setOf('canary', [await closedPort()])]))
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
      const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${body}`
      socket.on('data', () => socket.write(answer('right') + answer('wrong')))
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
    const first = `GET /first HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${smuggled.length}\r\n\r\n`
    await rawClient(router).send(first + smuggled).until(/ok/)
    expect((await call(router, '/second')).body).toBe('ok')
    expect(seen).toEqual([['/first', '/smuggled'], ['/second']])
  })
})
