import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { RequestSpan } from '@pavior/contract'
import type { Router } from '../../src/router/index.ts'
import { call, cleanUp, rawClient, setOf, tableOf, testApp, testRouter } from './harness.ts'

afterEach(cleanUp)

/** So many spans, as soon as they are told. */
async function spansOf(router: Router, count: number): Promise<RequestSpan[]> {
  const spans: RequestSpan[] = []
  while (spans.length < count) {
    spans.push(...router.takeSpans())
    if (spans.length < count) await sleep(10)
  }
  return spans
}

async function routed(port: number, settings = {}): Promise<Router> {
  const router = await testRouter({ settings })
  await router.update(tableOf([setOf('v1', [port])]))
  return router
}

describe('single requests', () => {
  test('are told with what the instance got as its parent, and without the query', async () => {
    const app = await testApp()
    const router = await routed(app.port)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await call(router, '/orders?token=secret', { headers: { 'x-request-id': 'order-17', traceparent } })
    const [span] = await spansOf(router, 1)
    expect(span).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7', requestId: 'order-17', method: 'GET', path: '/orders', status: 200, tries: 1,
      ...{ team: expect.any(String), app: expect.any(String), release: expect.any(Number), instance: expect.stringMatching(/./) },
    })
    expect(app.requests[0]!.headers.traceparent).toBe(`00-${span!.traceId}-${span!.spanId}-01`)
    expect(JSON.stringify(span)).not.toContain('secret')
    expect(span!.sentMs!).toBeLessThanOrEqual(span!.answeredMs!)
    expect(span!.answeredMs!).toBeLessThanOrEqual(span!.durationMs)
    expect(Math.abs(Date.parse(span!.at) - Date.now())).toBeLessThan(60_000)
  })

  test('of many that go well the first of a second are told, and every one that fails', async () => {
    const app = await testApp((request, response) => {
      response.statusCode = request.url === '/bad' ? 500 : 200
      response.end()
    })
    const router = await routed(app.port, { usualSpansPerSecond: 1, badSpansPerSecond: 1000 })
    const client = rawClient(router)
    for (let i = 0; i < 60; i++) {
      client.received = ''
      await client.send(`GET /${i % 10 === 9 ? 'bad' : ''} HTTP/1.1\r\nHost: app.test\r\n\r\n`).until(/\r\n\r\n/)
    }
    await call(router, '/last')
    const spans = await spansOf(router, 7)
    expect(spans.filter(({ status }) => status === 500)).toHaveLength(6)
    expect(spans.filter(({ status }) => status === 200).length).toBeLessThan(30)
  })

  test('an answer of the router itself is told with its code', async () => {
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [])]))
    await call(router)
    const [span] = await spansOf(router, 1)
    expect(span).toMatchObject({ status: 503, instance: '', tries: 0, error: expect.stringMatching(/^[A-Z_]+$/) })
    expect(span).not.toHaveProperty('answeredMs')
  })
})
