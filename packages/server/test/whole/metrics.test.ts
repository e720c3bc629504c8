/** What apps measure reaches the store with nothing to configure, stays through the death of the server, and never harms another app. */
import { beforeAll, expect, test } from 'vitest'
import { deployedApp, killServer } from './faults.ts'
import { newPlatform, until, type Platform } from './platform.ts'

/** Sends to where its environment says, as an SDK does, and shows metrics to whoever asks. */
const measuring = {
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'pavior.yaml': 'processes:\n  web:\n    metrics:\n      path: /metrics\n      intervalSeconds: 5\n',
  'server.js': `
const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers = '', OTEL_SERVICE_NAME: name, OTEL_RESOURCE_ATTRIBUTES: resource = '' } = process.env
const attributes = (pairs) => Object.entries(pairs).map(([key, stringValue]) => ({ key, value: { stringValue } }))
const own = Object.fromEntries(resource.split(',').map((pair) => pair.split('=')))
require('http').createServer(async (request, response) => {
  if (request.url === '/metrics') return response.end('jobs_total{queue="a"} 3\\n')
  const count = Number(new URL(request.url, 'http://x').searchParams.get('send'))
  if (!count) return response.end(JSON.stringify({ endpoint, name, own, env: own['service.instance.id'] === process.env.PAVIOR_INSTANCE }))
  const [header, value] = decodeURIComponent(headers).split('=')
  const dataPoints = Array.from({ length: count }, (_, index) => ({ timeUnixNano: Date.now() + '000000', asInt: index, attributes: attributes({ id: String(index) }) }))
  const body = JSON.stringify({ resourceMetrics: [{ resource: { attributes: attributes({ 'service.name': name, ...own }) }, scopeMetrics: [{ metrics: [{ name: 'sent', gauge: { dataPoints } }] }] }] })
  const answer = await fetch(endpoint + '/v1/metrics', { method: 'POST', headers: { 'content-type': 'application/json', [header]: value }, body }).catch((error) => ({ status: String(error), text: async () => '' }))
  response.end(JSON.stringify({ status: answer.status, text: await answer.text() }))
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`,
}

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
  await deployedApp(platform, 'shop', measuring)
})

const ask = async (path: string): Promise<any> => JSON.parse((await platform.get('shop.localhost', path)).body)
const use = async (): Promise<any> => (await platform.api('GET', '/v1/teams/default/apps/shop/telemetry')).body

test('an instance is told where to send, who it is, and with what', async () => {
  const { endpoint, name, own, env } = await ask('/')
  expect([new URL(endpoint).pathname, name, own, env]).toEqual(['/v1/otlp', 'shop', { 'service.namespace': 'default', 'service.instance.id': expect.stringMatching(/^shop-web-1-/), 'deployment.environment.name': 'production', 'service.version': 'v1' }, true])
  expect(await ask('/?send=20')).toEqual({ status: 200, text: '{}' })
  // 20 of its own, its target_info, and what it shows: one, asked for every five seconds.
  await until('what it shows is stored', async () => (await use()).metrics.series.used === 22)
  expect((await platform.cli(['telemetry', 'shop'])).stdout).toMatch(/shop +22 +10000/)
  const { stdout } = await platform.cli(['get', 'app', 'shop', '-o', 'json'])
  expect(stdout).not.toContain('pvt_')
})

test('the token of an instance opens nothing else', async () => {
  const { stdout } = await platform.cli(['run', '--app', 'shop', '--', 'node', '-e', 'console.log(process.env.OTEL_EXPORTER_OTLP_HEADERS)'])
  const token = /Bearer%20(pvt_\S+)/.exec(stdout)![1]!
  const status = async (path: string, method = 'GET'): Promise<number> => (await fetch(new URL(path, platform.url), { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(method === 'POST' ? { body: '{}' } : {}) })).status
  expect([await status('/v1/otlp/v1/metrics', 'POST'), await status('/v1/teams/default/apps/shop/telemetry'), await status('/v1/workload/token?audience=x'), await status('/apis/pavior.dev/v1/namespaces/default/apps')]).toEqual([200, 401, 401, 401])
})

test('a flood is dropped beyond the limit and shown, and what was taken stays when the server dies', async () => {
  const { text } = await ask('/?send=12000')
  expect(JSON.parse(text).partialSuccess).toMatchObject({ rejectedDataPoints: '2002', errorMessage: expect.stringContaining('series_limit') })
  await killServer(platform)
  await until('the server is back', async () => (await use()).metrics.series.used === 10_000)
  const again = await use()
  expect(again.dropped.map(({ reason, points }: any) => [reason, points >= 2002])).toEqual([['series_limit', true]])
  expect((await platform.cli(['telemetry'])).stdout).toMatch(/series_limit +\d+ .*as many series as it may have/)
})
