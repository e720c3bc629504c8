/** A promise that is broken: the budget burns through the router, somebody is told, the gate closes, an owner passes it, and it opens again. */
import { beforeAll, expect, test } from 'vitest'
import type { DeploymentSpec, DeploymentStatus, Resource, SloBurns, SloSpec, SloStatus } from '@pavior/contract'
import { appDirectory, newPlatform, until, writeFiles, type Platform } from './platform.ts'

type Slo = Resource<SloSpec, SloStatus>
type Deployment = Resource<DeploymentSpec, DeploymentStatus>

let platform: Platform
/** A look at objectives comes every ten seconds on a quiet machine. */
const patienceMs = 90_000
const base = '/apis/pavior.dev/v1/namespaces/default'
beforeAll(async () => {
  platform = await newPlatform()
})

const app = (text: string): Record<string, string> => ({
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'server.js': `const server = require('http').createServer((request, response) => response.writeHead(request.url === '/fail' ? 500 : 200).end('${text}'))
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
})

async function slo(name: string): Promise<Slo> {
  return (await platform.api('GET', `${base}/slos/${name}`)).body
}

async function newest(): Promise<Deployment> {
  const { body } = await platform.api('GET', `${base}/deployments?fieldSelector=spec.app%3Dshop&limit=0`)
  return (body.items as Deployment[]).toSorted((one, other) => other.spec.release - one.spec.release)[0]!
}

async function ask(path: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await platform.get('shop.localhost', path)
}

async function reasons(name: string): Promise<string[]> {
  const { body } = await platform.api('GET', `/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DSlo%2CinvolvedObject.name%3D${name}`)
  return (body.items as { reason: string }[]).map(({ reason }) => reason)
}

test('a real budget is burned', async () => {
  const directory = await appDirectory('shop', app('one'))
  const first = await platform.cli(['deploy', directory])
  expect(first.code, first.stderr).toBe(0)
  expect((await newest()).status!.notes).toEqual(['No SLO is declared for shop in production: the error-budget gate is open.'])

  const spec: SloSpec = { app: 'shop', indicator: { golden: 'requests' }, objective: 0.5, alerting: { page: [{ burn: 1.2, over: '15m' }] }, budgetPolicy: { onExhausted: 'freeze' } }
  expect((await platform.api('POST', `${base}/slos`, { metadata: { name: 'shop-answers' }, spec })).status).toBe(201)
  await ask('/fail', 8)
  await until('the budget to be used up', async () => (await slo('shop-answers')).status?.state === 'Exhausted', patienceMs)
  const { status } = await slo('shop-answers')
  expect(status).toMatchObject({ sli: 0, budget: { unit: 'events', used: 8, total: 4, remaining: -1 }, alerts: [{ alert: 'page' }, { alert: 'ticket' }] })
  expect(status!.reasons![0]).toMatch(/^200 % of the budget went in [12] minutes? from .*, most of it by release v1\.$/)
  const burns = await platform.json<SloBurns>(['slo', 'who-burned', 'shop-answers'])
  expect(burns).toMatchObject({ used: 8, releases: [{ name: 'v1', bad: 8 }], causes: [{ name: '5xx by the app', bad: 8 }] })
  expect(await reasons('shop-answers')).toEqual(expect.arrayContaining(['BudgetBurns', 'BudgetExhausted']))
  await writeFiles(directory, app('two'))
  const held = platform.cli(['deploy', directory])
  await until('the gate to hold', async () => (await newest()).status?.waitingFor?.some(({ gate }) => gate === 'budget') === true, patienceMs)
  expect((await newest()).status!.waitingFor).toEqual([{ gate: 'budget', text: expect.stringContaining('The error budget of shop-answers is used up: 200 % of it, since ') }])
  const patch = JSON.stringify({ spec: { override: { reason: 'This is the fix for it' } } })
  expect((await platform.api('PATCH', `${base}/deployments/${(await newest()).metadata.name}`, patch, { 'content-type': 'application/merge-patch+json' })).status).toBe(200)
  expect(await held).toMatchObject({ code: 0 })

  await writeFiles(directory, app('three'))
  const waiting = platform.cli(['deploy', directory])
  await until('the gate to hold again', async () => (await newest()).spec.release === 3 && (await newest()).status?.phase === 'Waiting', patienceMs)
  await ask('/', 24)
  expect(await waiting).toMatchObject({ code: 0 })
  expect(await slo('shop-answers')).toMatchObject({ status: { state: 'Healthy' } })
  expect(await reasons('shop-answers')).toContain('BudgetRestored')
  const list = await platform.cli(['slo', 'list'])
  expect(list.stdout).toMatch(/shop-answers +shop +production +50 % +\d+(\.\d+)? % +\d+(\.\d+)? %.*Healthy/)
})
