/** A promise that is broken: the budget burns through the router, somebody is told, the gate closes, an owner passes it, and it opens again. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AlertSpec, AlertStatus, DeploymentSpec, DeploymentStatus, IncidentSpec, IncidentStatus, Resource, SloBurns, SloSpec, SloStatus } from '@pavior/contract'
import { killServer } from './faults.ts'
import { appDirectory, newPlatformWith, until, writeFiles, type Platform } from './platform.ts'

type Slo = Resource<SloSpec, SloStatus>
type Deployment = Resource<DeploymentSpec, DeploymentStatus>
type Alert = Resource<AlertSpec, AlertStatus>
type Incident = Resource<IncidentSpec, IncidentStatus>

let platform: Platform
/** A look at objectives comes every ten seconds on a quiet machine. */
const patienceMs = 90_000
const base = '/apis/pavior.dev/v1/namespaces/default'
/** What the channel was sent. */
const told: { kind: string; severity: string; summary: string; name: string; app: string }[] = []
const hook = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    told.push(JSON.parse(Buffer.concat(chunks).toString()))
    response.end()
  })
})
beforeAll(async () => {
  platform = await newPlatformWith({ PAVIOR_PROBE_SECONDS: '0.2' })
  await new Promise<void>((resolve) => void hook.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  hook.closeAllConnections()
  hook.close()
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

/** Of the page once, in the words of the objective; of its ticket not at all while the page fires. */
async function theyAreTold(): Promise<void> {
  await until('somebody to be told', async () => told.length > 0, patienceMs)
  const alerts: Alert[] = (await platform.api('GET', `${base}/alerts`)).body.items
  const pages = alerts.filter(({ spec }) => spec.severity === 'page')
  expect(pages).toMatchObject([{ spec: { source: { kind: 'Slo', name: 'shop-answers' }, app: 'shop', environment: 'production' }, status: { state: 'Firing' } }])
  const [{ metadata, spec }] = pages as [Alert]
  const summary = `shop-answers: ${(await slo('shop-answers')).status!.alerts!.find(({ alert }) => alert === 'page')!.text}`
  expect(spec.summary).toBe(summary)
  const opened = async (): Promise<Incident[]> => (await platform.api('GET', `${base}/incidents`)).body.items
  // Who opened it names its alerts at the next look.
  await until('an incident to be opened for it', async () => (await opened()).some(({ status }) => status?.alerts?.names.includes(metadata.name)), patienceMs)
  expect(told.filter(({ kind }) => kind === 'Fired')).toMatchObject([{ kind: 'Fired', severity: 'page', summary, name: metadata.name, app: 'shop' }])
}

test('a real budget is burned', async () => {
  const directory = await appDirectory('shop', app('one'))
  const first = await platform.cli(['deploy', directory])
  expect(first.code, first.stderr).toBe(0)
  expect((await newest()).status!.notes).toEqual(['No SLO is declared for shop in production: the error-budget gate is open.'])

  const declared = async (plural: string, name: string, given: object): Promise<number> => (await platform.api('POST', `${base}/${plural}`, { metadata: { name }, spec: given })).status
  expect(await declared('notificationchannels', 'ops', { webhook: { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/in` } })).toBe(201)
  expect(await declared('escalationpolicies', 'default', { levels: [{ channels: ['ops'] }] })).toBe(201)
  const spec: SloSpec = { app: 'shop', indicator: { golden: 'requests' }, objective: 0.5, alerting: { page: [{ burn: 1.2, over: '15m' }] }, budgetPolicy: { onExhausted: 'freeze' } }
  expect((await platform.api('POST', `${base}/slos`, { metadata: { name: 'shop-answers' }, spec })).status).toBe(201)
  await ask('/fail', 8)
  // What is counted comes in parts.
  await until('the budget to be used up', async () => (await slo('shop-answers')).status?.budget?.used === 8, patienceMs)
  const { status } = await slo('shop-answers')
  expect(status).toMatchObject({ sli: 0, budget: { unit: 'events', used: 8, total: 4, remaining: -1 }, alerts: [{ alert: 'page' }, { alert: 'ticket' }] })
  expect(status!.reasons![0]).toMatch(/^200 % of the budget went in [12] minutes? from .*, most of it by release v1\.$/)
  const burns = await platform.json<SloBurns>(['slo', 'who-burned', 'shop-answers'])
  expect(burns).toMatchObject({ used: 8, releases: [{ name: 'v1', bad: 8 }], causes: [{ name: '5xx by the app', bad: 8 }] })
  expect(await reasons('shop-answers')).toEqual(expect.arrayContaining(['BudgetBurns', 'BudgetExhausted']))
  await theyAreTold()
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

test('whoever is on call is told, with holes at saving, and stands in by one command', async () => {
  const layers = [{ name: 'weekly', users: ['admin', 'gus'], start: '2026-01-05' }]
  const made = await platform.api('POST', `${base}/oncallschedules`, { metadata: { name: 'primary' }, spec: { timeZone: 'Europe/Berlin', layers } })
  expect(made.status).toBe(201)
  await until('somebody to be on call', async () => (await platform.api('GET', `${base}/oncallschedules/primary`)).body.status?.now !== undefined)
  expect((await platform.cli(['oncall', 'override', 'primary', '--user', 'admin', '--hours', '2', '--reason', 'tries it'])).stdout).toMatch(/^admin is on call for primary from .* until /)
  await until('the override to hold', async () => (await platform.api('GET', `${base}/oncallschedules/primary`)).body.status.now.layer === undefined)
  const listed = await platform.cli(['oncall', 'list'])
  expect(listed.stdout).toMatch(/primary +admin/)
  expect(listed.stdout).toContain('primary names gus, and there is no active user of that name.')
  const shifts = await platform.json<{ user: string; from: string; until: string }[]>(['oncall', 'show', 'primary', '--days', '21'])
  expect(shifts.length).toBeGreaterThanOrEqual(4)
  expect((await platform.cli(['oncall', 'ical', 'primary'])).stdout).toMatch(/^BEGIN:VCALENDAR[\s\S]*SUMMARY:admin is on call for primary[\s\S]*END:VCALENDAR/)

  const office = { ...layers[0], within: { from: '09:00', to: '17:00' } }
  const directory = await appDirectory('schedule', { 'hours.yaml': JSON.stringify({ apiVersion: 'pavior.dev/v1', kind: 'OnCallSchedule', metadata: { name: 'hours' }, spec: { timeZone: 'Europe/Berlin', layers: [office] } }) })
  const warned = await platform.cli(['apply', '-f', `${directory}/hours.yaml`])
  expect([warned.code, warned.stderr]).toEqual([0, expect.stringMatching(/warning nobody is on call \d+ times in the next 28 days/)])
  expect((await platform.api('POST', `${base}/oncallschedules`, { metadata: { name: 'wrong' }, spec: { timeZone: 'Mars/Olympus', layers } })).status).toBe(422)
})

test('the platform promises too, and its own death is in its figures, because others ask it', async () => {
  const promises = async (): Promise<Slo[]> => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/platform/slos')).body.items
  const api = async (): Promise<Slo> => (await promises()).find(({ metadata }) => metadata.name === 'api')!
  expect((await promises()).map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['api', 'api-errors', 'api-latency', 'builds', 'database-connections', 'deployments', 'git', 'instance-starts', 'log-lag', 'portal', 'router', 'watch-lag']))
  const measured = await platform.json<{ labels: Record<string, string>; value: number }[]>(['metrics', '--team', 'platform', 'sum(pavior_deployment_duration_seconds_count{outcome="Succeeded"})'])
  expect(JSON.stringify(measured)).toContain('3')
  await until('probes to be counted', async () => ((await api()).status?.budget?.total ?? 0) > 0, patienceMs)
  expect((await promises()).filter(({ spec, status }) => ['portal', 'git', 'router'].includes(spec.app ?? '') && status?.sli !== 1)).toEqual([])
  const before = (await api()).status!.budget!.used
  await killServer(platform)
  await until('its death to be counted', async () => ((await api()).status?.budget?.used ?? 0) > before, patienceMs)
  const { causes, releases } = await platform.json<SloBurns>(['slo', 'who-burned', 'api', '--team', 'platform'])
  expect(causes[0]!.name).toBe('5xx by the router, which got no answer')
  expect(releases).toEqual([])
  expect((await promises()).find(({ metadata }) => metadata.name === 'router')!.status).toMatchObject({ sli: 1 })
})
