import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import type { Actor } from '../../../kernel/actor.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { parseExposition } from '../metrics/exposition.ts'
import type { Series } from '../metrics/series.ts'
import { memorySource } from '../testing/memory-source.ts'
import { hasPrometheus, startPrometheus } from '../testing/prometheus.ts'
import { federated } from './federate.ts'
import { Gate } from './gate.ts'
import { queryRoutes } from './routes.ts'

const series = (labels: Record<string, string>, points: [number, number][]): Series => ({ labels, times: Float64Array.from(points, ([at]) => at), values: Float64Array.from(points, ([, value]) => value) })

test('the latest value of each, in order, with texts that cannot break out', () => {
  const text = federated(
    [series({ __name__: 'b_total', app: 'x"} 1\nup{a="\\' }, [[1000, 1], [2000, 2.5]]), series({ __name__: 'a' }, [[1000, Infinity]]), series({ __name__: 'a', app: 'none' }, []), series({ __name__: 'h_bucket', le: '0.1' }, [[1000, NaN]])],
    new Map([['b_total', { type: 'counter', help: '', unit: '' }], ['a', { type: 'gauge', help: '', unit: '' }]]),
  )
  expect(text.split('\n')).toEqual(['# TYPE a gauge', 'a +Inf 1000', '# TYPE b_total counter', 'b_total{app="x\\"} 1\\nup{a=\\"\\\\"} 2.5 2000', '# TYPE h_bucket untyped', 'h_bucket{le="0.1"} NaN 1000', ''])
  expect(parseExposition(text, 0).samples.map(({ name, labels }) => [name, labels])).toEqual([['a', []], ['b_total', [['app', 'x"} 1\nup{a="\\']]], ['h_bucket', [['le', '0.1']]]])
})

const people: Record<string, Actor> = { blue: { name: 'user:blue', kind: 'user', admin: false, roles: new Map([['blue', 'viewer']]) }, shop: { name: 'token:shop', kind: 'token', admin: false, roles: new Map([['blue', 'viewer']]), app: 'shop' } }

async function serve(all: Series[]): Promise<FastifyInstance> {
  const server = Fastify()
  onTestFinished(() => server.close())
  server.decorateRequest('actor')
  server.addHook('onRequest', async (request) => void (request.actor = people[request.headers.authorization!.replace('Bearer ', '')]!))
  server.register(async (scope) => queryRoutes({ source: memorySource(all, new Map()), gate: new Gate(), clock: systemClock, version: '0.1.0' })(scope))
  return server
}

test('only the teams that the caller may read, and a token of an app only its own', async () => {
  const now = Date.now()
  const all = [['blue', 'shop'], ['blue', 'cart'], ['green', 'shop']].map(([team, app]) => series({ __name__: 'heat', team: team!, app: app! }, [[now - 1000, 1]]))
  const server = await serve([...all, series({ __name__: 'heat', team: 'blue', app: 'old' }, [[now - 400_000, 1]])])
  const ask = async (who: string, query = '?match[]=heat&match[]={app="shop"}'): Promise<{ status: number; body: string }> => {
    const { statusCode, body } = await server.inject({ url: `/prometheus/federate${query}`, headers: { authorization: who } })
    return { status: statusCode, body }
  }
  const lines = (body: string): string[] => body.split('\n').filter((line) => line.startsWith('heat')).map((line) => line.replace(/ \d+$/, ''))
  expect(lines((await ask('blue')).body)).toEqual(['heat{app="shop",team="blue"} 1', 'heat{app="cart",team="blue"} 1'])
  expect(lines((await ask('shop')).body)).toEqual(['heat{app="shop",team="blue"} 1'])
  expect(await ask('blue', '')).toMatchObject({ status: 400, body: expect.stringContaining('match[]') })
  expect((await ask('blue', '?match[]={')).status).toBe(400)
})

test.skipIf(!(await hasPrometheus()))('a Prometheus elsewhere collects them with their labels', async () => {
  const server = await serve([series({ __name__: 'heat', team: 'blue', app: 'shop', instance: 'shop-1' }, [[Date.now() - 1000, 21.5]])])
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const prometheus = await startPrometheus(`  - job_name: pavior
    honor_labels: true
    scrape_interval: 1s
    metrics_path: /prometheus/federate
    params: { 'match[]': ['{team="blue"}'] }
    authorization: { credentials: blue }
    static_configs: [{ targets: ['${new URL(address).host}'] }]
`)
  onTestFinished(() => prometheus.stop())
  for (;;) {
    const { data } = (await (await fetch(`${prometheus.url}/api/v1/query?query=heat`)).json()) as { data: { result: { metric: object; value: [number, string] }[] } }
    if (data.result.length === 0) {
      await sleep(50)
      continue
    }
    expect(data.result).toEqual([{ metric: { __name__: 'heat', app: 'shop', instance: 'shop-1', job: 'pavior', team: 'blue' }, value: [expect.any(Number), '21.5'] }])
    break
  }
})
