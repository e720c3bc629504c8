/** Previews as their users have them: pushed with a branch, asleep, woken, kept, gone with the branch. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from './platform.ts'

let platform: Platform
let directory: string

const manifest = (more = ''): string => `name: shop\npreviews:\n  sleepAfterMinutes: 0.02\n  limit: 3\n${more}`

function git(...args: string[]): Promise<{ code: number; stderr: string }> {
  const env = { ...platform.environment, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  return new Promise((resolve) => {
    execFile('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env }, (error, _, stderr) => resolve({ code: error ? Number(error.code) : 0, stderr }))
  })
}

async function commit(text: string, more = ''): Promise<void> {
  await writeFiles(directory, { ...webApp(text, "process.title = 'shop'"), 'pavior.yaml': manifest(more) })
  await git('add', '-A')
  await git('commit', '-qm', text)
}

interface Preview {
  metadata: { name: string }
  spec: { preview: { branch: string; keepUntil?: string } }
  status: { preview: { url: string; asleep: boolean; spinUpMs: number; expiresAt: string; release: number; use: { awakeSeconds: number } } }
}
const previews = (): Promise<Preview[]> => platform.json<Preview[]>(['previews', 'list'])
const preview = async (branch: string): Promise<Preview | undefined> => (await previews()).find(({ spec }) => spec.preview.branch === branch)
const hostOf = ({ metadata }: Preview): string => `${metadata.name}--shop.localhost`
const names = async (plural: string): Promise<string[]> => (await platform.json<{ metadata: { name: string } }[]>(['get', plural])).map(({ metadata }) => metadata.name)

beforeAll(async () => {
  platform = await newPlatform()
  const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
  directory = join(parent, 'shop')
  await writeFiles(directory, {})
  await writeFiles(directory, { ...webApp('main'), 'pavior.yaml': manifest() })
  await git('init', '-q', '-b', 'main')
  await commit('main')
  expect((await platform.cli(['init'], { directory })).code).toBe(0)
  expect(await git('push', 'pavior', 'main')).toMatchObject({ code: 0 })
  expect((await platform.cli(['config', 'set', 'COLOUR=blue', '--app', 'shop'])).code).toBe(0)
})
afterAll(() => rm(join(directory, '..'), { recursive: true, force: true }))

test('a pushed branch gets an environment of its own, with the configuration of the one before, and the app is as it was', async () => {
  await git('checkout', '-qb', 'feature/Search Box'.replace(' ', '-'))
  await commit('from the branch', 'env: { FROM: branch }\nprocesses:\n  web: { replicas: 4 }\n')
  const { code, stderr } = await git('push', 'pavior', 'HEAD')
  expect(code, stderr).toBe(0)
  expect(stderr).toMatch(/remote: preview {3}http:\/\/feature-search-[0-9a-f]{5}--shop\.default\.localhost:\d+ {3}v\d+/)
  const made = (await preview('feature/Search-Box'))!
  expect((await platform.get(hostOf(made))).body).toBe('from the branch')
  expect((await platform.get('shop.localhost')).body).toBe('main')
  const app = await platform.json(['get', 'app', 'shop'])
  expect(app.spec.config[made.metadata.name]).toEqual({ COLOUR: 'blue' })
  expect(app.spec.env).toBeUndefined()
  expect(app.status.environments.production.release).toBeLessThan(made.status.preview.release)
  const sets = await platform.json<{ spec: { environment: string; replicas: number; env: Record<string, string>; sleepAfterMs: number } }[]>(['get', 'instancesets'])
  expect(sets.find(({ spec }) => spec.environment === made.metadata.name)!.spec).toMatchObject({ replicas: 1, sleepAfterMs: 1200, env: { FROM: 'branch', COLOUR: 'blue', PAVIOR_ENVIRONMENT: made.metadata.name } })
  await until('the spin-up to be told', async () => (await preview('feature/Search-Box'))!.status.preview.spinUpMs > 0)
  console.log(`push to live: ${(await preview('feature/Search-Box'))!.status.preview.spinUpMs} ms`)
}, 90_000)

test('it falls asleep, is shown so, and is woken by a request; a change of its configuration and a push reach it asleep', async () => {
  const asleep = (): Promise<void> => until('the preview to sleep', async () => (await preview('feature/Search-Box'))!.status.preview.asleep)
  await asleep()
  expect((await platform.cli(['ps', '--app', 'shop'])).stdout).toContain('asleep')
  const host = hostOf((await preview('feature/Search-Box'))!)
  const began = performance.now()
  expect((await platform.get(host)).body).toBe('from the branch')
  console.log(`woken in ${(performance.now() - began).toFixed(1)} ms`)
  await asleep()
  expect((await platform.cli(['previews', 'wake', 'feature/Search-Box', '--app', 'shop'])).code).toBe(0)
  await asleep()
  const { metadata } = (await preview('feature/Search-Box'))!
  expect((await platform.cli(['config', 'set', 'COLOUR=red', '--app', 'shop', '-e', metadata.name])).code).toBe(0)
  await until('the configuration to reach it', async () => (await platform.json<{ spec: { environment: string; env: Record<string, string> } }[]>(['get', 'instancesets'])).some(({ spec }) => spec.environment === metadata.name && spec.env.COLOUR === 'red' && spec.env.FROM === 'branch'))
  await asleep()
  await commit('second')
  expect(await git('push', 'pavior', 'HEAD')).toMatchObject({ code: 0 })
  expect((await platform.get(host)).body).toBe('second')
  expect((await platform.get('shop.localhost')).body).toBe('main')
}, 120_000)

test('kept by people, held by a limit, and names of branches cannot do harm', async () => {
  expect((await platform.cli(['previews', 'keep', 'feature/Search-Box', '--app', 'shop', '--days', '2'])).stdout).toContain('stays until')
  expect((await preview('feature/Search-Box'))!.spec.preview.keepUntil).toBeDefined()
  const open = (branch: string): Promise<{ status: number; body: any }> => platform.api('POST', '/v1/teams/default/apps/shop/previews', { branch })
  expect((await open('x'.repeat(256))).status).toBe(422)
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => open(`../${'y'.repeat(180)}/ü-${index}`)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2)
  expect(new Set(answers.flatMap(({ body }) => body.details?.pavior.code ?? []))).toEqual(new Set(['PREVIEW_LIMIT']))
  expect(await previews()).toHaveLength(3)
  await commit('third')
  const refused = await git('push', 'pavior', `HEAD:refs/heads/one-too-many-${randomBytes(3).toString('hex')}`)
  expect(refused.code).toBe(0)
  expect(refused.stderr).toContain('PREVIEW_LIMIT')
  expect(refused.stderr).toContain('is kept, without a preview')
  for (const { body } of answers.filter(({ status }) => status === 200)) expect((await platform.cli(['previews', 'delete', body.environment, '--app', 'shop'])).code).toBe(0)
}, 60_000)

test('one that nobody uses for its time is deleted, and one that is kept is not', async () => {
  const shorten = async (name: string): Promise<number> => (await platform.api('PATCH', `/apis/pavior.dev/v1/namespaces/default/environments/${name}`, { spec: { preview: { ttlHours: 0.0005 } } }, { 'content-type': 'application/merge-patch+json' })).status
  const { environment } = (await platform.api('POST', '/v1/teams/default/apps/shop/previews', { branch: 'forgotten' })).body
  const kept = (await preview('feature/Search-Box'))!.metadata.name
  expect([await shorten(environment), await shorten(kept)]).toEqual([200, 200])
  await until('the forgotten one to be gone', async () => !(await names('environments')).includes(environment))
  expect(await names('environments')).toContain(kept)
  expect((await platform.cli(['describe', 'app', 'shop'])).stdout).toContain('The preview of forgotten was deleted')
})

test('it goes with its branch, and everything of it; an environment that is deleted while something is put there leaves nothing', async () => {
  const { metadata } = (await preview('feature/Search-Box'))!
  const { stderr } = await git('push', 'pavior', '--delete', 'feature/Search-Box')
  expect(stderr).toContain('The preview of feature/Search-Box goes with it.')
  const left = async (): Promise<string[]> => (await Promise.all(['environments', 'deployments', 'instancesets', 'routes'].map(names))).flat().filter((name) => name.includes(metadata.name))
  await until('nothing of it to be left', async () => (await left()).length === 0)
  expect((await platform.get(hostOf({ metadata } as Preview))).status).toBe(404)
  await until('its configuration to be gone', async () => (await platform.json(['get', 'app', 'shop'])).spec.config[metadata.name] === undefined)
  await until('its instances to be gone', async () => (await platform.json<{ environment: string }[]>(['ps', '--app', 'shop'])).every(({ environment }) => environment === 'production'))

  await git('checkout', '-q', 'main')
  await git('checkout', '-qb', 'slow')
  await writeFiles(directory, { 'server.js': 'setTimeout(() => {}, 60000)' })
  await git('commit', '-qam', 'never listens')
  const push = git('push', 'pavior', 'HEAD')
  const slow = async (): Promise<string[]> => (await names('instancesets')).filter((name) => name.includes('-slow-'))
  await until('its instances to start', async () => (await slow()).length > 0)
  expect((await platform.cli(['previews', 'delete', 'slow', '--app', 'shop'])).code).toBe(0)
  expect((await push).code).toBe(0)
  await until('nothing of it to be left', async () => (await slow()).length === 0 && (await names('deployments')).every((name) => !name.includes('-slow-')))
  expect((await platform.get('shop.localhost')).body).toBe('main')
}, 90_000)
