import type { DashboardSpec, QueryAnswer } from '@pavior/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { testApi, type TestApi } from '../../../../test/api.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { kernelTestKinds } from '../../../kernel/kube/testing/kinds.ts'
import type { SeriesSource, Series } from '../metrics/series.ts'
import { Gate } from '../query/gate.ts'
import { parseQuery } from '../promql/parse.ts'
import { memorySource } from '../testing/memory-source.ts'
import { createDashboardRules } from './check.ts'
import { dashboard } from './kinds.ts'
import { ready } from './ready.ts'
import { dashboardRoutes } from './routes.ts'

const path = '/apis/pavior.dev/v1/namespaces/blue/dashboards'
const until = 1_700_000_000
const times = Float64Array.from({ length: 20 }, (_, index) => (until - 300 + index * 15) * 1000)
const series: Series[] = [
  ...Array.from({ length: 80 }, (_, index) => ({ labels: { __name__: 'many', team: 'blue', n: String(index) }, times, values: new Float64Array(20).fill(index) })),
  { labels: { __name__: 'up', team: 'blue', app: 'shop' }, times, values: new Float64Array(20).fill(1) },
  { labels: { __name__: 'up', team: 'green', app: 'other' }, times, values: new Float64Array(20).fill(1) },
]
const check = async (query: string): Promise<void> => void parseQuery(query)

/** Asks for `slow` are answered when they are given up. */
function sourceWith({ select, ...rest }: SeriesSource): SeriesSource {
  return {
    ...rest,
    select: async (selection, signal) => {
      if (selection.matchers.some(({ value }) => value === 'slow')) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return select(selection, signal)
    },
  }
}

let api: TestApi
beforeEach(async () => {
  const deps = { source: sourceWith(memorySource(series)), gate: new Gate(), check, publicUrl: () => 'http://localhost:7070', clock: systemClock, patienceMs: 1500 }
  const later: { resources?: TestApi['resources'] } = {}
  const resources = new Proxy({} as TestApi['resources'], { get: (_target, name) => (later.resources as any)[name] })
  api = await testApi({ kinds: [...kernelTestKinds, dashboard], routes: [dashboardRoutes({ ...deps, resources })] })
  later.resources = api.resources
})

async function ask(queries: object[], token = 'view', more: object = {}): Promise<QueryAnswer[]> {
  const answer = await fetch(`${api.url}/v1/teams/blue/queries`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ from: until - 60, until, step: 15, queries, ...more }) })
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as QueryAnswer).toSorted((one, other) => one.index - other.index)
}

describe('panels are answered together', () => {
  test('over the time, or at its end, and of this team alone', async () => {
    expect(await ask([{ query: 'up' }, { query: 'up * 2', instant: true }, { query: '1 / 0', instant: true }])).toEqual([
      { index: 0, series: [{ labels: { __name__: 'up', app: 'shop', team: 'blue' }, values: [1, 1, 1, 1, 1] }], found: 1 },
      { index: 1, series: [{ labels: { app: 'shop', team: 'blue' }, values: [2] }], found: 1 },
      { index: 2, series: [{ labels: {}, values: [null] }], found: 1 },
    ])
  })

  test('a broken, a slow and a huge one say so, and do not hurt the others', async () => {
    const [broken, slow, huge, odd, fine] = await ask([{ query: 'sum(rate(up))' }, { query: 'slow' }, { query: 'many', instant: true }, { query: '"text"', instant: true }, { query: 'up', instant: true }])
    expect(broken).toMatchObject({ error: { code: 'QUERY_INVALID', message: '1:10: rate takes a range vector; this is an instant vector.', fix: 'Add a range: up[5m]', from: 9, to: 11 } })
    expect(slow).toMatchObject({ error: { code: 'QUERY_TIMEOUT' } })
    expect(huge).toMatchObject({ found: 80 })
    const { series: shown } = huge as Extract<QueryAnswer, { series: unknown }>
    expect(shown.length).toBe(50)
    expect(shown[0]!.labels.n).toBe('79')
    expect(odd).toMatchObject({ error: { code: 'QUERY_FAILED' } })
    expect(fine).toMatchObject({ series: [{ values: [1] }] })
  })

  test('others are refused, and so is what is no question', async () => {
    expect((await api.send('POST', '/v1/teams/blue/queries', { from: 0, until: 1, step: 1, queries: [{ query: 'up' }] }, { token: 'other' })).status).toBe(403)
    for (const wrong of [{}, { from: 1, until: 0, step: 1, queries: [{ query: 'up' }] }, { from: 0, until: 1e10, step: 1, queries: [{ query: 'up' }] }, { from: 0, until: 1, step: 1, queries: [] }, { from: 0, until: 1, step: 1, queries: [{}] }]) {
      expect((await api.send('POST', '/v1/teams/blue/queries', wrong, { token: 'view' })).status).toBe(400)
    }
  })
})

describe('saving', () => {
  const spec = (over: object): object => ({ metadata: { name: 'mine' }, spec: { title: 'Mine', panels: [], ...over } })

  test('a dashboard that contradicts itself is refused field by field', async () => {
    const { status, body } = await api.send('POST', path, spec({
      variables: [{ name: 'app', values: ['a'] }, { name: 'zone', query: 'label_values(up{b="$later"}, zone)', includeAll: true }, { name: 'later', values: ['x'] }, { name: 'both' }],
      panels: [{ title: 'One', kind: 'line', queries: [{ query: 'up{zone="$zone",x="$gone"}' }] }, { title: 'One', kind: 'text', list: 'alerts' }, { title: 'Two', kind: 'stat' }],
    }))
    expect(status).toBe(422)
    const told = body.details.causes.map((cause: { field: string; message: string }) => `${cause.field} ${cause.message}`).join('\n')
    for (const expected of ['variables[0].name $app is there already', 'variables[1].query $later is not known here yet', 'variables[3] Give query or values', 'panels[1].title There is a panel "One" already', 'panels[1].text "One": a panel of kind text needs text', 'panels[1].list "One": a panel of kind text has no list', 'panels[2].queries "Two": a panel of kind stat needs queries or figure', '$gone is no variable', '$zone can be all of them']) expect(told).toContain(expected)
    expect((await api.send('POST', path, { metadata: { name: 'debug' }, spec: { title: 'Debug', panels: [] } })).status).toBe(422)
  })

  test('a query that cannot be read is refused by panel and place, with variables as they were written', async () => {
    const rules = createDashboardRules(check)
    const object = { metadata: { name: 'mine' }, spec: { title: 'Mine', panels: [{ title: 'Fine', kind: 'stat', queries: [{ query: 'up' }] }, { title: 'Load', kind: 'line', queries: [{ query: 'up{app="$app"}' }, { query: 'up{app="$environment"} +\n rate(up{app="$app"})' }] }] } }
    const refused = rules({ verb: 'create', kind: dashboard, object } as never)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: { causes: [{ field: 'spec.panels[1].queries[1].query', message: expect.stringMatching(/^"Load": 2:7: rate takes a range vector; this is an instant vector\./) }] } })
    await rules({ verb: 'create', kind: dashboard, object: { metadata: {}, spec: ready.debug } } as never)
  })
})

describe('Grafana', () => {
  const given = JSON.stringify({ title: 'Load of nodes', panels: [{ type: 'timeseries', title: 'Load', targets: [{ expr: 'rate(load[5m])' }] }, { type: 'timeseries', title: 'Broken', targets: [{ expr: 'rate(load)' }] }] })

  test('a file is taken over, what cannot be read is named, and it is not written over by accident', async () => {
    const first = await api.send('POST', '/v1/teams/blue/dashboards/import', { text: given }, { token: 'dev' })
    expect(first.body).toMatchObject({ name: 'load-of-nodes', spec: { panels: [{ title: 'Load' }] }, leftOut: [{ name: 'Broken', why: expect.stringContaining('rate takes a range vector') }] })
    const saved = (await api.send('GET', `${path}/load-of-nodes`)).body
    expect(saved.spec.panels).toEqual([{ title: 'Load', kind: 'line', queries: [{ query: 'rate(load[5m])' }] }])
    expect((await api.send('POST', '/v1/teams/blue/dashboards/import', { text: given }, { token: 'dev' })).body.details.pavior).toMatchObject({ code: 'ALREADY_EXISTS' })
    expect((await api.send('POST', '/v1/teams/blue/dashboards/import', { text: given, replace: true }, { token: 'dev' })).status).toBe(200)
    expect((await api.send('POST', '/v1/teams/blue/dashboards/import', { text: given, name: 'dry', dryRun: true }, { token: 'dev' })).status).toBe(200)
    expect((await api.send('GET', `${path}/dry`)).status).toBe(404)
    expect((await api.send('POST', '/v1/teams/blue/dashboards/import', { text: given, name: 'no' }, { token: 'view' })).status).toBe(403)
    expect((await api.send('POST', '/v1/teams/blue/dashboards/import', null, { token: 'dev' })).status).toBe(400)
  })

  test('own and ready ones go out', async () => {
    await api.send('POST', path, { metadata: { name: 'mine' }, spec: { title: 'Mine', panels: [{ title: 'Up', kind: 'stat', queries: [{ query: 'up' }] }] } satisfies DashboardSpec })
    expect((await api.send('GET', '/v1/teams/blue/dashboards/export?name=mine', undefined, { token: 'view' })).body).toMatchObject({ dashboard: { title: 'Mine', panels: [{ type: 'stat', targets: [{ expr: 'up' }] }] }, leftOut: [] })
    expect((await api.send('GET', '/v1/teams/blue/dashboards/export?name=executive', undefined, { token: 'view' })).body.leftOut.length).toBeGreaterThan(5)
    expect((await api.send('GET', '/v1/teams/blue/dashboards/export?name=constructor', undefined, { token: 'view' })).status).toBe(404)
    expect((await api.send('GET', '/v1/dashboards/library', undefined, { token: 'view' })).body.items).toHaveLength(3)
  })
})
