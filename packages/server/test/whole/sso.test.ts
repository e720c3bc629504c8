/** Sign-in through an identity provider, as browsers and command lines do it, and with everything that may be wrong about it. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bentIssuer, clientId, clientSecret, Jar, realIssuer, signInAt, type BentIssuer, type RealIssuer } from './issuer.ts'
import { newPlatform, until, type Platform } from './platform.ts'

let platform: Platform
let issuer: RealIssuer
let bent: BentIssuer

const provider = (name: string, spec: object): Promise<{ status: number; body: any }> => platform.api('POST', '/apis/pavior.dev/v1/identityproviders', { metadata: { name }, spec: { clientId, ...spec } })

beforeAll(async () => {
  platform = await newPlatform()
  issuer = await realIssuer(`${platform.url}/v1/sso/callback`, `${platform.url}/sign-in`)
  bent = await bentIssuer()
  expect((await provider('corporate', { displayName: 'Corporate', issuer: issuer.url, scopes: ['openid', 'email', 'profile', 'groups'], groupsClaim: 'groups', allowedDomains: ['example.com'] })).status).toBe(201)
  expect((await platform.cli(['sso', 'secret', 'corporate'], { input: `${clientSecret}\n` })).code).toBe(0)
  expect((await provider('bent', { displayName: 'Bent', issuer: bent.url })).status).toBe(201)
  Object.assign(issuer.accounts, {
    ada: { email: 'ada@example.com', email_verified: true, preferred_username: 'ada', name: 'Ada Lovelace', groups: ['shop-owners'] },
    eve: { email: 'eve@evil.example', email_verified: true, preferred_username: 'eve', name: 'Eve' },
    mal: { email: 'ada@example.com', email_verified: false, preferred_username: 'ada', name: 'Mal' },
  })
})
afterAll(async () => {
  await issuer.stop()
  await bent.stop()
})

/** From our sign-in page to where the browser ends up. */
async function enter(jar: Jar, login: string): Promise<string> {
  const authorization = await jar.next(`${platform.url}/v1/sso/corporate/start?to=/apps`)
  return jar.next(await signInAt(jar, issuer.url, authorization, login))
}

const whoIs = async (jar: Jar): Promise<{ status: number; body: any }> => {
  const response = await fetch(`${platform.url}/v1/session`, { headers: { cookie: jar.cookieOf(platform.url) } })
  return { status: response.status, body: await response.json() }
}

describe('a person with an account at the provider', () => {
  test('comes in, has an account from then on, and what the groups give; and loses it with the group', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/teams', { metadata: { name: 'shop' }, spec: { groups: [{ group: 'owners', role: 'admin' }] } })
    await platform.api('POST', '/apis/pavior.dev/v1/groups', { metadata: { name: 'owners' }, spec: { claim: { provider: 'corporate', value: 'shop-owners' } } })
    const jar = new Jar()
    expect(await enter(jar, 'ada')).toBe(`${platform.url}/apps`)
    expect(await whoIs(jar)).toMatchObject({ status: 200, body: { user: 'ada', admin: false, roles: { shop: 'admin' } } })
    expect((await platform.api('GET', '/apis/pavior.dev/v1/users/ada')).body.spec).toMatchObject({ email: 'ada@example.com', displayName: 'Ada Lovelace', subject: 'corporate/ada' })

    issuer.accounts.ada!.groups = []
    const again = new Jar()
    await enter(again, 'ada')
    expect((await whoIs(again)).body).toMatchObject({ user: 'ada', roles: {} })
    // Also the session that was begun with the rights of before.
    expect((await whoIs(jar)).body.roles).toEqual({})
    issuer.accounts.ada!.groups = ['shop-owners']
  })

  test('is refused from another domain, without a verified address, and when suspended', async () => {
    expect(await enter(new Jar(), 'eve')).toContain('problem=SSO_REFUSED')
    expect(await enter(new Jar(), 'mal')).toContain('problem=SSO_REFUSED')
    const suspend = (suspended: boolean): Promise<unknown> => platform.api('PATCH', '/apis/pavior.dev/v1/users/ada', { spec: { suspended } }, { 'content-type': 'application/merge-patch+json' })
    const jar = new Jar()
    await enter(jar, 'ada')
    await suspend(true)
    await until('the session to be refused', async () => (await whoIs(jar)).status === 401)
    expect(await enter(new Jar(), 'ada')).toContain('problem=SSO_REFUSED')
    await suspend(false)
  })
})

describe('what does not belong to a sign-in', () => {
  const begin = async (jar: Jar): Promise<string> => bent.answer(await jar.next(`${platform.url}/v1/sso/bent/start`))
  const problemOf = (address: string): string | null => new URL(address).searchParams.get('problem')

  test('a right answer comes in once, and not a second time', async () => {
    const jar = new Jar()
    const callback = await begin(jar)
    expect(await jar.next(callback)).toBe(`${platform.url}/`)
    expect(problemOf(await jar.next(callback))).toBe('SSO_INVALID')
  })

  test.each([
    ['another nonce', { nonce: 'of-another-sign-in' }],
    ['another audience', { aud: 'another-client' }],
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['a token that has ended', { exp: Math.floor(Date.now() / 1000) - 3600 }],
    ['no subject', { sub: undefined }],
  ])('%s is refused', async (_name, claims) => {
    bent.claims = claims
    const jar = new Jar()
    try {
      expect(problemOf(await jar.next(await begin(jar)))).toBe('SSO_INVALID')
      expect((await whoIs(jar)).status).toBe(401)
    } finally {
      bent.claims = {}
    }
  })

  test('a signature by a key that is not published is refused, and a new published key is known at once', async () => {
    const jar = new Jar()
    bent.foreignKey = true
    expect(problemOf(await jar.next(await begin(jar)))).toBe('SSO_INVALID')
    bent.foreignKey = false
    await bent.rotate()
    expect(await jar.next(await begin(jar))).toBe(`${platform.url}/`)
  })

  test('another state, another browser and another page to go to are refused', async () => {
    const jar = new Jar()
    const callback = new URL(await begin(jar))
    callback.searchParams.set('state', 'made-up')
    expect(problemOf(await jar.next(callback.href))).toBe('SSO_INVALID')
    // Somebody else's answer, sent to a victim as a link.
    expect(problemOf(await new Jar().next(await begin(jar)))).toBe('SSO_INVALID')
    const elsewhere = new Jar()
    const authorization = await elsewhere.next(`${platform.url}/v1/sso/bent/start?to=//evil.example/`)
    expect(await elsewhere.next(bent.answer(authorization))).toBe(`${platform.url}/`)
  })

  test('the provider ends the sessions that it began, and nobody else does', async () => {
    bent.claims = { sub: 'trent', sid: 'session-1', preferred_username: 'trent' }
    const jar = new Jar()
    await jar.next(await begin(jar))
    bent.claims = {}
    expect((await whoIs(jar)).body.user).toBe('trent')
    const logout = async (token: string): Promise<number> => (await fetch(`${platform.url}/v1/sso/bent/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) })).status
    bent.foreignKey = true
    expect(await logout(await bent.logoutToken({ sid: 'session-1', sub: 'trent' }))).toBe(401)
    bent.foreignKey = false
    expect((await whoIs(jar)).status).toBe(200)
    expect(await logout(await bent.logoutToken({ sid: 'session-1', sub: 'trent' }))).toBe(200)
    expect((await whoIs(jar)).status).toBe(401)
  })
})

test('the command line signs in with a code that only it can use, and with the code of a device', async () => {
  const link = new URL((await platform.json<{ url: string }>(['users', 'login-link', 'admin'])).url)
  const signedIn = await fetch(`${platform.url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: link.searchParams.get('key') }) })
  const { csrf } = (await signedIn.json()) as { csrf: string }
  const headers = { cookie: signedIn.headers.getSetCookie()[0]!.split(';', 1)[0]!, 'x-csrf-token': csrf, 'content-type': 'application/json' }
  const post = async (path: string, body: object, asPerson = false): Promise<{ status: number; body: any }> => {
    const response = await fetch(platform.url + path, { method: 'POST', headers: asPerson ? headers : { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return { status: response.status, body: await response.json() }
  }
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  expect((await post('/v1/cli/authorize', { redirectUri: 'http://evil.example/callback', challenge }, true)).status).toBe(400)
  const authorize = (): Promise<{ status: number; body: any }> => post('/v1/cli/authorize', { redirectUri: 'http://127.0.0.1:4321/callback', challenge }, true)
  expect((await post('/v1/cli/token', { code: (await authorize()).body.code, verifier: randomBytes(32).toString('base64url') })).status).toBe(401)
  const { code } = (await authorize()).body
  const issued = await post('/v1/cli/token', { code, verifier })
  expect(issued).toMatchObject({ status: 200, body: { user: 'admin' } })
  expect((await post('/v1/cli/token', { code, verifier })).status).toBe(401)

  const device = (await post('/v1/device', { machine: 'ci-runner' })).body
  expect(await post('/v1/device/token', { deviceCode: device.deviceCode })).toMatchObject({ status: 202, body: { pending: true } })
  expect((await post('/v1/device/look', { userCode: device.userCode }, true)).body).toMatchObject({ machine: 'ci-runner' })
  expect((await post('/v1/device/approve', { userCode: device.userCode.toLowerCase() }, true)).status).toBe(200)
  expect((await post('/v1/device/token', { deviceCode: device.deviceCode })).body.token).toMatch(/^pvr_/)
  expect((await post('/v1/device/token', { deviceCode: device.deviceCode })).status).toBe(401)
})

test('while the provider is down nobody comes in through it, and local accounts go on; its secret is nowhere in clear', async () => {
  const { body } = await platform.api('GET', '/v1/sso/corporate/check')
  expect(body).toMatchObject({ issuer: issuer.url, pkce: true, logout: true, secretSet: true, redirectUri: `${platform.url}/v1/sso/callback` })
  await issuer.stop()
  expect(await new Jar().next(`${platform.url}/v1/sso/corporate/start`)).toContain('problem=SSO_UNAVAILABLE')
  await platform.api('PUT', '/v1/users/admin/password', { password: 'correct horse battery' })
  const local = await fetch(`${platform.url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'admin', password: 'correct horse battery' }) })
  expect(local.status).toBe(201)
  expect(JSON.stringify((await platform.api('GET', '/apis/pavior.dev/v1/identityproviders')).body) + platform.output).not.toContain(clientSecret)
})
