import { on, once } from 'node:events'
import { beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { newPlatform, until, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

interface Browser {
  cookie: string
  csrf: string
}

async function send(method: string, path: string, { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {}): Promise<{ status: number; body: any; cookie: string | null }> {
  const response = await fetch(new URL(path, platform.url), {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.json().catch(() => undefined), cookie: response.headers.get('set-cookie') }
}

async function signIn(credentials: object): Promise<Browser> {
  const { status, body, cookie } = await send('POST', '/v1/session', { body: credentials })
  expect(status).toBe(201)
  expect(cookie).toMatch(/^pavior_session=pvr_[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/)
  return { cookie: cookie!.split(';', 1)[0]!, csrf: body.csrf }
}

async function addUser(name: string, password: string): Promise<void> {
  expect((await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name }, spec: {} })).status).toBe(201)
  expect((await platform.api('PUT', `/v1/users/${name}/password`, { password })).status).toBe(200)
}

describe('a session', () => {
  test('may read with its cookie and change with its value, which only a page of ours can know', async () => {
    await addUser('ada', 'correct horse battery')
    const { cookie, csrf } = await signIn({ username: 'ada', password: 'correct horse battery' })
    expect((await send('GET', '/v1/session', { headers: { cookie } })).body).toMatchObject({ user: 'ada', admin: false, csrf })
    const token = { body: { description: 'mine' } }
    const change = (headers: Record<string, string>) => send('POST', '/v1/tokens', { ...token, headers: { cookie, ...headers } })
    expect(await change({})).toMatchObject({ status: 403, body: { details: { pavior: { code: 'CSRF_REFUSED' } } } })
    expect((await change({ 'x-csrf-token': `${csrf}x` })).status).toBe(403)
    expect((await change({ 'x-csrf-token': csrf, origin: 'http://evil.example' })).status).toBe(403)
    expect((await change({ 'x-csrf-token': csrf, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await change({ 'x-csrf-token': csrf, origin: platform.url })).status).toBe(201)
    expect((await send('POST', '/v1/session', { body: { username: 'ada', password: 'correct horse battery' }, headers: { origin: 'http://evil.example' } })).status).toBe(403)
  })

  test('ends by signing out, and by a change of the password everywhere else', async () => {
    await addUser('bob', 'correct horse battery')
    const [one, other] = [await signIn({ username: 'bob', password: 'correct horse battery' }), await signIn({ username: 'bob', password: 'correct horse battery' })]
    const headers = { cookie: one.cookie, 'x-csrf-token': one.csrf }
    const changing = (body: object) => send('PUT', '/v1/users/bob/password', { body, headers })
    expect(await changing({ password: 'another horse battery' })).toMatchObject({ status: 403, body: { details: { pavior: { code: 'PASSWORD_WRONG' } } } })
    expect(await changing({ current: 'correct horse battery', password: 'short' })).toMatchObject({ status: 422, body: { details: { pavior: { code: 'PASSWORD_WEAK' } } } })
    expect((await changing({ current: 'correct horse battery', password: 'another horse battery' })).status).toBe(200)
    expect((await send('GET', '/v1/session', { headers: { cookie: other.cookie } })).status).toBe(401)
    expect((await send('GET', '/v1/session', { headers: { cookie: one.cookie } })).status).toBe(200)
    const out = await send('DELETE', '/v1/session', { headers })
    expect(out.cookie).toMatch(/^pavior_session=; .*Max-Age=0/)
    expect((await send('GET', '/v1/session', { headers: { cookie: one.cookie } })).status).toBe(401)
  })

  test('is not opened by guessing, nor are names told apart from passwords', async () => {
    await addUser('eve', 'correct horse battery')
    const guess = (username: string) => send('POST', '/v1/session', { body: { username, password: 'wrong horse battery' } })
    expect((await guess('nobody')).body.message).toBe((await guess('eve')).body.message)
    const answers = []
    for (let tried = 0; tried < 12; tried++) answers.push((await guess('eve')).status)
    expect(answers.at(-1)).toBe(429)
    // Also the right one, or the guesses would go on after it.
    expect((await send('POST', '/v1/session', { body: { username: 'eve', password: 'correct horse battery' } })).status).toBe(429)
  })
})

test('when a person was last here is known, and written once an hour at most', async () => {
  const credentials = { username: 'carol', password: 'correct horse battery' }
  const carol = async (): Promise<any> => (await platform.api('GET', '/apis/pavior.dev/v1/users/carol')).body
  await addUser('carol', credentials.password)
  expect((await carol()).status?.lastSeenAt).toBeUndefined()
  const before = Date.now()
  await signIn(credentials)
  await until('it to be written', async () => (await carol()).status?.lastSeenAt !== undefined)
  const { metadata, status } = await carol()
  expect(Date.parse(status.lastSeenAt)).toBeGreaterThanOrEqual(before)
  await signIn(credentials)
  // Somebody who comes later is written, so carol would have been.
  await addUser('dave', credentials.password)
  await signIn({ ...credentials, username: 'dave' })
  await until('another to be written', async () => (await platform.api('GET', '/apis/pavior.dev/v1/users/dave')).body.status?.lastSeenAt !== undefined)
  expect((await carol()).metadata.resourceVersion).toBe(metadata.resourceVersion)
})

describe('the live connection', () => {
  /** Everything that arrives, also what arrives between two looks: several messages may come in one packet. */
  const inboxes = new WeakMap<WebSocket, AsyncIterator<[Buffer]>>()
  const open = (headers: Record<string, string>): WebSocket => {
    const socket = new WebSocket(`${platform.url.replace('http', 'ws')}/v1/live`, { headers })
    inboxes.set(socket, on(socket, 'message') as AsyncIterator<[Buffer]>)
    return socket
  }
  const login = async (): Promise<Browser> => signIn({ key: new URL((await platform.json<{ url: string }>(['users', 'login-link', 'admin'])).url).searchParams.get('key') })

  /** Reads until `enough`, and gives everything that came. */
  async function read(socket: WebSocket, enough: (messages: any[]) => boolean): Promise<any[]> {
    const messages: any[] = []
    while (!enough(messages)) {
      const [data] = (await inboxes.get(socket)!.next()).value as [Buffer]
      messages.push(JSON.parse(data.toString()))
    }
    return messages
  }

  test('is refused to strangers and to pages of other sites', async () => {
    const { cookie } = await login()
    for (const [headers, status] of [[{}, 401], [{ cookie: 'pavior_session=pvr_wrong' }, 401], [{ cookie, origin: 'http://evil.example' }, 403]] as const) {
      const [error] = (await once(open(headers), 'error')) as [Error]
      expect(error.message).toContain(String(status))
    }
  })

  test('carries many streams, each in the name of who opened it, until they are closed', async () => {
    await addUser('viewer', 'correct horse battery')
    const { cookie } = await signIn({ username: 'viewer', password: 'correct horse battery' })
    const socket = open({ cookie, origin: platform.url })
    await once(socket, 'open')
    const watch = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    for (const [id, path] of [[1, `/apis/pavior.dev/v1/apps?${watch}`], [2, `/apis/pavior.dev/v1/namespaces/default/apps?${watch}`], [3, '/v1/no-such-thing']] as const) {
      socket.send(JSON.stringify({ open: id, path }))
    }
    const messages = await read(socket, (all) => all.some(({ id, end }) => id === 3 && end) && all.some(({ id, end }) => id === 2 && end) && all.some(({ id, lines }) => id === 1 && lines))
    expect(messages.find(({ id, end }) => id === 2 && end).error.code).toBe(403)
    expect(messages.find(({ id, end }) => id === 3 && end).error.code).toBe(404)
    expect(messages.find(({ id, lines }) => id === 1 && lines).lines[0].type).toBe('BOOKMARK')
    socket.close()
    await once(socket, 'close')
  })

  test('shows a change as it happens, and ends what is nonsense', async () => {
    const { cookie } = await login()
    const socket = open({ cookie, origin: platform.url })
    await once(socket, 'open')
    socket.send(JSON.stringify({ open: 7, path: '/apis/pavior.dev/v1/teams?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true' }))
    await read(socket, (all) => all.some(({ lines = [] }) => lines.some((line: any) => line.type === 'BOOKMARK')))
    const seen = read(socket, (all) => all.some(({ id, lines = [] }) => id === 7 && lines.some((line: any) => line.type === 'ADDED' && line.object.metadata.name === 'green')))
    expect((await platform.api('POST', '/apis/pavior.dev/v1/teams', { metadata: { name: 'green' }, spec: {} })).status).toBe(201)
    await seen
    const closed = once(socket, 'close')
    socket.send(JSON.stringify({ open: 8, path: '//evil.example/' }))
    expect((await closed)[0]).toBe(1008)
  })
})
