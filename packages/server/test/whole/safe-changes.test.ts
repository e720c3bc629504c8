/** A release on its way to production: tried on a share of the traffic, judged, taken back, held, approved, promoted. */
import { request } from 'node:http'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentSpec, DeploymentStatus, EnvironmentSpec, Resource } from '@pavior/contract'
import { killServer } from './faults.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatform, until, writeFiles, type Platform } from './platform.ts'

type Deployment = Resource<DeploymentSpec, DeploymentStatus>

let platform: Platform
const base = '/apis/pavior.dev/v1/namespaces/default'
beforeAll(async () => {
  platform = await newPlatform()
})

/** Fails this share of its requests; `/break` makes the instance that answers it fail them all. */
function app(text: string, failing = 0): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: 'app', private: true, scripts: { start: 'node server.js' } }),
    'pavior.yaml': 'processes:\n  web:\n    health:\n      path: /healthz\n',
    'server.js': `let failing = ${failing}
const server = require('http').createServer((request, response) => {
  if (request.url === '/break') failing = 1
  const fails = request.url === '/' && Math.random() < failing
  response.writeHead(fails ? 500 : 200).end(${JSON.stringify(text)})
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
  }
}

async function environment(name: string, spec: EnvironmentSpec): Promise<void> {
  const { status, body } = await platform.api('PATCH', `${base}/environments/${name}?fieldManager=test&force=true`, JSON.stringify({ apiVersion: 'pavior.dev/v1', kind: 'Environment', metadata: { name }, spec }), { 'content-type': 'application/apply-patch+yaml' })
  expect([200, 201], JSON.stringify(body)).toContain(status)
}

async function newest(name: string, where = 'production'): Promise<Deployment> {
  const { body } = await platform.api('GET', `${base}/deployments?fieldSelector=spec.app%3D${name}&limit=0`)
  return (body.items as Deployment[]).filter(({ spec }) => spec.environment === where).toSorted((one, other) => other.spec.release - one.spec.release)[0]!
}
const phaseIs = (name: string, ...phases: string[]): Promise<void> => until(`${name} to be ${phases.join(' or ')}`, async () => phases.includes((await newest(name)).status?.phase ?? ''), 60_000)
const merge = (name: string, spec: Partial<DeploymentSpec>) => platform.api('PATCH', `${base}/deployments/${name}`, JSON.stringify({ spec }), { 'content-type': 'application/merge-patch+json' })

async function deployed(name: string, files: Record<string, string>, ...flags: string[]): Promise<string> {
  const directory = await appDirectory(name, files)
  const { code, stderr } = await platform.cli(['deploy', directory, ...flags])
  expect(code, stderr).toBe(0)
  return directory
}

async function again(directory: string, files: Record<string, string>, ...flags: string[]): Promise<{ code: number; stderr: string }> {
  await writeFiles(directory, files)
  return platform.cli(['deploy', directory, ...flags], { timeoutMs: 200_000 })
}

/** With a header, on a connection of its own. */
function ask(host: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: platform.routerPort, headers: { host, ...headers }, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text))
    })
    asked.on('error', reject).end()
  })
}

describe('canary', () => {
  test('without traffic the platform asks the new instances itself, and the deploy takes no longer', async () => {
    const directory = await deployed('quiet', app('one'))
    const second = await again(directory, app('two'))
    expect(second.code, second.stderr).toBe(0)
    expect(await ask('quiet.localhost')).toBe('two')
    const { status } = await newest('quiet')
    expect(status).toMatchObject({ phase: 'Succeeded', strategy: { type: 'canary' }, trial: { judgement: { verdict: 'passing', evidence: 'synthetic' } } })
    expect(status!.trial!.judgement!.text[0]).toContain('the platform asked itself')
  })

  test('every fifth request fails: taken back by itself, fewer than 2 % of all requests were hurt', async () => {
    const directory = await deployed('fifth', app('one'))
    const load = constantLoad(platform.routerPort, 'fifth.localhost')
    await until('some traffic to be counted', async () => (await platform.api('GET', '/v1/teams/default/apps/fifth/traffic?minutes=5')).body.totals.requests > 500)
    const { code, stderr } = await again(directory, app('two', 0.2))
    const { total, failures } = await load.stop()
    expect(code).toBe(1)
    expect(stderr).toMatch(/CANARY_FAILED[\s\S]*error ratio 1?[\d.]+ % of \d+ requests, limit 1 %/)
    expect(stderr).toContain('v1 has all traffic again.')
    const deployment = await newest('fifth')
    expect(deployment.status).toMatchObject({ phase: 'RolledBack', trial: { step: 0, weight: 5, judgement: { verdict: 'failing', evidence: 'traffic' } } })
    const took = Date.parse(deployment.status!.finishedAt!) - Date.parse(deployment.status!.trial!.since!)
    console.log(`a canary that fails 20 %: ${failures.length} of ${total} requests hurt (${((failures.length / total) * 100).toFixed(2)} %), taken back after ${took} ms`)
    expect(failures.length / total).toBeLessThan(0.02)
    expect(new Set(failures)).toEqual(new Set(['status 500']))
    const { body } = await platform.api('GET', `${base}/instancesets?fieldSelector=spec.app%3Dfifth`)
    expect(body.items.filter(({ metadata }: Resource) => !metadata.deletionTimestamp).map(({ spec }: Resource<{ release: number }>) => spec.release)).toEqual([1])
  })

  test('a good one goes step by step, is watched, and is taken back when it breaks then; the server is killed on the way', async () => {
    await environment('production', { tier: 'production', rollout: { steps: [{ weight: 20, seconds: 3 }, { weight: 60, seconds: 3, pause: true }], watchSeconds: 60, judge: { minRequests: 20, slowerThanStable: 100 } } })
    const directory = await deployed('good', app('one'))
    const load = constantLoad(platform.routerPort, 'good.localhost')
    await until('some traffic to be counted', async () => (await platform.api('GET', '/v1/teams/default/apps/good/traffic?minutes=5')).body.totals.requests > 500)
    const second = again(directory, app('two'))
    await until('the second step', async () => (await newest('good')).status?.trial?.step === 1)
    await killServer(platform)
    await until('the pause', async () => (await newest('good')).status?.trial?.held !== undefined)
    const held = await newest('good')
    expect(held.status).toMatchObject({ phase: 'Shifting', trial: { step: 1, weight: 60, held: 'This step waits until somebody resumes it.' } })
    expect((await platform.cli(['deployment', 'resume', held.metadata.name])).code).toBe(0)
    const { code, stderr } = await second
    expect(code, stderr).toBe(0)
    expect(await newest('good')).toMatchObject({ status: { phase: 'Watching' } })
    // Whoever is on call need not wait for the end of the watch; what it may have to go back to is as strong.
    expect(await platform.cli(['scale', 'web=2', '--app', 'good'])).toMatchObject({ code: 0 })
    const replicas = async (): Promise<number[]> => (await platform.api('GET', `${base}/instancesets?fieldSelector=spec.app%3Dgood`)).body.items.map(({ spec }: Resource<{ replicas: number }>) => spec.replicas)
    await until('both to be scaled', async () => (await replicas()).join() === '2,2')
    expect(await newest('good')).toMatchObject({ status: { phase: 'Watching' } })
    expect((await load.stop()).failures).toEqual([])

    const broken = constantLoad(platform.routerPort, 'good.localhost')
    await platform.get('good.localhost', '/break')
    await phaseIs('good', 'RolledBack')
    expect((await newest('good')).status?.problem).toMatchObject({ code: 'WATCH_FAILED', state: 'v1 has all traffic again.' })
    await broken.stop()
    expect(await ask('good.localhost')).toBe('one')
  })

  test('a figure of its own takes back a release that answers well and does the wrong thing', async () => {
    const judged = (query: string): EnvironmentSpec => ({ tier: 'production', rollout: { steps: [{ weight: 50, seconds: 60 }], judge: { slowerThanStable: 100, queries: [{ name: 'answers that find nothing', query, max: 0.1 }] } } })
    const lost = 'sum(rate(pavior_http_requests_total{app="$app",release="$release",code="4xx"}[1m]))'
    const unread = await platform.api('PATCH', `${base}/environments/production`, { spec: judged(`${lost} +`) }, { 'content-type': 'application/merge-patch+json' })
    expect([unread.status, unread.body.details.pavior.code]).toEqual([400, 'QUERY_INVALID'])
    await environment('production', judged(lost))
    const directory = await deployed('figures', app('one'))
    const load = constantLoad(platform.routerPort, 'figures.localhost')
    await until('some traffic to be counted', async () => (await platform.api('GET', '/v1/teams/default/apps/figures/traffic?minutes=5')).body.totals.requests > 500)
    const files = app('two')
    const { code, stderr } = await again(directory, { ...files, 'server.js': files['server.js']!.replace('fails ? 500 : 200', "request.url === '/' ? 404 : 200") })
    await load.stop()
    expect([code, stderr]).toEqual([1, expect.stringMatching(/CANARY_FAILED[\s\S]*answers that find nothing [\d.]+, limit 0\.1/)])
    expect(await ask('figures.localhost')).toBe('one')
  })

  test('an abort and a newer deployment lead all traffic back before anything is deleted', async () => {
    await environment('production', { tier: 'production', rollout: { steps: [{ weight: 50, seconds: 600, pause: true }] } })
    const directory = await deployed('back', app('one'))
    const load = constantLoad(platform.routerPort, 'back.localhost')
    await until('some traffic to be counted', async () => (await platform.api('GET', '/v1/teams/default/apps/back/traffic?minutes=5')).body.totals.requests > 500)
    const second = again(directory, app('two'))
    await until('the trial', async () => (await newest('back')).status?.trial?.since !== undefined)
    expect((await platform.cli(['deployment', 'abort', (await newest('back')).metadata.name])).code).toBe(0)
    expect(await second).toMatchObject({ code: 1, stderr: expect.stringContaining('CANCELED') })
    const third = again(directory, app('three'))
    await until('the next trial', async () => (await newest('back')).spec.release === 3 && (await newest('back')).status?.trial?.since !== undefined)
    const fourth = again(directory, app('four'))
    expect(await third).toMatchObject({ code: 1, stderr: expect.stringContaining('SUPERSEDED') })
    await until('the last trial', async () => (await newest('back')).spec.release === 4 && (await newest('back')).status?.trial?.since !== undefined)
    expect((await platform.cli(['deployment', 'finish', (await newest('back')).metadata.name])).code).toBe(0)
    expect(await fourth).toMatchObject({ code: 0 })
    expect(await ask('back.localhost')).toBe('four')
    // It is watched for minutes, and what comes next does not wait for that.
    await phaseIs('back', 'Watching')
    expect(await platform.cli(['config', 'set', '--no-wait', '--app', 'back', 'GREETING=hello'])).toMatchObject({ code: 0 })
    await until('the configuration to be tried', async () => (await newest('back')).spec.release === 5)
    expect((await load.stop()).failures).toEqual([])
  })
})

test('blue-green: testers see the new release, everybody else the old one, until it is finished; the way back is warm', async () => {
  await environment('production', { tier: 'production', strategy: 'bluegreen', rollout: { steps: [{ weight: 1, pause: true }], testers: { header: 'X-Preview', value: 'yes' }, watchSeconds: 60 } })
  const directory = await deployed('colours', app('blue'))
  const second = again(directory, app('green'))
  await until('the new release to wait', async () => (await newest('colours')).status?.trial?.held !== undefined)
  expect([await ask('colours.localhost'), await ask('colours.localhost', { 'x-preview': 'yes' }), await ask('colours.localhost', { 'x-preview': 'no' })]).toEqual(['blue', 'green', 'blue'])
  const { metadata } = await newest('colours')
  await merge(metadata.name, { promoted: true })
  expect(await second).toMatchObject({ code: 0 })
  expect(await ask('colours.localhost')).toBe('green')
  const began = Date.now()
  await merge(metadata.name, { canceled: true })
  await until('blue again', async () => (await ask('colours.localhost')) === 'blue')
  console.log(`back to blue ${Date.now() - began} ms after the abort`)
  await phaseIs('colours', 'Canceled')
})

describe('gates', () => {
  const asUser = async (user: string): Promise<Record<string, string>> => ({ authorization: `Bearer ${(await platform.api('POST', '/v1/tokens', { username: user, description: 'test' })).body.token as string}` })
  const approve = (name: string, as: Record<string, string>) => platform.api('POST', `/v1/teams/default/deployments/${name}/approve`, undefined, as)

  test('the same artifact is promoted, what differs is told before, and somebody else approves', async () => {
    await environment('staging', { tier: 'staging' })
    await environment('production', { tier: 'production', after: 'staging', protection: { approvals: { count: 2 }, promoteOnly: true } })
    for (const [name, role] of [['ada', 'developer'], ['bob', 'developer'], ['eve', 'viewer']]) await platform.api('POST', '/v1/teams/default/invitations', { name, role })
    const [ada, bob, eve] = [await asUser('ada'), await asUser('bob'), await asUser('eve')]
    await deployed('shop', app('one'), '--environment', 'staging')
    const direct = await platform.cli(['deploy', await appDirectory('shop', app('other'))])
    expect(direct).toMatchObject({ code: 1, stderr: expect.stringMatching(/PROMOTION_REQUIRED[\s\S]*pavior promote --from staging --to production/) })

    await platform.cli(['config', 'set', '--app', 'shop', '--environment', 'production', 'GREETING=hello'])
    const plan = await platform.json(['promote', '--app', 'shop', '--from', 'staging', '--to', 'production', '--plan'])
    expect(plan).toMatchObject({ from: { environment: 'staging', release: 1 }, strategy: { type: 'canary' }, gates: [{ gate: 'approval' }] })
    const { status, body } = await platform.api('POST', '/v1/teams/default/apps/shop/promote', { from: 'staging', to: 'production' }, ada)
    expect(status).toBe(201)
    const name: string = body.metadata.name
    await phaseIs('shop', 'Waiting')
    expect((await newest('shop')).status?.waitingFor).toMatchObject([{ gate: 'approval' }])
    for (const [as, why] of [[ada, 'made this change'], [eve, 'takes the role developer'], [{}, 'made this change']] as const) {
      expect(await approve(name, as)).toMatchObject({ status: 403, body: { details: { pavior: { code: 'APPROVAL_REFUSED' } }, message: expect.stringContaining(why) } })
    }
    expect((await approve(name, bob)).status).toBe(200)
    // A role of one's own may approve, where it says so.
    await platform.api('POST', '/apis/pavior.dev/v1/roles', { metadata: { name: 'approver' }, spec: { rules: [{ verbs: ['approve'], kinds: ['Deployment'], environments: ['production'] }] } })
    expect((await platform.cli(['auth', 'grant', 'approver', 'user:eve', '--team', 'default', '--reason', 'looks at what goes live'])).code).toBe(0)
    expect((await platform.cli(['auth', 'who-can', 'approve', 'deployment', name, '--team', 'default', '--environment', 'production'])).stdout).toMatch(/user:eve +approver/)
    expect((await approve(name, eve)).status).toBe(200)
    await phaseIs('shop', 'Succeeded')
    expect((await approve(name, bob)).body.message).toContain('has ended already')
    const releases = (await platform.api('GET', `${base}/releases?fieldSelector=spec.app%3Dshop&limit=0`)).body.items as Resource<{ artifact: string; environment: string; env: Record<string, string> }>[]
    const [staging, production] = ['staging', 'production'].map((where) => releases.findLast(({ spec }) => spec.environment === where)!)
    expect(production!.spec.artifact).toBe(staging!.spec.artifact)
    expect(production!.spec.env.GREETING).toBe('hello')
    expect(JSON.stringify(plan)).not.toContain('hello')
    expect((await platform.json(['diff', 'staging', 'production', '--app', 'shop'])).changes).toMatchObject({ artifact: { same: true }, configuration: [{ name: 'GREETING', before: '…' }] })
  })

  test('a freeze holds a deployment until it ends; an override takes an administrator; a rollback is never held', async () => {
    await environment('production', { tier: 'production', strategy: 'rolling' })
    const directory = await deployed('cold', app('one'))
    expect((await again(directory, app('two'))).code).toBe(0)
    expect((await platform.api('POST', `${base}/freezes`, { metadata: { name: 'christmas' }, spec: { reason: 'Christmas', tiers: ['production'] } })).status).toBe(201)
    const back = await platform.cli(['rollback', 'v1', '--app', 'cold'])
    expect(back.code, back.stderr).toBe(0)
    await writeFiles(directory, app('three'))
    expect((await platform.cli(['deploy', directory, '--no-wait'])).code).toBe(0)
    await phaseIs('cold', 'Waiting')
    const held = await newest('cold')
    expect(held.status?.waitingFor).toEqual([{ gate: 'freeze', text: 'Changes are frozen: Christmas' }])
    const bob = await asUser('bob')
    const override = JSON.stringify({ spec: { override: { reason: 'The shop window is dark' } } })
    const patch = (as: Record<string, string>) => platform.api('PATCH', `${base}/deployments/${held.metadata.name}`, override, { ...as, 'content-type': 'application/merge-patch+json' })
    expect(await patch(bob)).toMatchObject({ status: 403, body: { message: expect.stringContaining('may not override a freeze') } })
    const forged = await platform.api('POST', `${base}/deployments`, { metadata: { name: 'cold-production-99' }, spec: { app: 'cold', environment: 'production', release: 99, rollbackTo: true } }, bob)
    expect(forged).toMatchObject({ status: 422, body: { message: expect.stringContaining('never served') } })
    expect((await patch({})).status).toBe(200)
    await phaseIs('cold', 'Succeeded')
    expect(await ask('cold.localhost')).toBe('three')
  })
})
