/** Faults of game days in a real router: shares, delays, ends, and what they leave alone. */
import { once } from 'node:events'
import * as net from 'node:net'
import { faultHeader, type Fault } from '@pavior/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { call, cleanUp, setOf, tableOf, testApp, testRouter } from './harness.ts'
import type { Router, RouterTable } from '../../src/router/index.ts'

afterEach(cleanUp)

const farMs = 600_000
const waitUntil = (holds: () => boolean | Promise<boolean>): Promise<void> => expect.poll(holds, { timeout: 25_000, interval: 20 }).toBe(true)
const faultOf = (over: Partial<Fault>): Fault => ({ id: 'day/0', gameDay: 'slow-day', team: 'payments', app: 'checkout-api', environment: 'production', until: new Date(Date.now() + farMs).toISOString(), ...over })

async function routerWith(fault?: Partial<Fault>): Promise<{ router: Router; table: (faults: Fault[]) => RouterTable; requests: { url?: string | undefined }[] }> {
  const app = await testApp()
  const router = await testRouter({ settings: { statsIntervalMs: 50 } })
  const table = (faults: Fault[]): RouterTable => ({ ...tableOf([setOf('web', [app.port])]), faults })
  await router.update(table(fault ? [faultOf(fault)] : []))
  return { router, table, requests: app.requests }
}

describe('errors', () => {
  test('reach their share, say what they are, and never get to the instance', async () => {
    const { router, requests } = await routerWith({ errors: { status: 503, percent: 30 } })
    const answers = await Promise.all(Array.from({ length: 400 }, () => call(router)))
    const struck = answers.filter(({ status }) => status === 503)
    // Six standard deviations of 400 throws at 30 %.
    expect(struck.length).toBeGreaterThan(120 - 55)
    expect(struck.length).toBeLessThan(120 + 55)
    expect(struck.every(({ headers, body }) => headers[faultHeader] === 'slow-day' && body.includes('FAULT_INJECTED'))).toBe(true)
    expect(answers.filter(({ status }) => status === 200).every(({ headers }) => headers[faultHeader] === undefined)).toBe(true)
    expect(requests.length).toBe(400 - struck.length)
    await waitUntil(() => router.faultCounts()['day/0']?.seen === 400)
    expect(router.faultCounts()['day/0']!.failed).toBe(struck.length)
  })

  test('count as errors of the router, and their spans name the game day', async () => {
    const { router } = await routerWith({ errors: { status: 502, percent: 100 } })
    await call(router, '/pay')
    const spans: ReturnType<Router['takeSpans']> = []
    await waitUntil(() => spans.push(...router.takeSpans()) > 0)
    expect(spans[0]).toMatchObject({ path: '/pay', status: 502, error: 'FAULT_INJECTED', fault: 'slow-day', instance: '', release: 1 })
  })

  test('end by themselves, with nobody to take them back', async () => {
    const { router } = await routerWith({ errors: { status: 503, percent: 100 }, until: new Date(Date.now() + 1500).toISOString() })
    expect((await call(router)).status).toBe(503)
    await waitUntil(async () => (await call(router)).status === 200)
  })

  test('outlive the death of a worker, and not their end', async () => {
    const { router, table } = await routerWith({ errors: { status: 503, percent: 100 } })
    const { pid } = router.workers()[0]!
    process.kill(pid, 'SIGKILL')
    await waitUntil(() => router.workers().some((worker) => worker.pid !== pid))
    await waitUntil(async () => call(router).then(({ status }) => status === 503, () => false))
    await router.update(table([]))
    expect((await call(router)).status).toBe(200)
  })

  test('leave other apps and requests without the header alone', async () => {
    const { router, table } = await routerWith({ errors: { status: 503, percent: 100, match: { header: 'x-game', value: 'day' } } })
    expect((await call(router)).status).toBe(200)
    expect((await call(router, '/', { headers: { 'x-game': 'day' } })).status).toBe(503)
    await router.update(table([faultOf({ errors: { status: 503, percent: 100 }, app: 'another' })]))
    expect((await call(router)).status).toBe(200)
  })
})

describe('latency', () => {
  test('holds requests up, body and all', async () => {
    const { router } = await routerWith({ latency: { ms: 300, percent: 100 } })
    const began = performance.now()
    const { status, headers } = await call(router, '/', { method: 'POST', body: Buffer.alloc(200_000, 'x') })
    expect(performance.now() - began).toBeGreaterThanOrEqual(295)
    expect(status).toBe(200)
    expect(headers[faultHeader]).toBeUndefined()
  })

  test('lets go of what waits as soon as it is taken back', async () => {
    const { router, table, requests } = await routerWith({ latency: { ms: 60_000, percent: 100 } })
    const answer = call(router)
    await waitUntil(() => router.faultCounts()['day/0']?.delayed === 1)
    expect(requests).toHaveLength(0)
    await router.update(table([]))
    expect((await answer).status).toBe(200)
  })

  test('leaves upgraded connections alone', async () => {
    const { router, table } = await routerWith()
    const app = await testApp()
    app.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello'))
    await router.update({ ...table([]), ...tableOf([setOf('ws', [app.port])]), faults: [faultOf({ errors: { status: 503, percent: 100 } })] })
    const client = net.connect(router.port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nhost: app.test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    const [head] = (await once(client, 'data')) as [Buffer]
    expect(head.toString()).toMatch(/^HTTP\/1\.1 101 /)
    client.destroy()
    expect((await call(router)).status).toBe(503)
  })
})
