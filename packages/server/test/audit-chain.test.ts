/** The chain over the audit, against somebody who can write to the database. */
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { linksOf, type ChainedRow } from '../src/kernel/audit/chain.ts'
import { appBody, appsPath, testApi, type TestApi } from './api.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

beforeAll(() => void execFileSync(process.execPath, [join(root, 'scripts/build.mjs')]))

/** Teams blue and green, three apps, one change with a reason, one deletion. */
async function history(): Promise<TestApi> {
  const api = await testApi()
  for (const name of ['shop', 'wiki', 'blog']) await api.send('POST', appsPath, appBody(name), { token: 'dev' })
  await api.send('PATCH', `${appsPath}/shop`, { spec: { description: 'sells' } }, { token: 'dev', type: 'application/merge-patch+json', headers: { 'pavior-reason': 'Gr%C3%B6%C3%9Fe' } })
  await api.send('DELETE', `${appsPath}/blog`)
  return api
}

const verify = async ({ send }: TestApi, search = ''): Promise<any> => (await send('GET', `/v1/audit/verify${search}`)).body
const found = async (api: TestApi, search?: string): Promise<string[]> => (await verify(api, search)).problems.map(({ type }: { type: string }) => type)

describe('the chain of the audit', () => {
  test('holds all rows and compares every resource, and tells digests before and after', async () => {
    const api = await history()
    expect(await verify(api)).toEqual({ intact: true, rows: 7, seals: 1, resources: 4, problems: [], more: 0, head: { resourceVersion: expect.any(String), hash: expect.stringMatching(/^[0-9a-f]{64}$/) } })
    const { items } = (await api.send('GET', '/v1/audit?name=shop')).body
    expect(items[0]).toMatchObject({ verb: 'patch', reason: 'Größe', address: '127.0.0.1', before: items[1].after, after: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(items[1]).not.toHaveProperty('before')
  })

  test.each([
    ['a row was changed', `update audit set actor = 'user:nobody' where verb = 'patch'`, ['changed']],
    ['a moment was changed', `update audit set at = at - interval '1 millisecond' where verb = 'patch'`, ['changed']],
    ['a row was removed', `delete from audit where verb = 'patch'`, ['missing']],
    ['a row was removed with its link', `with gone as (delete from audit where verb = 'patch' returning rv) delete from audit_chain where rv in (select rv from gone)`, ['changed', 'resource']],
    ['the first rows were removed with their links', `with gone as (delete from audit where kind = 'Team' returning rv) delete from audit_chain where rv in (select rv from gone)`, ['changed']],
    ['the last rows were cut off with their links', `with gone as (delete from audit where verb = 'delete' returning rv) delete from audit_chain where rv in (select rv from gone)`, ['changed', 'head']],
    ['a resource was changed past the platform', `update resources set object = jsonb_set(object, '{spec,description}', '"steals"') where name = 'shop'`, ['resource']],
    ['a signature was put in', `update audit_seals set signature = '\\x00'`, ['seal']],
  ])('tells that %s', async (_what, statement, types) => {
    const api = await history()
    await verify(api)
    await api.database.query(statement)
    expect((await found(api)).filter((type) => type !== 'resource' || types.includes('resource'))).toEqual(expect.arrayContaining(types))
    expect((await verify(api)).intact).toBe(false)
  })

  test('tells a row that was put in between', async () => {
    const api = await history()
    await verify(api)
    const forge = (id: string): Promise<unknown> => api.database.query(`insert into audit (id, actor, verb, kind, namespace, name, uid, rv) overriding system value select ${id}, 'user:nobody', verb, kind, namespace, name, uid, rv from audit where verb = 'patch' limit 1`)
    await forge('0')
    await forge('1000')
    await api.database.query(`delete from audit where verb = 'delete'`)
    await forge('(select max(id) from audit_chain)')
    expect(await found(api)).toEqual(['changed', 'inserted', 'inserted'])
  })

  test('tells that it was written anew from the first row, by what was signed and by a head that was kept elsewhere', async () => {
    const api = await history()
    const { resourceVersion, hash } = (await api.send('GET', '/v1/audit/head')).body
    const kept = `?head=${resourceVersion}:${hash}`
    expect(await found(api, kept)).toEqual([])
    await api.database.query(`update audit set actor = 'user:nobody' where verb = 'patch'`)
    const { rows } = await api.database.query<ChainedRow & { digest: Buffer | null }>(
      `select a.id::text, a.rv::text, (extract(epoch from a.at) * 1000000)::bigint::text as micros, a.actor, a.token, a.verb, a.kind, a.namespace, a.name, a.uid::text, a.request_id, a.address, a.reason, a.previous::text, c.digest
       from audit a join audit_chain c on c.rv = a.rv order by a.id`)
    for (const link of linksOf(Buffer.alloc(32), rows)) await api.database.query('update audit_chain set hash = $2 where rv = $1', [link.rv, link.hash])
    expect(await found(api)).toEqual(['changed', 'head'])
    await api.database.query('delete from audit_seals')
    expect(await found(api)).toEqual(['head'])
    expect(await found(api, kept)).toEqual(['head', 'head'])
    expect((await api.send('GET', '/v1/audit/verify?head=nonsense')).body).toMatchObject({ code: 400 })
  })

  test('goes on after rows were forgotten in their time, and tells when they went before it', async () => {
    const api = await history()
    await verify(api)
    await api.database.query(`update audit set at = at - interval '100 days' where kind = 'Team'`)
    // Chained anew as if they had been written then.
    await api.database.query('truncate audit_chain, audit_seals')
    await verify(api)
    expect(await api.audit.prune(90 * 24 * 3600_000, new AbortController().signal)).toBe(2)
    expect(await verify(api)).toMatchObject({ intact: true })
    await api.database.query(`delete from audit where kind = 'App' and verb = 'create'`)
    await api.database.query(`delete from audit_chain where id < (select max(id) from audit_chain where id < (select min(id) from audit))`)
    // What is left looks as if it had been forgotten in its time, but for a head that was signed.
    await api.database.query(`update audit_seals set rv = (select min(rv) - 1 from audit_chain)`)
    expect(await found(api)).toContain('seal')
  })

  test('is checked, exported and told by the command', async () => {
    const api = await history()
    const run = (...args: string[]): Promise<{ code: number; stdout: string }> =>
      new Promise((resolve) => {
        execFile(process.execPath, [join(root, 'bin/pavior'), ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', PAVIOR_URL: api.url, PAVIOR_TOKEN: 'root', PAVIOR_TEAM: 'blue' } }, (error, stdout) => resolve({ code: error ? Number(error.code) : 0, stdout }))
      })
    const { stdout: head } = await run('audit', 'head')
    expect(head).toMatch(/^\d+:[0-9a-f]{64}\n$/)
    expect(await run('audit', 'verify', '--head', head.trim())).toEqual({ code: 0, stdout: 'The audit is as it was written. Checked: 7 rows, signed heads 1, resources 4.\n' })
    expect((await run('audit', '--verb', 'patch', 'export', '--format', 'csv')).stdout).toContain(',Größe,')
    expect((await run('delete', 'app', 'wiki', '--because', 'nobody reads it')).code).toBe(0)
    expect((await api.send('GET', '/v1/audit?verb=delete&name=wiki')).body.items[0].reason).toBe('nobody reads it')
    await api.database.query(`delete from audit where verb = 'patch'`)
    const { code, stdout } = await run('audit', 'verify')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^The audit is not as it was written\. .*\n {2}missing {3}The row of version \d+ is in the chain and not in the audit: it was removed\.\n$/)
  }, 30_000)

  test('is kept by the server itself, and is one for two that write at once', async () => {
    const api = await history()
    await api.audit.part.start(new AbortController().signal)
    const links = async (): Promise<number> => (await api.database.query<{ count: number }>('select count(*)::int as count from audit_chain')).rows[0]!.count
    await expect.poll(links, { timeout: 10_000 }).toBe(7)
    await Promise.all(Array.from({ length: 20 }, (_, index) => Promise.all([api.send('POST', appsPath, appBody(`app-${index}`)), api.send('GET', '/v1/audit/head')])))
    await expect.poll(links, { timeout: 10_000 }).toBe(27)
    await api.audit.part.stop()
    expect(await verify(api)).toMatchObject({ intact: true, rows: 27 })
  })
})

describe('what is no change', () => {
  test('a denied attempt has its row, with who, where and why not, and the administrator of the team reads it', async () => {
    const { send } = await history()
    expect((await send('DELETE', `${appsPath}/shop`, undefined, { token: 'view' })).status).toBe(403)
    const { items } = (await send('GET', '/v1/audit?verb=denied&team=blue', undefined, { token: 'lead' })).body
    expect(items).toMatchObject([{ actor: 'user:view', kind: 'Request', name: `DELETE ${appsPath}/shop`, address: '127.0.0.1', reason: expect.stringMatching(/^FORBIDDEN: user:view may not delete apps "shop"/) }])
    expect(items[0]).not.toHaveProperty('uid')
  })

  test('tokens that are not valid are told once a minute and address, so that a stranger cannot fill it', async () => {
    const { send } = await history()
    for (let index = 0; index < 5; index++) expect((await send('GET', appsPath, undefined, { token: `guess-${index}` })).status).toBe(401)
    const { items } = (await send('GET', '/v1/audit?kind=request')).body
    expect(items).toMatchObject([{ actor: 'unknown', verb: 'denied', name: `GET ${appsPath}` }])
    expect(JSON.stringify(items)).not.toContain('guess')
  })
})

describe('export', () => {
  test('gives every row, oldest first, as JSON lines and as a table that no spreadsheet takes for formulas', async () => {
    const api = await history()
    await api.audit.note({ actor: '=cmd()', verb: 'denied', kind: 'Request', namespace: 'blue', name: 'GET "x",\u0007y' })
    const lines = (await (await fetch(`${api.url}/v1/audit/export`, { headers: { authorization: 'Bearer root' } })).text()).trim().split('\n').map((line) => JSON.parse(line))
    expect(lines.map(({ verb, name }) => `${verb} ${name}`)).toEqual(['create blue', 'create green', 'create shop', 'create wiki', 'create blog', 'patch shop', 'delete blog', 'denied GET "x",?y'])
    const csv = await api.send('GET', '/v1/audit/export?format=csv&verb=denied')
    expect(csv.headers.get('content-type')).toContain('text/csv')
    const [head, row, ...rest] = csv.text.split('\n')
    expect(head).toBe('time,actor,token,address,verb,kind,team,name,uid,resourceVersion,requestId,reason,before,after')
    expect(row).toContain(`,"'=cmd()",,,denied,Request,blue,"GET ""x"",?y",`)
    expect(rest).toEqual([''])
    expect((await api.send('GET', '/v1/audit/export?format=xml')).status).toBe(400)
    expect((await api.send('GET', '/v1/audit/verify', undefined, { token: 'lead' })).status).toBe(403)
  })
})
