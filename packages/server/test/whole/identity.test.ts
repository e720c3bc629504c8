/** Roles, tokens, directories, elevation and what of it people and machines see through HTTP and the command line. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, type Platform } from './platform.ts'
import { codeNow } from './totp.ts'

let platform: Platform
const group = '/apis/pavior.dev/v1'
const merge = { 'content-type': 'application/merge-patch+json' }

beforeAll(async () => {
  platform = await newPlatform()
  const made = async (path: string, name: string, spec: object): Promise<void> => expect(await platform.api('POST', `${group}/${path}`, { metadata: { name }, spec })).toMatchObject({ status: 201 })
  for (const name of ['ada', 'bob', 'eve']) await made('users', name, {})
  await made('teams', 'shop', { members: [{ user: 'ada', role: 'admin' }, { user: 'bob', role: 'developer' }] })
  await made('teams', 'other', {})
  await made('namespaces/shop/environments', 'staging', { tier: 'staging' })
  await made('namespaces/shop/apps', 'web', {})
})

interface Caller {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<{ status: number; body: any }>
  token: string
}

function caller(token: string): Caller {
  return { token, send: (method, path, body, headers = {}) => platform.api(method, path, body, { ...headers, authorization: `Bearer ${token}` }) }
}

const as = async (username: string): Promise<Caller> => caller((await platform.api('POST', '/v1/tokens', { username })).body.token as string)
const codeOf = ({ body }: { body: any }): string => body?.details?.pavior?.code as string
const settled = (who: Caller, path: string, status: number): Promise<void> => until(`${path} to answer ${status}`, async () => (await who.send('GET', path)).status === status)

/** A watch, and the lines that came until it ended. */
function openWatch(token: string, path: string): Promise<{ ended: Promise<string> }> {
  return new Promise((resolve, reject) => {
    get(new URL(path, platform.url), { headers: { authorization: `Bearer ${token}` }, agent: false }, (response: IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      resolve({ ended: Promise.race([once(response, 'close'), once(response, 'aborted')]).then(() => text) })
    }).on('error', reject)
  })
}

describe('roles', () => {
  test('a custom role gives by name and environment; the API, can-i and the review of Kubernetes agree', async () => {
    expect((await platform.api('POST', `${group}/roles`, { metadata: { name: 'stager' }, spec: { rules: [{ verbs: ['get', 'list'], kinds: ['App', 'Environment'] }, { verbs: ['update', 'patch'], kinds: ['Environment'], environments: ['staging'] }] } })).status).toBe(201)
    expect((await platform.cli(['auth', 'grant', 'stager', 'user:eve', '--team', 'shop', '--reason', 'tests'])).code).toBe(0)
    const eve = await as('eve')
    await settled(eve, `${group}/namespaces/shop/apps`, 200)
    expect((await eve.send('GET', `${group}/namespaces/shop/builds`)).status).toBe(403)
    const change = (name: string) => eve.send('PATCH', `${group}/namespaces/shop/environments/${name}`, { spec: { description: 'changed' } }, merge)
    await platform.api('POST', `${group}/namespaces/shop/environments`, { metadata: { name: 'production' }, spec: { tier: 'production' } })
    expect([(await change('staging')).status, (await change('production')).status]).toEqual([200, 403])
    for (const [verb, kind, plural, name, allowed] of [['list', 'App', 'apps', undefined, true], ['patch', 'Environment', 'environments', 'staging', true], ['patch', 'Environment', 'environments', 'production', false], ['delete', 'App', 'apps', 'web', false]] as const) {
      const query = new URLSearchParams({ verb, kind, team: 'shop', ...(name ? { name } : {}) }).toString()
      expect((await eve.send('GET', `/v1/auth/can-i?${query}`)).body.allowed).toBe(allowed)
      const review = await eve.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: { resourceAttributes: { verb, resource: plural, namespace: 'shop', group: 'pavior.dev', ...(name ? { name } : {}) } } })
      expect(review.body.status.allowed).toBe(allowed)
    }
    const whoCan = await platform.cli(['auth', 'who-can', 'patch', 'environment', 'staging', '--team', 'shop'])
    expect(whoCan.stdout).toMatch(/user:ada +team-owner +member of team shop/)
    expect(whoCan.stdout).toMatch(/user:eve +stager +RoleBinding shop\/stager-user-eve/)
    expect((await platform.cli(['auth', 'can-i', 'delete', 'app', 'web', '--team', 'shop', '--as', 'user:eve'])).code).toBe(3)
  })

  test('nobody gives what they do not hold, and a status is written by the platform', async () => {
    const [ada, bob] = [await as('ada'), await as('bob')]
    const bind = (who: Caller, role: string) => who.send('POST', `${group}/namespaces/shop/rolebindings`, { metadata: { name: `try-${role}` }, spec: { role, subjects: [{ kind: 'User', name: 'eve' }] } })
    await platform.api('POST', `${group}/roles`, { metadata: { name: 'driver' }, spec: { rules: [{ verbs: ['*'], kinds: ['InstanceSet'] }] } })
    await until('the role to be known', async () => (await platform.api('GET', '/v1/auth/roles')).body.items.some(({ name }: { name: string }) => name === 'driver'))
    expect((await bind(bob, 'viewer')).status).toBe(403)
    expect(codeOf(await bind(ada, 'driver'))).toBe('ESCALATION_REFUSED')
    expect((await bind(ada, 'platform-admin')).status).toBe(422)
    expect((await bind(ada, 'no-such-role')).status).toBe(422)
    expect((await bind(ada, 'on-call')).status).toBe(201)
    for (const [path, body] of [['roles', { spec: { rules: [{ verbs: ['*'], kinds: ['*'] }] } }], ['clusterrolebindings', { spec: { role: 'platform-admin', subjects: [{ kind: 'User', name: 'ada' }] } }], ['users', { spec: { admin: true } }], ['groups', { spec: {} }]] as const) {
      expect((await ada.send('POST', `${group}/${path}`, { metadata: { name: 'mine' }, ...body })).status).toBe(403)
    }
    expect((await bob.send('PATCH', `${group}/namespaces/shop/apps/web/status`, { status: { environments: {} } }, merge)).status).toBe(403)
  })

  test('an auditor reads everything and the audit, and writes nothing', async () => {
    await platform.cli(['auth', 'grant', 'auditor', 'user:eve', '--everywhere'])
    const eve = await as('eve')
    await settled(eve, `${group}/namespaces/other/apps`, 200)
    expect((await eve.send('GET', '/v1/audit?limit=1')).status).toBe(200)
    expect((await eve.send('POST', `${group}/namespaces/other/apps`, { metadata: { name: 'x' }, spec: {} })).status).toBe(403)
    await platform.cli(['delete', 'clusterrolebinding', 'auditor-user-eve'])
    await settled(eve, `${group}/namespaces/other/apps`, 403)
  })
})

describe('service accounts and tokens with bounds', () => {
  test('a token has what the account has, within its bounds, and no more when the account has less', async () => {
    const ada = await as('ada')
    expect((await ada.send('POST', `${group}/namespaces/shop/serviceaccounts`, { metadata: { name: 'ci' }, spec: {} })).status).toBe(201)
    await ada.send('POST', `${group}/namespaces/shop/rolebindings`, { metadata: { name: 'ci' }, spec: { role: 'developer', subjects: [{ kind: 'ServiceAccount', name: 'ci' }] } })
    const make = async (body: object): Promise<Caller> => caller((await ada.send('POST', '/v1/tokens', { team: 'shop', serviceAccount: 'ci', ...body })).body.token as string)
    const [whole, bounded] = [await make({}), await make({ verbs: ['get', 'list'], kinds: ['App'], expiresInDays: 1 })]
    await settled(whole, `${group}/namespaces/shop/apps`, 200)
    expect((await whole.send('GET', '/v1/whoami')).body.name).toBe('serviceaccount:shop/ci')
    const patch = { metadata: { labels: { by: 'ci' } } }
    expect((await whole.send('PATCH', `${group}/namespaces/shop/apps/web`, patch, merge)).status).toBe(200)
    expect((await bounded.send('GET', `${group}/namespaces/shop/apps/web`)).status).toBe(200)
    for (const [method, path] of [['PATCH', `${group}/namespaces/shop/apps/web`], ['GET', `${group}/namespaces/shop/builds`], ['GET', `${group}/users`], ['GET', '/v1/audit'], ['POST', '/v1/tokens'], ['GET', '/v1/catalog/entities']] as const) {
      expect((await bounded.send(method, path, method === 'GET' ? undefined : patch, merge)).status, path).toBeGreaterThanOrEqual(400)
    }
    await ada.send('DELETE', `${group}/namespaces/shop/rolebindings/ci`)
    await settled(whole, `${group}/namespaces/shop/apps`, 403)
    expect((await bounded.send('GET', `${group}/namespaces/shop/apps/web`)).status).toBe(403)
    await ada.send('PATCH', `${group}/namespaces/shop/serviceaccounts/ci`, { spec: { suspended: true } }, merge)
    await settled(whole, '/v1/whoami', 401)
  })

  test('a token of an account with more than the team gives is made by administrators only', async () => {
    await platform.api('POST', `${group}/namespaces/shop/serviceaccounts`, { metadata: { name: 'robot' }, spec: {} })
    await platform.api('POST', `${group}/clusterrolebindings`, { metadata: { name: 'robot' }, spec: { role: 'platform-admin', subjects: [{ kind: 'ServiceAccount', name: 'robot', team: 'shop' }] } })
    const ada = await as('ada')
    await until('the binding to count', async () => codeOf(await ada.send('POST', '/v1/tokens', { team: 'shop', serviceAccount: 'robot' })) === 'ESCALATION_REFUSED')
    expect((await platform.api('POST', '/v1/tokens', { team: 'shop', serviceAccount: 'robot' })).status).toBe(201)
  })
})

describe('what is open', () => {
  test('ends when the token is revoked, and when its owner loses a role, with a reason', async () => {
    const made = (await platform.api('POST', '/v1/tokens', { username: 'bob' })).body as { id: string; token: string }
    const revoked = await openWatch(made.token, `${group}/namespaces/shop/apps?watch=1`)
    const bob = await as('bob')
    const shrunk = await openWatch(bob.token, `${group}/namespaces/shop/apps?watch=1`)
    await platform.api('DELETE', `/v1/tokens/${made.id}`)
    expect(await revoked.ended).toContain('"UNAUTHENTICATED"')
    await platform.api('DELETE', '/v1/teams/shop/members/bob')
    expect(await shrunk.ended).toContain('"FORBIDDEN"')
    await platform.api('PUT', '/v1/teams/shop/members/bob', { role: 'developer' })
  })
})

describe('a higher role for a while', () => {
  test('is taken with a reason, told to the team, and ends by itself', async () => {
    const [bob, eve] = [await as('bob'), await as('eve')]
    const take = (who: Caller, body: object) => who.send('POST', '/v1/teams/shop/elevations', { role: 'team-owner', minutes: 30, reason: 'checkout is down', ...body })
    await until('bob to be back', async () => (await bob.send('GET', '/v1/whoami')).body.roles.shop === 'developer')
    expect(codeOf(await take(bob, { minutes: 61 }))).toBe('ELEVATION_REFUSED')
    expect(codeOf(await take(bob, { role: 'platform-admin' }))).toBe('ELEVATION_REFUSED')
    expect((await take(bob, { reason: '' })).status).toBe(400)
    await platform.api('DELETE', `${group}/namespaces/shop/rolebindings/try-on-call`)
    await until('eve to be none of them', async () => (await platform.api('GET', '/v1/auth/rights?as=user:eve')).body.mayElevate.length === 0)
    expect(codeOf(await take(eve, {}))).toBe('ELEVATION_REFUSED')
    const mayFreeze = async (): Promise<boolean> => (await bob.send('GET', '/v1/auth/can-i?verb=create&kind=Freeze&team=shop')).body.allowed as boolean
    expect(await mayFreeze()).toBe(false)
    const taken = await take(bob, { minutes: 0.15 })
    expect(taken.status).toBe(201)
    await until('the role to be held', mayFreeze)
    const { items } = (await platform.api('GET', '/api/v1/namespaces/shop/events')).body
    expect(items.some(({ reason, message }: { reason: string; message: string }) => reason === 'Elevated' && message.includes('bob') && message.includes('checkout is down'))).toBe(true)
    await until('the role to be over', async () => !(await mayFreeze()))
    await until('the binding to be gone', async () => (await platform.api('GET', `${group}/namespaces/shop/rolebindings/${taken.body.name}`)).status === 404)
    const { items: rows } = (await platform.api('GET', '/v1/audit?kind=RoleBinding&team=shop&actor=user:bob')).body
    expect(rows.some(({ verb, reason }: { verb: string; reason?: string }) => verb === 'create' && reason === 'checkout is down')).toBe(true)
  })
})

test('a role for a while leaves nothing behind: no token, no member, no binding; and it ends though the server is killed', async () => {
  const bob = await as('bob')
  await until('bob to be a developer', async () => (await bob.send('GET', '/v1/whoami')).body.roles.shop === 'developer')
  const taken = await bob.send('POST', '/v1/teams/shop/elevations', { role: 'team-owner', minutes: 0.25, reason: 'tests' })
  await until('the role to be held', async () => (await bob.send('GET', '/v1/whoami')).body.roles.shop === 'admin')
  expect((await bob.send('POST', `${group}/namespaces/shop/freezes`, { metadata: { name: 'mine' }, spec: { reason: 'tests', from: '2030-01-01T00:00:00Z', until: '2030-01-02T00:00:00Z' } })).status).toBe(201)
  expect((await bob.send('POST', '/v1/tokens', { team: 'shop', role: 'admin' })).status).toBe(403)
  expect((await bob.send('PUT', '/v1/teams/shop/members/bob', { role: 'admin' })).status).toBe(403)
  expect((await bob.send('POST', `${group}/namespaces/shop/rolebindings`, { metadata: { name: 'for-ever' }, spec: { role: 'team-owner', subjects: [{ kind: 'User', name: 'bob' }] } })).status).toBe(403)
  process.kill(await platform.pidOf('server'), 'SIGKILL')
  await until('the binding to be gone', async () => (await platform.api('GET', `${group}/namespaces/shop/rolebindings/${taken.body.name}`)).status === 404, 60_000)
  expect((await bob.send('GET', '/v1/whoami')).body.roles.shop).toBe('developer')
})

test('who is deleted leaves no way in for somebody of the same name', async () => {
  const create = () => platform.api('POST', `${group}/users`, { metadata: { name: 'ivy' }, spec: {} })
  await create()
  await platform.api('PUT', '/v1/users/ivy/password', { password: 'correct horse battery' })
  const ivy = await as('ivy')
  await platform.api('DELETE', `${group}/users/ivy`)
  const tokens = async (): Promise<{ username?: string }[]> => (await platform.api('GET', '/v1/tokens')).body.items
  await until('her tokens to be revoked', async () => !(await tokens()).some(({ username }) => username === 'ivy'))
  await create()
  await until('the new one to be there', async () => (await platform.api('GET', '/v1/auth/rights?as=user:ivy')).status === 200)
  expect((await ivy.send('GET', '/v1/whoami')).status).toBe(401)
  const login = await fetch(`${platform.url}/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'ivy', password: 'correct horse battery' }) })
  expect(login.status).toBe(401)
})

test('a second factor is asked for beside the password, and who failed is in the audit', async () => {
  const password = 'correct horse battery'
  await platform.api('PUT', '/v1/users/eve/password', { password })
  const enter = async (body: object): Promise<{ status: number; body: any }> => {
    const response = await fetch(`${platform.url}/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'eve', password, ...body }) })
    return { status: response.status, body: await response.json() }
  }
  const eve = caller((await enter({})).body.token as string)
  expect(codeOf(await eve.send('POST', '/v1/users/eve/second-factor', { current: 'wrong horse battery' }))).toBe('PASSWORD_WRONG')
  const { secret } = (await eve.send('POST', '/v1/users/eve/second-factor', { current: password })).body
  const code = codeNow(secret)
  const { recoveryCodes } = (await eve.send('PUT', '/v1/users/eve/second-factor', { code })).body
  expect(codeOf(await enter({}))).toBe('SECOND_FACTOR_NEEDED')
  expect(codeOf(await enter({ code }))).toBe('SECOND_FACTOR_WRONG')
  expect((await enter({ code: recoveryCodes[0] })).status).toBe(200)
  expect(codeOf(await enter({ code: recoveryCodes[0] }))).toBe('SECOND_FACTOR_WRONG')
  const { items } = (await platform.api('GET', '/v1/audit?kind=Session')).body
  expect(items.filter(({ verb, name }: { verb: string; name: string }) => verb === 'sign-in-failed' && name === 'eve').length).toBeGreaterThanOrEqual(2)
  expect(JSON.stringify(items)).not.toContain(recoveryCodes[0])
})

describe('a directory over SCIM', () => {
  const scim = async (method: string, path: string, body?: unknown, token = ''): Promise<{ status: number; body: any }> => {
    const response = await fetch(`${platform.url}/scim/v2${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }) }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }
  let token = ''
  const call = (method: string, path: string, body?: unknown) => scim(method, path, body, token)

  test('has a token of its own, which opens nothing else, and no other token opens it', async () => {
    token = (await platform.json<{ token: string }>(['scim', 'token', '-d', 'tests'])).token
    expect((await scim('GET', '/Users', undefined, await platform.token())).status).toBe(401)
    expect((await caller(token).send('GET', `${group}/apps`)).status).toBe(401)
    expect((await call('GET', '/ServiceProviderConfig')).body.patch.supported).toBe(true)
    expect((await call('GET', '/Schemas')).body.totalResults).toBe(2)
  })

  test('makes, finds, changes and shuts out people, whose sessions and tokens end at once', async () => {
    const made = await call('POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'Carol@Example.com', externalId: '42', name: { givenName: 'Carol', familyName: 'Shaw' }, emails: [{ value: 'carol@example.com', primary: true }], active: true })
    expect(made).toMatchObject({ status: 201, body: { userName: 'Carol@Example.com', displayName: 'Carol Shaw', active: true } })
    expect((await call('POST', '/Users', { userName: 'carol@example.com' })).body).toMatchObject({ status: '409', scimType: 'uniqueness' })
    expect((await call('GET', `/Users?filter=${encodeURIComponent('userName eq "carol@example.com"')}`)).body).toMatchObject({ totalResults: 1, Resources: [{ id: made.body.id }] })
    const { token: hers } = (await platform.api('POST', '/v1/tokens', { username: 'carol' })).body
    const watch = await openWatch(hers, `${group}/users?watch=1`)
    expect((await call('PATCH', `/Users/${made.body.id}`, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] })).body.active).toBe(false)
    expect((await caller(hers).send('GET', '/v1/whoami')).status).toBe(401)
    expect(await watch.ended).toContain('ERROR')
    expect((await call('DELETE', `/Users/${made.body.id}`)).status).toBe(204)
    expect((await call('GET', `/Users/${made.body.id}`)).status).toBe(404)
    expect((await call('POST', '/Users', { userName: 'carol@example.com' })).body).toMatchObject({ active: true })
  })

  test('fills groups, of which two changes at once are both kept, and which give a role in a team', async () => {
    const [dan, fay] = [(await call('POST', '/Users', { userName: 'dan' })).body.id, (await call('POST', '/Users', { userName: 'fay' })).body.id]
    const made = await call('POST', '/Groups', { displayName: 'Shop People', externalId: 'g1', members: [] })
    expect(made.status).toBe(201)
    await Promise.all([dan, fay].map((value) => call('PATCH', `/Groups/${made.body.id}`, { Operations: [{ op: 'add', path: 'members', value: [{ value }] }] })))
    expect((await call('GET', `/Groups/${made.body.id}`)).body.members.map(({ display }: { display: string }) => display).toSorted()).toEqual(['dan', 'fay'])
    await platform.api('PATCH', `${group}/teams/shop`, { spec: { groups: [{ group: 'shop-people', role: 'viewer' }] } }, merge)
    const whoDan = await as('dan')
    await settled(whoDan, `${group}/namespaces/shop/apps`, 200)
    await call('PATCH', `/Groups/${made.body.id}`, { Operations: [{ op: 'remove', path: `members[value eq "${dan}"]` }] })
    await settled(whoDan, `${group}/namespaces/shop/apps`, 403)
  })

  test('garbage is refused whole, in the form of SCIM', async () => {
    const { id } = (await call('GET', `/Users?filter=${encodeURIComponent('userName eq "fay"')}`)).body.Resources[0]
    const before = (await call('GET', `/Users/${id}`)).body
    for (const [method, path, body] of [['POST', '/Users', '{"userName":'], ['POST', '/Users', { userName: '' }], ['POST', '/Users', []], ['PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', path: 'displayName', value: 'New' }, { op: 'replace', path: 'active', value: 'maybe' }] }], ['PATCH', `/Users/${id}`, { Operations: [{ op: 'add', path: 'admin', value: true }] }], ['GET', '/Users?filter=userName', undefined], ['POST', '/Groups', { displayName: 'x', members: [{ value: 'nobody' }] }]] as const) {
      const answer = await call(method, path, body)
      expect(answer.status, JSON.stringify(body)).toBe(400)
      expect(answer.body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:Error'])
    }
    expect((await call('GET', `/Users/${id}`)).body).toEqual(before)
  })
})

test('the platform is an issuer whose keys anybody can verify with, and gives tokens to credentials only', async () => {
  const discovery = (await (await fetch(`${platform.url}/.well-known/openid-configuration`)).json()) as { issuer: string; jwks_uri: string }
  expect(discovery.issuer).toBe(platform.url)
  const bob = await as('bob')
  await until('bob to be a developer', async () => (await bob.send('GET', '/v1/whoami')).body.roles.shop === 'developer')
  for (const algorithm of ['ES256', 'RS256']) {
    const { body } = await bob.send('POST', '/v1/teams/shop/apps/web/id-token', { environment: 'staging', audience: 'vault', algorithm })
    const verified = await jwtVerify(body.value, createRemoteJWKSet(new URL(discovery.jwks_uri)), { issuer: discovery.issuer, audience: 'vault' })
    expect(verified.payload).toMatchObject({ sub: 'shop:web:staging', team: 'shop', app: 'web', environment: 'staging' })
    expect(verified.payload.exp! - verified.payload.iat!).toBeLessThanOrEqual(3600)
    await expect(jwtVerify(body.value, createRemoteJWKSet(new URL(discovery.jwks_uri)), { audience: 'another' })).rejects.toThrow()
  }
  const ask = async (who: Caller, body: object, app = 'web'): Promise<number> => (await who.send('POST', `/v1/teams/shop/apps/${app}/id-token`, { environment: 'staging', audience: 'vault', ...body })).status
  expect(await ask(await as('eve'), {})).toBe(403)
  expect([await ask(bob, { audience: '' }), await ask(bob, { lifetimeSeconds: 7200 }), await ask(bob, { algorithm: 'none' }), await ask(bob, {}, 'gone')]).toEqual([400, 400, 400, 404])
  const { keys } = (await (await fetch(discovery.jwks_uri)).json()) as { keys: { alg: string; d?: string }[] }
  expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256'])
  for (const token of [await platform.token(), 'pvw_made.up', 'pvw_']) expect((await caller(token).send('GET', '/v1/workload/token?audience=vault')).status).toBe(401)
})

test('an app proves who it is to anybody who knows the keys, and its credential stands in no resource', async () => {
  const server = `require('http').createServer(async (request, response) => {
    const { PAVIOR_ID_TOKEN_URL: url, PAVIOR_ID_TOKEN_REQUEST_TOKEN: credential } = process.env
    const answer = await fetch(url + '?audience=bank', { headers: { authorization: 'Bearer ' + credential } })
    response.end(request.url === '/credential' ? credential : await answer.text())
  }).listen(process.env.PORT)`
  const directory = await appDirectory('prover', { 'package.json': JSON.stringify({ name: 'prover', private: true, scripts: { start: 'node server.js' } }), 'server.js': server })
  await platform.json(['deploy', '--strategy', 'rolling'], { directory })
  const { value } = JSON.parse((await platform.get('prover.localhost')).body)
  const keys = createRemoteJWKSet(new URL(`${platform.url}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(value, keys, { issuer: platform.url, audience: 'bank' })
  expect(payload).toMatchObject({ sub: 'default:prover:production', team: 'default', app: 'prover', environment: 'production', release: 1 })
  const credential = (await platform.get('prover.localhost', '/credential')).body
  expect(credential.length).toBeGreaterThan(20)
  for (const plural of ['instancesets', 'releases', 'apps', 'deployments']) expect(JSON.stringify((await platform.api('GET', `${group}/namespaces/default/${plural}`)).body)).not.toContain(credential)
})

test('with another key of identities apps are deployed and serve all the same, without a credential of their own', async () => {
  await platform.stop()
  await writeFile(join(platform.home, 'keys/identity.key'), randomBytes(32))
  await platform.start()
  const server = `require('http').createServer((request, response) => response.end(process.env.PAVIOR_ID_TOKEN_REQUEST_TOKEN ?? 'none')).listen(process.env.PORT)`
  const directory = await appDirectory('bare', { 'package.json': JSON.stringify({ name: 'bare', private: true, scripts: { start: 'node server.js' } }), 'server.js': server })
  await platform.json(['deploy', '--strategy', 'rolling'], { directory })
  expect((await platform.get('bare.localhost')).body).toBe('none')
})
