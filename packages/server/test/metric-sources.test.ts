/** A Prometheus elsewhere: asked by people, objectives and alerts, each in the name of a team; and what is said when it is down. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isPaviorError } from '@pavior/contract'
import { expect, onTestFinished, test } from 'vitest'
import { askSource } from '../src/drivers/outward/metric-source.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { askMinutes } from '../src/rooms/reliability/slo/queries.ts'
import { createMeasure } from '../src/rooms/reliability/alerts/conditions.ts'
import { kernelTestKinds } from '../src/kernel/kube/testing/kinds.ts'
import { hasPrometheus, startPrometheus } from '../src/rooms/telemetry/testing/prometheus.ts'
import { createSources, metricSource, type Sources } from '../src/rooms/telemetry/sources/index.ts'
import { testApi, type TestApi } from './api.ts'
import { laterOf, type Later } from './later.ts'

const path = '/apis/pavior.dev/v1/namespaces/blue/metricsources'
const log = createLog('silent', 'test')

async function world(secrets: Record<string, string> = {}): Promise<{ api: TestApi; sources: Sources; make(name: string, spec: object): Promise<void> }> {
  const later: Later = {}
  const sources = sourcesOn(later, secrets)
  const api = await testApi({ kinds: [...kernelTestKinds, metricSource], routes: [sources.routes] })
  later.api = api
  return { api, sources, make: async (name, spec) => {
    expect(await api.send('POST', path, { apiVersion: 'pavior.dev/v1', kind: 'MetricSource', metadata: { name }, spec })).toMatchObject({ status: 201 })
  } }
}

/** The API has to know its routes before it is there. */
function sourcesOn(later: Later, secrets: Record<string, string>): Sources {
  return createSources({ database: laterOf(later, 'database'), resources: laterOf(later, 'resources'), events: laterOf(later, 'recorder'), askSource, openSecret: async ({ secret }) => secrets[secret], audit: async () => {}, clock: systemClock, log })
}

const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => 'fine', (error: unknown) => (isPaviorError(error) ? error.code : String(error)))

test.skipIf(!(await hasPrometheus()))('a real Prometheus is asked by people of the team, by objectives and by alerts', async () => {
  const prometheus = await startPrometheus()
  onTestFinished(() => prometheus.stop())
  const nowMs = Math.floor(Date.now() / 1000) * 1000
  const times = Float64Array.from({ length: 20 }, (_, index) => nowMs - (20 - index) * 15_000)
  await prometheus.write([{ labels: { __name__: 'jobs_total', queue: 'mail' }, times, values: times.map((_, index) => index * 10) }])
  const { api, sources, make } = await world()
  await make('central', { url: prometheus.url })
  const base = '/prometheus/sources/central/api/v1'
  const asked = (what: string, token = 'view') => api.send('GET', `${base}/${what}`, undefined, { token })
  expect((await asked(`query?query=jobs_total&time=${nowMs / 1000}`)).body).toEqual({ status: 'success', data: { resultType: 'vector', result: [{ metric: { __name__: 'jobs_total', queue: 'mail' }, value: [nowMs / 1000, '190'] }] } })
  expect((await asked(`query_range?query=rate(jobs_total[1m])&start=${nowMs / 1000 - 60}&end=${nowMs / 1000}&step=30`)).body.data.result[0].values).toHaveLength(3)
  expect((await asked('label/queue/values')).body.data).toEqual(['mail'])
  expect((await asked('labels')).body.data).toContain('queue')
  expect((await asked('series?match[]=jobs_total')).body.data).toHaveLength(1)
  expect((await api.send('POST', `${base}/query`, 'query=2*3', { token: 'view', type: 'application/x-www-form-urlencoded' })).body.data.result[1]).toBe('6')
  expect(await asked('query?query=rate(')).toMatchObject({ status: 400, body: { status: 'error', errorType: 'bad_data', error: expect.stringMatching(/^central cannot read the query/) } })
  // Others do not see that it is there.
  expect((await asked('query?query=1', 'other')).status).toBe(404)
  expect((await asked('query?query=1&team=blue', 'other')).status).toBeGreaterThanOrEqual(403)
  expect((await api.send('POST', '/v1/teams/blue/metricsources/central/test', {}, { token: 'dev' })).body).toMatchObject({ works: true })
  expect((await api.send('POST', '/v1/teams/blue/metricsources/central/test', {}, { token: 'view' })).status).toBe(403)
  expect((await api.send('GET', `${path}/central`)).body.status).toMatchObject({ state: 'Working' })
  // An objective, asked at the end of a minute.
  const minute = Math.floor((nowMs - 120_000) / 60_000)
  const query: Parameters<typeof askMinutes>[0] = (team, text, at, source) => sources.query(team, source!, text, at)
  const kept = await askMinutes(query, 'blue', { source: 'central', threshold: { query: 'jobs_total', op: 'gte', value: 0 } }, minute - 1, new Date(nowMs))
  expect(kept.problem).toBeUndefined()
  expect(kept.counted.get(minute)).toEqual({ good: 1, total: 1, gap: 0 })
})

test('while it is down an objective has no data, an alert is unknown, and both say why; nobody waits for it twice', async () => {
  let questions = 0
  const hanging = createServer(() => questions++)
  await new Promise<void>((resolve) => void hanging.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    hanging.closeAllConnections()
    hanging.close()
  })
  const { api, sources, make } = await world()
  await make('central', { url: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`, timeoutSeconds: 1 })
  const query: Parameters<typeof askMinutes>[0] = (team, text, at, source) => sources.query(team, source!, text, at)
  const now = new Date()
  const { counted, problem } = await askMinutes(query, 'blue', { source: 'central', threshold: { query: 'up', op: 'gte', value: 1 } }, Math.floor(now.getTime() / 60_000) - 3, now)
  expect(counted.size).toBe(0)
  expect(problem).toBe('Its query failed: MetricSource central does not answer. It did not answer within 1 s.')
  const measure = createMeasure({ query, logs: undefined, probe: undefined, urlOf: async () => undefined, slo: () => undefined, rules: () => [] })
  const rule = { metadata: { name: 'r', namespace: 'blue' }, spec: { severity: 'page', condition: { absence: { query: 'up', source: 'central' } } } }
  const measured = await measure({ uid: 'u', team: 'blue', kind: 'AlertRule', name: 'r', rule, slo: undefined, forMs: 0, keepMs: 0, groupBy: [] } as never, query, now, new AbortController().signal)
  expect(measured).toEqual({ samples: [], problem: 'MetricSource central does not answer. It did not answer within 1 s.' })
  expect(questions).toBe(1)
  expect((await api.send('GET', `${path}/central`)).body.status).toMatchObject({ state: 'Failing', message: 'It did not answer within 1 s.' })
  expect((await api.send('GET', '/prometheus/sources/central/api/v1/query?query=up&team=blue', undefined, { token: 'view' })).status).toBe(422)
})

test('secrets go along and are not shown; answers are bounded; addresses of credentials are refused', async () => {
  let answer: (response: import('node:http').ServerResponse) => void = (response) => void response.writeHead(401).end('no such token: secret-of-mimir')
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    request.resume().on('end', () => answer(response))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { api, sources, make } = await world({ token: 'secret-of-mimir' })
  await make('mimir', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokenSecret: 'token' })
  const refused = await api.send('GET', '/prometheus/sources/mimir/api/v1/query?query=up&team=blue', undefined, { token: 'view' })
  expect(refused.status).toBe(422)
  expect(refused.text).toContain('[redacted]')
  expect(refused.text).not.toContain('secret-of-mimir')
  expect(seen).toEqual(['Bearer secret-of-mimir'])
  answer = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"data":"${'x'.repeat(17 * 1024 * 1024)}"}`)
  expect(await codeOf(sources.query('blue', 'mimir', 'up', new Date()))).toBe('QUERY_TOO_LARGE')
  expect((await api.send('POST', path, { apiVersion: 'pavior.dev/v1', kind: 'MetricSource', metadata: { name: 'bad' }, spec: { url: 'http://169.254.169.254/' } })).status).toBe(422)
  expect((await api.send('POST', path, { apiVersion: 'pavior.dev/v1', kind: 'MetricSource', metadata: { name: 'bad' }, spec: { url: 'http://x/', tokenSecret: 'a', headers: { Authorization: 'b' } } })).status).toBe(422)
})
