import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import { systemClock } from '../../../kernel/clock.ts'
import type { Series } from '../metrics/series.ts'
import { memorySource } from '../testing/memory-source.ts'
import { Gate } from './gate.ts'
import { queryRoutes } from './routes.ts'

const run = promisify(execFile)
const atMs = 1_700_000_000_000
const at = String(atMs / 1000)
const series: Series[] = ['blue', 'green'].map((team, index) => ({ labels: { __name__: 'up', team, app: 'shop' }, times: Float64Array.of(atMs - 30_000, atMs - 1000), values: Float64Array.of(1, index === 0 ? 0 : Infinity) }))
const people: Record<string, Actor> = {
  root: { name: 'user:root', kind: 'user', admin: true, roles: new Map() },
  blue: { name: 'user:blue', kind: 'user', admin: false, roles: new Map([['blue', 'viewer']]) },
  cart: { name: 'token:cart', kind: 'token', admin: false, roles: new Map([['blue', 'viewer']]), app: 'cart' },
  nobody: { name: 'user:nobody', kind: 'user', admin: false, roles: new Map() },
}
const promtool = await run('promtool', ['--version']).then(() => true, () => false)
if (!promtool) console.warn('Queries by promtool are skipped: there is none on this machine. Install it with: apt-get install prometheus')

let server: FastifyInstance
let url = ''
beforeAll(async () => {
  server = Fastify()
  server.decorateRequest('actor')
  server.addHook('onRequest', async (request) => void (request.actor = people[request.headers.authorization ?? 'root']!))
  const metadata = new Map([['up', { type: 'gauge', help: 'Whether it runs.', unit: '' } as const]])
  server.register(async (scope) => queryRoutes({ source: memorySource(series, metadata), gate: new Gate(), clock: systemClock, version: '0.1.0' })(scope))
  url = await server.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => server.close())

async function ask(path: string, parameters: Record<string, string> = {}, authorization = 'root'): Promise<{ status: number; body: any }> {
  const answer = await server.inject({ url: `/prometheus/api/v1/${path}`, query: parameters, headers: { authorization } })
  return { status: answer.statusCode, body: answer.json() }
}

test('answers are written as Prometheus writes them', async () => {
  expect((await ask('query', { query: 'up', time: at })).body).toEqual({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: { __name__: 'up', app: 'shop', team: 'blue' }, value: [atMs / 1000, '0'] }, { metric: { __name__: 'up', app: 'shop', team: 'green' }, value: [atMs / 1000, '+Inf'] }] },
  })
  expect((await ask('query', { query: '-1 / 0', time: '2023-11-14T22:13:20Z' })).body.data).toEqual({ resultType: 'scalar', result: [atMs / 1000, '-Inf'] })
  expect((await ask('query', { query: '"a"', time: at })).body.data).toEqual({ resultType: 'string', result: [atMs / 1000, 'a'] })
  expect((await ask('query_range', { query: 'time() % 7 / 1e8', start: at, end: String(atMs / 1000 + 1), step: '500ms' })).body.data).toEqual({
    resultType: 'matrix',
    result: [{ metric: {}, values: [[atMs / 1000, '6e-08'], [atMs / 1000 + 0.5, '6.5e-08'], [atMs / 1000 + 1, '0']] }],
  })
  expect((await ask('metadata')).body).toEqual({ status: 'success', data: { up: [{ type: 'gauge', help: 'Whether it runs.', unit: '' }] } })
  expect((await ask('status/buildinfo')).body.data).toMatchObject({ version: '2.42.0', application: 'Pavior 0.1.0' })
})

test('whoever asks sees the series of the teams that they may read, and none else', async () => {
  const teams = async (path: string, parameters: Record<string, string>, who: string): Promise<string[]> => {
    const { data } = (await ask(path, parameters, who)).body
    return path === 'query' ? data.result.map(({ metric }: { metric: { team: string } }) => metric.team) : data.map((row: { team: string } | string) => (typeof row === 'string' ? row : row.team))
  }
  const query = { query: 'up{team=~".*"} or up{team="green"}', time: at }
  expect(await teams('query', query, 'root')).toEqual(['blue', 'green'])
  expect(await teams('query', { ...query, team: 'green' }, 'root')).toEqual(['green'])
  expect(await teams('query', query, 'blue')).toEqual(['blue'])
  expect(await teams('query', { ...query, team: 'green' }, 'blue')).toEqual([])
  expect(await teams('query', query, 'nobody')).toEqual([])
  // A token of another app of the team.
  expect(await teams('query', query, 'cart')).toEqual([])
  expect(await teams('series', { 'match[]': 'up', start: '1600000000' }, 'cart')).toEqual([])
  expect(await teams('series', { 'match[]': 'up', start: '1600000000' }, 'blue')).toEqual(['blue'])
  expect(await teams('label/team/values', { start: '1600000000' }, 'blue')).toEqual(['blue'])
  expect(await teams('label/team/values', { start: '1600000000' }, 'nobody')).toEqual([])
})

test.each([
  ['query', { query: 'rate(up)' }, 400, 'bad_data', 'QUERY_INVALID'],
  ['query', {}, 400, 'bad_data', 'QUERY_INVALID'],
  ['query', { query: 'up', time: 'yesterday' }, 400, 'bad_data', 'QUERY_INVALID'],
  ['query_range', { query: 'up', start: at, end: at, step: '0' }, 400, 'bad_data', 'QUERY_INVALID'],
  ['query_range', { query: 'up', start: at, end: '1', step: '15s' }, 400, 'bad_data', 'QUERY_INVALID'],
  ['query_range', { query: 'up[5m]', start: at, end: at, step: '15s' }, 400, 'bad_data', 'QUERY_INVALID'],
  ['query', { query: 'up * on(app) up', time: at }, 422, 'execution', 'QUERY_FAILED'],
  ['series', {}, 400, 'bad_data', 'QUERY_INVALID'],
  ['series', { 'match[]': 'sum(up)' }, 400, 'bad_data', 'QUERY_INVALID'],
] as const)('%s %j is refused', async (path, parameters, status, errorType, code) => {
  const refused = await ask(path, parameters)
  expect(refused).toMatchObject({ status, body: { status: 'error', errorType, details: { pavior: { code } } } })
  expect(refused.body.error).toMatch(/\w/)
})

describe.skipIf(!promtool)('promtool', () => {
  test('is a client like any other', async () => {
    const { stdout: moment } = await run('promtool', ['query', 'instant', '--time', at, `${url}/prometheus`, 'sum by (team) (up)'])
    expect(moment.split('\n').sort().filter(Boolean)).toEqual([`{team="blue"} => 0 @[${at}]`, `{team="green"} => +Inf @[${at}]`])
    const { stdout: range } = await run('promtool', ['query', 'range', '--start', at, '--end', String(Number(at) + 30), '--step', '15s', `${url}/prometheus`, 'count(up)'])
    expect(range).toContain(`2 @[${at}]`)
    const within = ['--start', String(Number(at) - 60), '--end', at]
    const { stdout: labels } = await run('promtool', ['query', 'labels', ...within, `${url}/prometheus`, 'team'])
    expect(labels.trim().split('\n')).toEqual(['blue', 'green'])
    const { stdout: found } = await run('promtool', ['query', 'series', ...within, '--match', 'up{team="blue"}', `${url}/prometheus`])
    expect(found).toContain('team="blue"')
  })
})
