/** Policies as their users meet them: a deploy that is refused, an exception, its grant, and what is found of what lives. */
import { mkdir, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

const policies = '/apis/pavior.dev/v1/policies'
const exceptions = '/apis/pavior.dev/v1/namespaces/default/policyexceptions'
const key = `AKIA${'Q'.repeat(16)}`

function policy(name: string, spec: object): object {
  return { apiVersion: 'pavior.dev/v1', kind: 'Policy', metadata: { name }, spec: { title: name, match: { kinds: ['App'] }, points: ['admission'], severity: 'medium', mode: 'enforce', failure: 'closed', ...spec } }
}

const rule = (expression: string, more: object = {}): object => ({ rules: [{ name: 'rule', expression, message: 'It is not so', ...more }] })

async function created(name: string, spec: object): Promise<void> {
  const { status, body } = await platform.api('POST', policies, policy(name, spec))
  if (status !== 201) throw new Error(JSON.stringify(body))
  await until(`${name} is asked`, async () => (await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', { metadata: { name: 'probe', labels: { probe: name } }, spec: {} })) !== undefined)
}

describe('a deploy', () => {
  test('tells how many rules were asked and what they warn of', async () => {
    const directory = await appDirectory('shop', webApp('hello'))
    const { code, stderr } = await platform.cli(['deploy'], { directory })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/policy +\d+ rules, \d+ warnings/)])
    expect(stderr).toContain('warning policy production-health-check/health: web has no health check in production. Add processes.web.health.path')
  })

  test('with a secret in its manifest is refused with rule, reason, fix and the way to an exception; what served goes on serving', async () => {
    const directory = await appDirectory('shop', { ...webApp('hello'), 'pavior.yaml': `env:\n  CLOUD: ${key}\n` })
    const { code, stderr } = await platform.cli(['deploy'], { directory })
    expect(code).toBe(3)
    expect(stderr).toContain('POLICY_DENIED   App "shop" in production breaks the policy no-plain-secrets: The variables CLOUD hold what looks like a secret.')
    expect(stderr).toContain('rule     no-plain-secrets/deploy')
    expect(stderr).toContain('fix      Take it out of the manifest')
    expect(stderr).toContain('state    Nothing was deployed; what served before goes on serving.')
    expect(stderr).toContain('more     pavior exception request no-plain-secrets --app shop --team default --reason "…" --days 30')
    expect(stderr).not.toContain(key)
    expect((await platform.get('shop.localhost')).body).toBe('hello')
  })

  test('goes through with an exception that an administrator granted, and the app shows it', async () => {
    const directory = await appDirectory('shop', { ...webApp('with it'), 'pavior.yaml': `env:\n  CLOUD: ${key}\n` })
    const asked = await platform.json(['exception', 'request', 'no-plain-secrets', '--app', 'shop', '--reason', 'The key opens nothing any more.', '--days', '14'])
    expect((await platform.cli(['deploy'], { directory })).code).toBe(3)
    await platform.json(['exception', 'grant', asked.metadata.name])
    await until('the exception is in force', async () => (await platform.api('GET', `${exceptions}/${asked.metadata.name}`)).body.status.phase === 'Granted')
    const { code, stderr } = await platform.cli(['deploy'], { directory })
    expect([code, stderr]).toEqual([0, expect.stringContaining('rollout')])
    await until('it is found as exempt', async () => (await platform.json(['policy', 'findings', 'shop'])).items.some((one: any) => one.policy === 'no-plain-secrets' && one.outcome === 'exempt' && one.exception === asked.metadata.name))
    expect((await platform.api('GET', '/v1/policy/deviations')).body.items).toEqual([expect.objectContaining({ team: 'default', granted: 1, policies: ['no-plain-secrets'] })])

    expect((await platform.api('PATCH', `${exceptions}/${asked.metadata.name}`, { spec: { expiresAt: '2099-01-01T00:00:00Z' } }, { 'content-type': 'application/merge-patch+json' })).status).toBe(422)
    expect((await platform.api('PUT', `${exceptions}/${asked.metadata.name}/status`, { metadata: { name: asked.metadata.name }, spec: asked.spec, status: { phase: 'Requested' } })).status).toBe(403)
    expect((await platform.cli(['exception', 'deny', asked.metadata.name])).stderr).toContain('EXCEPTION_DECIDED')
  })
})

test('what only its deployment breaks ends a deploy with the denial too; the way back is open whatever policies say', async () => {
  const back = await appDirectory('back', webApp('one'))
  for (const text of ['one', 'two']) {
    await writeFile(join(back, 'server.js'), webApp(text)['server.js']!)
    expect((await platform.cli(['deploy', back])).code).toBe(0)
  }
  await created('no-uploads', { ...rule('object.spec.reason != "upload"'), match: { kinds: ['Deployment'] }, points: ['admission', 'deploy'] })
  const { code, stderr } = await platform.cli(['deploy', await appDirectory('late', webApp('late'))], { timeoutMs: 30_000 })
  expect([code, stderr]).toEqual([3, expect.stringContaining('POLICY_DENIED')])
  await created('no-deployments', { ...rule('false'), match: { kinds: ['Deployment'] }, points: ['admission', 'deploy'] })
  const rolledBack = await platform.cli(['rollback', 'v1', '--app', 'back'])
  expect(rolledBack.code, rolledBack.stderr).toBe(0)
  expect((await platform.get('back.localhost')).body).toBe('one')
  // A secret that cannot be brought out says why, and the app too.
  expect(await platform.cli(['secrets', 'set', 'API_KEY', '--app', 'back'], { input: 'v1' })).toMatchObject({ code: 3, stderr: expect.stringMatching(/POLICY_DENIED[\s\S]*no-deployments[\s\S]*brought out as soon as the rule lets it/) })
  const refused = async (): Promise<any> => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/apps/back')).body.status.environments.production.refused
  expect(await refused()).toMatchObject({ code: 'POLICY_DENIED' })
  const rotation = async (): Promise<any> => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/secrets')).body.items[0].status.rotation
  expect((await rotation()).targets).toEqual([expect.objectContaining({ app: 'back', state: 'refused', message: expect.stringContaining('no-deployments') })])
  expect((await platform.api('DELETE', `${policies}/no-deployments`)).status).toBe(200)
  expect((await platform.api('DELETE', `${policies}/no-uploads`)).status).toBe(200)
  await until('it is brought out', async () => (await rotation()).phase === 'Succeeded')
  expect(await refused()).toBeUndefined()
})

describe('a policy', () => {
  test('that is no expression, or one of no rule, is refused with its position', async () => {
    const answer = async (expression: string): Promise<string> => (await platform.api('POST', policies, policy('bad', rule(expression)))).body.message
    expect(await answer('object.spec.x >')).toMatch(/Unexpected token: EOF \(line 1, column 16\)/)
    expect(await answer('nothing == 1')).toMatch(/Unknown variable: nothing \(line 1, column 1\)/)
    expect(await answer('1 + 1')).toContain('It gives int, not true or false.')
    expect(await answer(`${'('.repeat(100)}true${')'.repeat(100)}`)).toContain('is no CEL expression of a rule')
    expect(await answer(`${'true&&'.repeat(280)}true`)).toContain('is no CEL expression of a rule')
  })

  test('warns, is only written down, or is not asked, as its mode says', async () => {
    const app = { metadata: { name: 'modes' }, spec: {} }
    const send = () => fetch(new URL('/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', platform.url), { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(app) })
    const token = await platform.token()
    const mode = (value: string) => platform.api('PATCH', `${policies}/modes`, { spec: { mode: value } }, { 'content-type': 'application/merge-patch+json' })
    await created('modes', rule('object.metadata.name != "modes"', { message: 'The name is ${object.metadata.name}', field: 'metadata.name' }))
    await until('it is refused', async () => (await send()).status === 403)
    const refused = (await (await send()).json()) as any
    expect(refused.details.causes).toEqual([{ field: 'metadata.name', message: 'The name is modes. It is "modes".', reason: 'modes/rule' }])
    await mode('warn')
    await until('it warns', async () => /policy modes\/rule: The name is modes/.test((await send()).headers.get('warning') ?? ''))
    await mode('off')
    await until('it is silent', async () => !/policy modes/.test((await send()).headers.get('warning') ?? ''))
  })

  test('that runs wild is stopped, refuses as declared, and is shown; the platform goes on answering', async () => {
    await created('wild', { ...rule('object.metadata.name != "wild" || !object.spec.description.matches("^(a+)+$")'), match: { kinds: ['App'] } })
    const send = () => platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', { metadata: { name: 'wild' }, spec: { description: `${'a'.repeat(60)}!` } })
    await until('it is refused', async () => (await send()).status === 403)
    expect((await send()).body.message).toContain('It took longer than 200 ms; it is not asked again until it changes')
    await until('its status says so', async () => (await platform.api('GET', `${policies}/wild`)).body.status?.errors?.[0]?.message.includes('took longer'))
    expect((await platform.api('DELETE', `${policies}/wild`)).status).toBe(200)
    await until('it is gone', async () => (await send()).status === 201)
  })

  test('that asks Open Policy Agent refuses as it decides, and as declared when it does not answer in time', async () => {
    const asked: any[] = []
    let answer: (response: ServerResponse) => void = (response) => response.end(JSON.stringify({ result: { allow: false, reasons: ['not on a Friday'] } }))
    const agent = createServer((request, response) => {
      void text(request).then((body) => {
        asked.push({ path: `${request.method} ${request.url}`, ...JSON.parse(body) })
        answer(response)
      })
    }).listen(0, '127.0.0.1')
    await once(agent, 'listening')
    onTestFinished(() => {
      agent.close()
      agent.closeAllConnections()
    })
    const opa = { url: `http://127.0.0.1:${(agent.address() as AddressInfo).port}`, path: 'pavior/apps', timeoutMs: 300 }
    await created('ask-opa', { ...rule('facts.opa.allow', { message: 'Open Policy Agent says: ${facts.opa.reasons.join(", ")}' }), opa, match: { kinds: ['App'] } })
    const send = () => platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', { metadata: { name: 'asked' }, spec: { env: { DB_PASSWORD: 'hunter2', MODE: 'fast' } } })
    await until('it refuses', async () => (await send()).body.message?.includes('breaks the policy ask-opa: Open Policy Agent says: not on a Friday'))
    expect(asked.at(-1)).toMatchObject({ path: 'POST /v1/data/pavior/apps', input: { object: { kind: 'App', spec: { env: { DB_PASSWORD: '[redacted]', MODE: 'fast' } } }, request: { verb: 'create', user: 'user:admin', team: 'default' } } })
    answer = (response) => response.end(JSON.stringify({ result: { allow: true, reasons: [] } }))
    expect((await send()).body.message ?? '').not.toContain('ask-opa')
    for (const [broken, why] of [[() => {}, 'did not answer within 300 ms'], [(response: ServerResponse) => response.writeHead(500).end(), 'answered 500'], [(response: ServerResponse) => response.end('{}'), 'knows no decision pavior/apps'], [(response: ServerResponse) => response.end('x'.repeat(300_000)), 'more than 256 KiB']] as const) {
      answer = broken
      expect((await send()).body.message).toContain(why)
    }
    await platform.api('PATCH', `${policies}/ask-opa`, { spec: { failure: 'open' } }, { 'content-type': 'application/merge-patch+json' })
    await until('it lets go on', async () => !(await send()).body.message?.includes('ask-opa'))
    expect((await platform.api('DELETE', `${policies}/ask-opa`)).status).toBe(200)
  })

  test('that denies everything can still be taken back', async () => {
    await created('deny-all', { ...rule('false'), match: { kinds: ['App', 'Policy', 'Deployment', 'Team'], operations: ['create', 'update', 'delete'] } })
    await until('nothing goes', async () => (await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', { metadata: { name: 'any' }, spec: {} })).status === 403)
    expect((await platform.api('DELETE', `${policies}/deny-all`)).status).toBe(200)
    await until('it is gone', async () => (await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps?dryRun=All', { metadata: { name: 'any' }, spec: {} })).status === 201)
  })
})

describe('exceptions', () => {
  const ask = (spec: object) => platform.api('POST', exceptions, { metadata: { generateName: 'x-' }, spec: { policy: 'owner-set', owner: 'admin', reason: 'It is only a test of this.', ...spec } })
  const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

  test('are refused when they last too long, have ended, name no policy or nobody', async () => {
    expect((await ask({ expiresAt: inMs(100 * 86_400_000) })).body.message).toContain('within 90 days')
    expect((await ask({ expiresAt: inMs(-1000) })).status).toBe(422)
    expect((await ask({ policy: 'none', expiresAt: inMs(3600_000) })).body.message).toContain('There is no policy "none"')
    expect((await ask({ owner: 'nobody', expiresAt: inMs(3600_000) })).body.message).toContain('There is no user "nobody"')
  })

  test('are granted by another administrator of the team, never by who asked, a developer or an outsider', async () => {
    const asUser = async (user: string): Promise<Record<string, string>> => ({ authorization: `Bearer ${(await platform.api('POST', '/v1/tokens', { username: user, description: 'test' })).body.token as string}` })
    for (const [name, role] of [['ada', 'admin'], ['grace', 'admin'], ['bob', 'developer']]) await platform.api('POST', '/v1/teams/default/invitations', { name, role })
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'eve' }, spec: {} })
    const [ada, grace, bob, eve] = [await asUser('ada'), await asUser('grace'), await asUser('bob'), await asUser('eve')]
    const forged = { metadata: { generateName: 'x-', annotations: { 'pavior.dev/requested-by': 'user:bob' } }, spec: { policy: 'owner-set', owner: 'ada', reason: 'It is only a test of this.', expiresAt: inMs(3600_000) } }
    const { status, body } = await platform.api('POST', exceptions, forged, ada)
    expect([status, body.metadata.annotations['pavior.dev/requested-by']]).toEqual([201, 'user:ada'])
    const grant = async (headers: Record<string, string>) => (await platform.api('POST', `/v1/teams/default/exceptions/${body.metadata.name}/grant`, {}, headers)).status
    expect([await grant(ada), await grant(bob), await grant(eve)]).toEqual([403, 403, 403])
    expect((await platform.api('PATCH', `${exceptions}/${body.metadata.name}`, { metadata: { annotations: { 'pavior.dev/requested-by': 'user:bob' } } }, { ...ada, 'content-type': 'application/merge-patch+json' })).status).toBe(403)
    expect(await grant(grace)).toBe(200)
    expect((await platform.api('GET', '/v1/policy/findings', undefined, eve)).body.items).toEqual([])
  })

  test('end by themselves, and stay ended', async () => {
    const { body } = await ask({ expiresAt: inMs(3000) })
    await platform.json(['exception', 'grant', body.metadata.name])
    await until('it has ended', async () => (await platform.api('GET', `${exceptions}/${body.metadata.name}`)).body.status.phase === 'Expired')
    expect((await platform.cli(['exception', 'grant', body.metadata.name])).stderr).toContain('EXCEPTION_DECIDED')
  })
})

describe('a server that is killed', () => {
  test('ends an exception in time when it is back, and goes on refusing', async () => {
    const { body } = await platform.api('POST', exceptions, { metadata: { generateName: 'x-' }, spec: { policy: 'no-plain-secrets', rule: 'manifest', app: 'none', owner: 'admin', reason: 'It is only a test of this.', expiresAt: new Date(Date.now() + 4000).toISOString() } })
    await platform.json(['exception', 'grant', body.metadata.name])
    process.kill(await platform.pidOf('server'), 'SIGKILL')
    await until('it has ended', async () => (await platform.api('GET', `${exceptions}/${body.metadata.name}`)).body.status.phase === 'Expired')
    const refused = await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps', { metadata: { name: 'leaky' }, spec: { env: { CLOUD: key } } })
    expect([refused.status, refused.body.details.pavior.code, JSON.stringify(refused.body).includes(key)]).toEqual([403, 'POLICY_DENIED', false])
  })
})

describe('the command line', () => {
  test('tries every policy that Pavior brings on its fixtures', async () => {
    const { code, stdout } = await platform.cli(['policy', 'test', join(process.cwd(), 'examples/policies')])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^(\d+) of \1 fixtures pass, of 2\d policies\.$/m)])
  })

  test('shows what a new policy would find before it is applied', async () => {
    const directory = join(platform.home, 'policies')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'named.yaml'), JSON.stringify(policy('named', { ...rule('object.metadata.name != "shop"', { message: 'It is called shop' }) })))
    const { stdout } = await platform.cli(['policy', 'impact', join(directory, 'named.yaml')])
    expect(stdout).toMatch(/^default +App +shop +rule +It is called shop$/m)
    expect(stdout).toContain('it would find 1 broken.')
  })
})
