/** Who changed what: read over the API and by the command, as an administrator, as one of a team, and as neither. */
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { systemActor } from '../src/kernel/actor.ts'
import { appBody, appsPath, testApi, type TestApi } from './api.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

beforeAll(() => void execFileSync(process.execPath, [join(root, 'scripts/build.mjs')]))

/** Three apps of team blue and one of green: 2 teams, 4 creations, 1 patch, 1 deletion. */
async function history(): Promise<TestApi> {
  const api = await testApi()
  await api.send('POST', appsPath, appBody('shop'), { token: 'dev', headers: { 'x-request-id': 'first-shop' } })
  await api.send('POST', appsPath, appBody('wiki'), { token: 'lead' })
  await api.send('POST', appsPath, appBody('blog'))
  await api.send('POST', '/apis/pavior.dev/v1/namespaces/green/apps', appBody('mail'), { token: 'other' })
  await api.send('PATCH', `${appsPath}/shop`, { spec: { description: 'sells' } }, { token: 'dev', type: 'application/merge-patch+json' })
  await api.send('DELETE', `${appsPath}/blog`)
  return api
}

const told = (body: { items: { actor: string; verb: string; name: string }[] }): string[] => body.items.map(({ actor, verb, name }) => `${actor} ${verb} ${name}`)

/** Reads the lines of a stream one by one, until the test ends. */
function follow({ url }: TestApi, token: string, search: string): { next(): Promise<string> } {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const lines = (async function* () {
    let rest = ''
    const { body } = await fetch(`${url}/v1/audit?${search}`, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal })
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      yield* parts
    }
  })()
  return { next: async () => told({ items: [JSON.parse((await lines.next()).value as string)] })[0]! }
}

describe('the audit over the API', () => {
  test('tells every write, newest first, with who, what and by which request', async () => {
    const { send } = await history()
    const { status, body } = await send('GET', '/v1/audit')
    expect(status).toBe(200)
    expect(told(body)).toEqual([
      'user:root delete blog', 'user:dev patch shop', 'user:other create mail', 'user:root create blog', 'user:lead create wiki', 'user:dev create shop', 'user:root create green', 'user:root create blue',
    ])
    expect(body.items[5]).toEqual({
      id: expect.stringMatching(/^\d+$/), time: expect.stringMatching(/^\d{4}-.*Z$/), actor: 'user:dev', verb: 'create', kind: 'App', team: 'blue', name: 'shop', uid: expect.any(String), resourceVersion: expect.stringMatching(/^\d+$/), requestId: 'first-shop', address: '127.0.0.1',
    })
    expect(body.items[7]).not.toHaveProperty('team')
    expect(body).not.toHaveProperty('continue')
  })

  test.each([
    ['actor=user:dev', ['user:dev patch shop', 'user:dev create shop']],
    ['kind=apps&verb=create&team=blue', ['user:root create blog', 'user:lead create wiki', 'user:dev create shop']],
    ['kind=team', ['user:root create green', 'user:root create blue']],
    ['name=shop', ['user:dev patch shop', 'user:dev create shop']],
    ['team=green', ['user:other create mail']],
    ['until=2020-01-01T00:00:00Z', []],
    ['since=2020-01-01T00:00:00Z&verb=delete', ['user:root delete blog']],
  ])('filters by %s', async (search, wanted) => {
    const { send } = await history()
    expect(told((await send('GET', `/v1/audit?${search}`)).body)).toEqual(wanted)
  })

  test('comes in pages that neither repeat nor leave out, whatever is written meanwhile', async () => {
    const { send } = await history()
    const first = await send('GET', '/v1/audit?limit=3&kind=app')
    await send('POST', appsPath, appBody('late'))
    const second = await send('GET', `/v1/audit?limit=3&kind=app&continue=${first.body.continue}`)
    expect([...told(first.body), ...told(second.body)]).toEqual(['user:root delete blog', 'user:dev patch shop', 'user:other create mail', 'user:root create blog', 'user:lead create wiki', 'user:dev create shop'])
    expect(second.body).not.toHaveProperty('continue')
  })

  test('since and until cut at the moment: at or after, and before', async () => {
    const { send } = await history()
    const { items } = (await send('GET', '/v1/audit')).body as { items: { time: string }[] }
    const { time } = items[3]!
    const [since, until] = await Promise.all(['since', 'until'].map(async (name) => (await send('GET', `/v1/audit?${name}=${time}`)).body.items.length as number))
    expect(since! + until!).toBe(items.length)
    expect(since).toBeGreaterThanOrEqual(4)
  })

  test('is for administrators: of the platform all, of a team its own, and for nobody else', async () => {
    const { send } = await history()
    const own = await send('GET', '/v1/audit', undefined, { token: 'lead' })
    expect(new Set(own.body.items.map(({ team }: { team: string }) => team))).toEqual(new Set(['blue']))
    expect(own.body.items).toHaveLength(5)
    expect((await send('GET', '/v1/audit?team=green', undefined, { token: 'lead' })).body.details.pavior).toMatchObject({ code: 'FORBIDDEN', message: 'user:lead may not read the audit of team green.' })
    for (const token of ['dev', 'view']) expect((await send('GET', '/v1/audit?team=blue', undefined, { token })).status).toBe(403)
    expect((await send('GET', '/v1/audit', undefined, { token: 'view' })).status).toBe(403)
    expect((await send('GET', '/v1/audit', undefined, { token: null })).status).toBe(401)
  })

  test('shows people only when that is asked for, in whole pages', async () => {
    const { send, resources } = await history()
    for (const name of ['shop', 'wiki']) await resources.mutate(systemActor('release'), { kind: 'App', namespace: 'blue', name }, (current) => ({ ...current!, spec: { description: `by a part ${name}` } }))
    expect(told((await send('GET', '/v1/audit?limit=3')).body).slice(0, 2)).toEqual(['system:release update wiki', 'system:release update shop'])
    const first = await send('GET', '/v1/audit?limit=3&people=true&kind=app')
    const second = await send('GET', `/v1/audit?limit=3&people=true&kind=app&continue=${first.body.continue}`)
    expect([...told(first.body), ...told(second.body)]).toEqual(['user:root delete blog', 'user:dev patch shop', 'user:other create mail', 'user:root create blog', 'user:lead create wiki', 'user:dev create shop'])
  })

  test('is followed: what is written after a row comes as it is written, as far as it may be read and is asked for', async () => {
    const api = await history()
    const { send, resources } = api
    const { items } = (await send('GET', '/v1/audit?kind=app&limit=1')).body
    await send('POST', appsPath, appBody('between'))
    const root = follow(api, 'root', `follow=true&people=true&after=${items[0].id}`)
    const lead = follow(api, 'lead', `follow=true&team=blue&after=${items[0].id}`)
    expect([await root.next(), await lead.next()]).toEqual(['user:root create between', 'user:root create between'])
    // One who names a row that the followers have not come to yet is not told of it again.
    const ahead = follow(api, 'lead', `follow=true&team=blue&after=${Number(items[0].id) + 2}`)
    const told = ahead.next()
    await resources.mutate(systemActor('release'), { kind: 'App', namespace: 'blue', name: 'shop' }, (current) => ({ ...current!, spec: { description: 'by a part' } }))
    await send('POST', '/apis/pavior.dev/v1/namespaces/green/apps', appBody('secret'), { token: 'other' })
    await send('POST', appsPath, appBody('later'), { token: 'dev' })
    expect([await root.next(), await root.next()]).toEqual(['user:other create secret', 'user:dev create later'])
    expect([await lead.next(), await lead.next()]).toEqual(['system:release update shop', 'user:dev create later'])
    expect(await told).toBe('user:dev create later')
    expect((await send('GET', '/v1/audit?follow=true', undefined, { token: 'view' })).status).toBe(403)
  })

  test.each(['user=ada', 'kind=ship', 'since=yesterday', 'limit=many', 'continue=abc', 'follow=true&after=x'])('refuses %s instead of showing everything', async (search) => {
    const { send } = await testApi()
    const { status, body } = await send('GET', `/v1/audit?${search}`)
    expect([400, 410]).toContain(status)
    expect(body.details.pavior.fix).toBeTruthy()
  })

  test('is kept for a while only, and says how far back it goes', async () => {
    const { send, database, audit, metrics } = await history()
    await database.query(`insert into audit (id, at, actor, verb, kind, namespace, name, uid, rv) overriding system value
      select -n, now() - interval '91 days', 'user:old', 'update', 'App', 'blue', 'shop', gen_random_uuid(), -n from generate_series(1, 12000) n`)
    const day = 24 * 3600_000
    // What is not in the chain yet is never forgotten.
    expect(await audit.prune(90 * day, new AbortController().signal)).toBe(0)
    await audit.head()
    expect(await audit.prune(90 * day, new AbortController().signal)).toBe(12_000)
    expect(await audit.prune(90 * day, new AbortController().signal)).toBe(0)
    expect((await send('GET', '/v1/audit')).body.items).toHaveLength(8)
    const text = await metrics.metrics()
    expect(text).toContain('pavior_audit_pruned_rows_total 12000')
    expect(Number(/^pavior_audit_oldest_row_age_seconds (.*)$/m.exec(text)![1])).toBeLessThan(600)
  })
})

describe('pavior audit', () => {
  const run = ({ url }: TestApi, token: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [join(root, 'bin/pavior'), 'audit', ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', PAVIOR_URL: url, PAVIOR_TOKEN: token, PAVIOR_TEAM: 'blue' } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })

  test('shows the team of the login as a table, and all teams with -A', async () => {
    const api = await history()
    const own = await run(api, 'lead', '--kind', 'app')
    expect(own).toMatchObject({ code: 0, stderr: '' })
    const [header, ...rows] = own.stdout.trimEnd().split('\n')
    expect(header).toMatch(/^TIME +ACTOR +VERB +KIND +TEAM +NAME +REQUEST$/)
    expect(rows).toHaveLength(5)
    expect(rows.at(-1)).toMatch(/user:dev +create +App +blue +shop +first-shop$/)
    expect((await run(api, 'root', '-A', '--actor', 'user:other')).stdout).toContain('mail')
    expect((await run(api, 'root', '--since', '1s', '--until', '2020-01-01')).stdout).toMatch(/^Nothing was changed in team blue/)
  })

  test('gives one JSON document, and goes on from where a page ended', async () => {
    const api = await history()
    const first = JSON.parse((await run(api, 'root', '--json', '-n', '4', '--since', '2h')).stdout)
    const next = await run(api, 'root', '--json', '-n', '4', '--continue', first.continue)
    expect([...told(first), ...told(JSON.parse(next.stdout))]).toEqual(['user:root delete blog', 'user:dev patch shop', 'user:root create blog', 'user:lead create wiki', 'user:dev create shop'])
    expect((await run(api, 'root', '-n', '4')).stderr).toContain(`--continue ${first.continue}`)
  })

  test('is refused with the exit code for it, and a slip of the pen with another', async () => {
    const api = await history()
    expect(await run(api, 'dev')).toMatchObject({ code: 3, stderr: expect.stringContaining('user:dev may not read the audit of team blue.') })
    expect(await run(api, 'root', '--since', 'yesterday')).toMatchObject({ code: 2, stderr: expect.stringContaining('neither a duration nor a time') })
  })
})
