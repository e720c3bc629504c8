/** What real git does to the platform: every protocol, large and shallow pushes, rewritten history, tags, deleted branches. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, writeFiles, type Platform } from './platform.ts'

const largeBytes = 100 * 1024 * 1024

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

type Git = (...args: string[]) => Promise<{ code: number; stdout: string; stderr: string }>

function gitIn(directory: string): Git {
  const env = { ...platform.environment, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  const who = ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', '-c', 'protocol.file.allow=always']
  return (...args) =>
    new Promise((resolve) => {
      execFile('git', [...who, ...args], { cwd: directory, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
    })
}

/** A repository whose first commit is deployed. */
async function pushed(name: string, text: string): Promise<{ directory: string; git: Git; clone: (...options: string[]) => Promise<{ directory: string; git: Git }> }> {
  const directory = await appDirectory(name, webApp(text))
  const git = gitIn(directory)
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-qm', 'first')
  expect((await platform.cli(['init'], { directory })).code).toBe(0)
  expect(await git('push', 'pavior', 'main')).toMatchObject({ code: 0 })
  const url = (await git('remote', 'get-url', 'pavior')).stdout.trim()
  const credentials = (await git('config', '--get-regexp', '^credential')).stdout.trim().split('\n').filter(Boolean).map((line) => line.split(' '))
  const clone = async (...options: string[]): Promise<{ directory: string; git: Git }> => {
    const parent = await mkdtemp(join(tmpdir(), 'pavior-clone-'))
    onTestFinished(() => rm(parent, { recursive: true, force: true }))
    const config = credentials.flatMap(([key, ...value]) => ['-c', `${key}=${value.join(' ')}`])
    expect(await gitIn(parent)(...config, 'clone', '-q', ...options, url, 'clone')).toMatchObject({ code: 0 })
    const into = join(parent, 'clone')
    for (const [key, ...value] of credentials) await gitIn(into)('config', '--add', key!, value.join(' '))
    return { directory: into, git: gitIn(into) }
  }
  return { directory, git, clone }
}

async function commit(directory: string, git: Git, text: string, ...options: string[]): Promise<string> {
  await writeFiles(directory, webApp(text))
  await git('commit', '-qam', text, ...options)
  return (await git('rev-parse', 'HEAD')).stdout.trim()
}

async function builds(app: string): Promise<number> {
  return (await platform.json<{ spec: { app: string } }[]>(['get', 'builds'])).filter(({ spec }) => spec.app === app).length
}

test.each(['0', '1', '2'])('protocol version %s pushes, fetches and clones', async (version) => {
  const app = `protocol-${version}`
  const { directory, git, clone } = await pushed(app, 'one')
  await git('config', 'protocol.version', version)
  await commit(directory, git, 'two')
  expect((await git('push', 'pavior', 'main')).stderr).toContain('remote: live')
  expect((await platform.get(`${app}.localhost`)).body).toBe('two')
  const other = await clone('-c', `protocol.version=${version}`)
  expect(await readFile(join(other.directory, 'server.js'), 'utf8')).toContain('two')
  expect((await other.git('fetch', 'origin')).code).toBe(0)
})

test('a push of 100 MB arrives in chunks and is deployed', async () => {
  const { directory, git } = await pushed('large', 'small')
  await writeFile(join(directory, 'large.bin'), randomBytes(largeBytes))
  await writeFiles(directory, webApp('large', `if (require('fs').statSync('large.bin').size !== ${largeBytes}) process.exit(9)`))
  await git('add', '-A')
  await git('-c', 'core.compression=0', 'commit', '-qm', 'large')
  const result = await git('-c', 'http.postBuffer=65536', '-c', 'core.compression=0', '-c', 'pack.compression=0', 'push', 'pavior', 'main')
  expect(result).toMatchObject({ code: 0 })
  expect((await platform.get('large.localhost')).body).toBe('large')
})

test('a shallow clone pushes what it adds', async () => {
  const { directory, git, clone } = await pushed('shallow', 'one')
  await commit(directory, git, 'two')
  await git('push', 'pavior', 'main')
  const shallow = await clone('--depth', '1')
  expect((await shallow.git('rev-list', '--count', 'HEAD')).stdout.trim()).toBe('1')
  await commit(shallow.directory, shallow.git, 'three')
  expect((await shallow.git('push', 'origin', 'main')).stderr).toContain('remote: live')
  expect((await platform.get('shallow.localhost')).body).toBe('three')
  // Everybody else gets the history whole.
  expect((await (await clone()).git('rev-list', '--count', 'HEAD')).stdout.trim()).toBe('3')
})

test('a first push from a shallow clone of another forge, as CI does it, is deployed', async () => {
  const { directory, git } = await pushed('origin', 'one')
  await commit(directory, git, 'two')
  const parent = await mkdtemp(join(tmpdir(), 'pavior-shallow-'))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  await gitIn(parent)('clone', '-q', '--depth', '1', `file://${directory}`, 'elsewhere')
  const elsewhere = { directory: join(parent, 'elsewhere'), git: gitIn(join(parent, 'elsewhere')) }
  expect((await platform.cli(['init', '--app', 'elsewhere'], { directory: elsewhere.directory })).code).toBe(0)
  const { code, stderr } = await elsewhere.git('push', 'pavior', 'main')
  expect(stderr).toContain('remote: live')
  expect(code).toBe(0)
  expect((await platform.get('elsewhere.localhost')).body).toBe('two')
})

test('history that was rewritten deploys when it is forced, and what was left behind too', async () => {
  const { directory, git } = await pushed('forced', 'one')
  const first = (await git('rev-parse', 'HEAD')).stdout.trim()
  await commit(directory, git, 'two')
  await git('push', 'pavior', 'main')
  const rewritten = await commit(directory, git, 'rewritten', '--amend')
  expect(await git('push', 'pavior', 'main')).toMatchObject({ code: 1, stderr: expect.stringContaining('non-fast-forward') })
  expect((await platform.get('forced.localhost')).body).toBe('two')
  expect((await git('push', '--force', 'pavior', 'main')).code).toBe(0)
  expect((await platform.get('forced.localhost')).body).toBe('rewritten')
  const releases = await platform.json(['releases', '--app', 'forced'])
  expect(releases.map(({ spec }: any) => spec.revision.commit)).toContain(rewritten)
  expect((await git('push', '--force', 'pavior', `${first}:main`)).code).toBe(0)
  expect((await platform.get('forced.localhost')).body).toBe('one')
})

test('tags and other branches are kept and deploy nothing; main cannot be deleted, others can', async () => {
  const { directory, git } = await pushed('kept', 'one')
  const before = await builds('kept')
  await git('tag', 'v1')
  await git('tag', '-a', 'v1-annotated', '-m', 'annotated')
  expect((await git('push', 'pavior', '--tags')).code).toBe(0)
  await git('checkout', '-qb', 'idea')
  await commit(directory, git, 'idea')
  expect((await git('push', 'pavior', 'idea')).stderr).toContain('idea is kept, but only main is deployed')
  expect((await git('ls-remote', 'pavior')).stdout).toMatch(/refs\/heads\/idea[^]*refs\/tags\/v1[^]*refs\/tags\/v1-annotated/)
  expect(await builds('kept')).toBe(before)
  expect((await platform.get('kept.localhost')).body).toBe('one')

  const refused = await git('push', 'pavior', '--delete', 'main')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/remote: ✖ main holds what is deployed, so it cannot be deleted[^]*pavior destroy kept/)
  expect((await git('push', 'pavior', '--delete', 'idea')).code).toBe(0)
  expect((await git('push', 'pavior', '--delete', 'v1')).code).toBe(0)
  expect((await git('ls-remote', 'pavior')).stdout).not.toMatch(/idea|refs\/tags\/v1$/m)

  // Everything at once: main is deployed, the rest is kept.
  await git('checkout', '-q', 'main')
  await commit(directory, git, 'all')
  expect((await git('push', 'pavior', '--all')).code).toBe(0)
  expect((await platform.get('kept.localhost')).body).toBe('all')
})

test('what a push, an upload and a rollback wrote is found by their requests', async () => {
  const { directory, git } = await pushed('traced', 'one')
  await commit(directory, git, 'two')
  expect((await git('-c', 'http.extraHeader=X-Request-Id: push-of-two', 'push', 'pavior', 'main')).code).toBe(0)
  expect((await platform.api('POST', '/v1/teams/default/apps/traced/rollback', { to: 1 }, { 'x-request-id': 'back-to-one' })).status).toBeLessThan(300)
  await platform.json(['deploy'], { directory: await appDirectory('sent', webApp('sent')) })
  const { items } = (await platform.api('GET', '/v1/audit?people=true&verb=create')).body as { items: { kind: string; name: string; requestId?: string }[] }
  const requestOf = (name: string): string | undefined => items.find((row) => row.name === name)?.requestId
  expect(requestOf('traced-build-2')).toBe('push-of-two')
  expect(requestOf('traced-production-3')).toBe('back-to-one')
  expect(items.filter(({ requestId }) => requestId === undefined)).toEqual([])
})

test('the repository goes with its app, and the next app of that name begins anew', async () => {
  const { directory, git } = await pushed('mortal', 'one')
  const repository = join(platform.home, 'git', 'default', 'mortal.git')
  expect(existsSync(repository)).toBe(true)
  const { code, stderr } = await platform.cli(['destroy', 'mortal', '--confirm', 'mortal'])
  expect(stderr).toContain('its repository here with every branch')
  expect(code).toBe(0)
  await until('the repository to be gone', async () => !existsSync(repository))
  await commit(directory, git, 'another life', '--amend')
  expect((await git('push', 'pavior', 'main')).stderr).toContain('remote: live')
  expect((await platform.get('mortal.localhost')).body).toBe('another life')
})
