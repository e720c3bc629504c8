/** Repositories that declare resources: pushed, applied whole or not at all, kept so, and told of rollbacks. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alive, newPlatform, until, webApp, writeFiles, type Platform } from './platform.ts'

let platform: Platform
let directory: string

function git(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...platform.environment, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  return new Promise((resolve) => {
    execFile('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
  })
}

async function push(files: Record<string, string>, message: string, ...flags: string[]): Promise<{ code: number; stderr: string }> {
  await writeFiles(directory, files)
  await git('add', '-A')
  await git('commit', '-qm', message, '--allow-empty')
  return git('push', ...flags, 'origin', 'HEAD:main')
}

/** Takes what could not be pushed away again. */
const back = (): Promise<unknown> => git('reset', '-q', '--hard', 'origin/main').then(() => git('clean', '-qfd'))

const resource = (kind: string, name: string, spec: object, metadata: object = {}): string => JSON.stringify({ apiVersion: 'pavior.dev/v1', kind, metadata: { name, ...metadata }, spec })
const repo = async (): Promise<any> => platform.json(['get', 'configrepo', 'config'])
const synced = async (): Promise<string> => (await repo()).status.conditions[0].reason
const environments = async (): Promise<string[]> => (await platform.json<{ metadata: { name: string } }[]>(['get', 'environments'])).map(({ metadata }) => metadata.name).toSorted()

beforeAll(async () => {
  platform = await newPlatform()
  directory = await mkdtemp(join(tmpdir(), 'pavior-config-'))
  expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/configrepos', { metadata: { name: 'config' }, spec: { hosted: true, intervalSeconds: 5 } })).status).toBe(201)
  await git('init', '-q', '-b', 'main')
  const url = new URL(`/git/default/config.git`, platform.url)
  url.username = 'pavior'
  url.password = await platform.token()
  await git('remote', 'add', 'origin', url.href)
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('a push is looked at, applied and told of; what is declared no longer goes', async () => {
  const first = await push({ 'environments.yaml': `${resource('Environment', 'staging', { tier: 'staging' })}\n---\n${resource('Environment', 'qa', { tier: 'development' })}\n`, 'README.md': 'Not declared.' }, 'environments')
  expect(first.code, first.stderr).toBe(0)
  expect(first.stderr).toContain('create  Environment/staging')
  expect(first.stderr).toMatch(/remote: ✔ [0-9a-f]{10} is in force: 2 applied, 0 unchanged, 0 deleted/)
  expect(await environments()).toEqual(['production', 'qa', 'staging'])
  const second = await push({ 'environments.yaml': 'kind: Environment # staging alone\nmetadata: { name: staging }\nspec:\n  tier: staging\n  description: before production\n' }, 'without qa')
  expect(second.stderr).toMatch(/change {2}Environment\/staging {2}spec.description/)
  expect(second.stderr).toMatch(/1 applied, 0 unchanged, 1 deleted/)
  expect(await environments()).toEqual(['production', 'staging'])
  const { status } = await repo()
  expect(status.commits.map(({ message, applied, pruned }: any) => [message, applied, pruned])).toEqual([['without qa', 1, 1], ['environments', 2, 0]])
  expect((await platform.cli(['gitops', 'status', 'config'])).stdout).toContain('in force')
  const { items } = (await platform.api('GET', '/v1/audit?kind=Environment&name=staging')).body
  expect(items[0]).toMatchObject({ actor: 'configrepo:config' })
  expect(items[0].reason).toMatch(/^[0-9a-f]{10} without qa, brought by /)
})

test('a commit with anything wrong in it is refused whole, and says where', async () => {
  const before = (await repo()).status.commit
  const good = resource('Environment', 'never', { tier: 'development' })
  const bad: [Record<string, string>, RegExp][] = [
    [{ 'a.yaml': good, 'b.yaml': 'kind: Environment\nmetadata: { name: odd }\nspec:\n  tier: huge\n' }, /b\.yaml:4: spec\.tier/],
    [{ 'a.yaml': good, 'b.yaml': 'kind: [\n' }, /b\.yaml:\d+: It is not valid YAML/],
    [{ 'a.yaml': good, 'bomb.yaml': `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(',')}]`).join('\n')}\n` }, /bomb\.yaml/],
    [{ 'a.yaml': good, 'deep.yaml': `a: ${'['.repeat(100_000)}` }, /deep\.yaml/],
    [{ 'a.yaml': good, 'large.yaml': `# ${'x'.repeat(10 * 1024 * 1024)}` }, /large\.yaml/],
    [{ 'a.yaml': good, 'binary.yaml': '\u0000\u0001' }, /binary\.yaml/],
    [{ 'a.yaml': good, 'other.yaml': resource('Environment', 'x', { tier: 'staging' }, { namespace: 'other' }) }, /of team other/],
    [{ 'a.yaml': good, 'cluster.yaml': resource('Team', 'mine', {}) }, /belongs to no team/],
    [{ 'a.yaml': good, 'own.yaml': resource('InstanceSet', 'x', {}) }, /own\.yaml/],
    [{ 'a.yaml': good, 'twice.yaml': good }, /twice\.yaml:1: Environment\/never is declared in a\.yaml/],
  ]
  for (const [files, words] of bad) {
    const { code, stderr } = await push(files, 'bad')
    expect(code, stderr).not.toBe(0)
    expect(stderr).toContain('CONFIG_REPO_INVALID')
    expect(stderr).toMatch(words)
    await back()
  }
  await symlink('/etc/passwd', join(directory, 'link.yaml'))
  expect((await push({ 'a.yaml': good }, 'a link')).stderr).toContain('it is a link')
  await back()
  expect(await environments()).toEqual(['production', 'staging'])
  expect((await repo()).status.commit).toBe(before)
}, 60_000)

test('people are told where to change it; by other hands it is put back, or reported', async () => {
  const refused = await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/staging', { spec: { description: 'by hand' } }, { 'content-type': 'application/merge-patch+json' })
  expect(refused.body.details.pavior).toMatchObject({ code: 'CONFIG_MANAGED' })
  expect(refused.body.details.pavior.message).toContain('environments.yaml of the repository config')
  expect((await platform.cli(['delete', 'environment', 'staging'])).code).toBe(3)
  // A field that is not declared is anybody's.
  expect((await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/staging', { spec: { after: 'production' } }, { 'content-type': 'application/merge-patch+json' })).status).toBe(200)
  expect(await synced()).toBe('Synced')

  const set = async (spec: object): Promise<void> => void (await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/configrepos/config', { spec }, { 'content-type': 'application/merge-patch+json' }))
  const change = (description: string): Promise<{ status: number }> => platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/staging', { spec: { description } }, { 'content-type': 'application/merge-patch+json' })
  await set({ manualChanges: 'mark', drift: 'report' })
  expect((await change('by hand')).status).toBe(200)
  expect((await platform.json(['get', 'environment', 'staging'])).metadata.annotations['pavior.dev/manual-change']).toMatch(/user:admin changed spec.description|changed .*description/)
  await until('the drift to be reported', async () => (await synced()) === 'Drift')
  expect((await platform.cli(['gitops', 'status', 'config'])).stdout).toContain('differs   Environment/staging: ')
  await set({ manualChanges: 'refuse', drift: 'correct' })
  await until('the drift to be corrected', async () => (await platform.json(['get', 'environment', 'staging'])).spec.description === 'before production')
  expect((await platform.json(['get', 'environment', 'staging'])).metadata.annotations['pavior.dev/manual-change']).toBeUndefined()
})

test('a diff before the merge, of a directory and of a branch', async () => {
  await writeFiles(directory, { 'freeze.yaml': resource('Freeze', 'weekend', { reason: 'Nobody is there' }) })
  const plan = await platform.json(['gitops', 'diff', 'config', '.'], { directory })
  expect(plan.actions.map(({ action, kind, name }: any) => [action, kind, name])).toEqual([['unchanged', 'Environment', 'staging'], ['create', 'Freeze', 'weekend']])
  await git('checkout', '-qb', 'proposal')
  await git('add', '-A')
  await git('commit', '-qm', 'freeze')
  const { stderr } = await git('push', 'origin', 'proposal')
  expect(stderr).toContain('pavior gitops diff config --branch proposal')
  expect((await platform.cli(['gitops', 'diff', 'config', '--branch', 'proposal'])).stdout).toMatch(/create {2,}Freeze\/weekend/)
  expect(await platform.json(['get', 'freezes'])).toEqual([])
  await git('checkout', '-q', 'main')
})

test('a repository elsewhere is fetched, and while it cannot be what was applied last stays', async () => {
  const url = `${new URL(platform.url).origin}/git/default/missing.git`
  expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/configrepos', { metadata: { name: 'elsewhere' }, spec: { url, intervalSeconds: 5 } })).status).toBe(201)
  await until('it to be told', async () => (await platform.json(['get', 'configrepo', 'elsewhere'])).status?.conditions?.[0]?.reason === 'Unreachable')
  const status = await platform.cli(['gitops', 'status', 'elsewhere'])
  expect(status.stdout).toMatch(/could not be fetched.* Since /)
  expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/configrepos', { metadata: { name: 'local' }, spec: { url: 'file:///etc' } })).status).toBe(422)
  expect((await platform.cli(['delete', 'configrepo', 'elsewhere'])).code).toBe(0)
})

test('a repository elsewhere that asks for a token gets it from a secret, which stands nowhere else', async () => {
  const group = '/apis/pavior.dev/v1'
  const url = `${new URL(platform.url).origin}/git/default/config.git`
  const mirror = async (): Promise<any> => (await platform.api('GET', `${group}/namespaces/mirror/configrepos/copy`)).body
  await platform.api('POST', `${group}/teams`, { metadata: { name: 'mirror' }, spec: {} })
  expect((await platform.api('POST', `${group}/namespaces/mirror/configrepos`, { metadata: { name: 'copy' }, spec: { url, intervalSeconds: 5, tokenSecret: 'repository' } })).status).toBe(201)
  await until('it to be told', async () => (await mirror()).status?.conditions?.[0]?.message.includes('"repository" with its token has no value'))
  await platform.api('POST', `${group}/namespaces/mirror/secrets`, { metadata: { name: 'repository' }, spec: { key: 'REPOSITORY', environments: [] } })
  const token = await platform.token()
  expect((await platform.api('POST', '/v1/teams/mirror/secrets/repository/versions', { value: token })).status).toBeLessThan(300)
  await until('it to be fetched', async () => (await mirror()).status?.commit !== undefined)
  expect(JSON.stringify([await mirror(), (await platform.api('GET', '/v1/audit?team=mirror')).body])).not.toContain(token)
  expect((await platform.api('GET', '/v1/audit?team=mirror&verb=read')).body.items).toMatchObject([{ kind: 'Secret', name: 'repository' }])
  await platform.api('DELETE', `${group}/namespaces/mirror/configrepos/copy`)
})

test('a rollback is committed into the file of the app, and what was taken back is not put there again', async () => {
  const app = await mkdtemp(join(tmpdir(), 'pavior-app-'))
  const deploy = async (text: string, ...flags: string[]): Promise<{ code: number; stderr: string }> => {
    await writeFiles(app, webApp(text))
    return platform.cli(['deploy', '--app', 'shop', '--strategy', 'rolling', ...flags], { directory: app })
  }
  try {
    expect((await deploy('one')).code).toBe(0)
    const file = '# what the shop has\nkind: App\nmetadata:\n  name: shop\nspec:\n  config:\n    production:\n      COLOUR: blue # as the brand says\n'
    expect((await push({ 'apps/shop.yaml': file }, 'the shop')).code).toBe(0)
    await until('the configuration to be live', async () => (await platform.json<any[]>(['get', 'instancesets'])).some(({ spec }) => spec.env.COLOUR === 'blue'))
    expect((await platform.cli(['config', 'set', 'COLOUR=red', '--app', 'shop'])).stderr).toContain('CONFIG_MANAGED')
    expect((await deploy('two')).code).toBe(0)
    expect((await platform.cli(['rollback', '--app', 'shop'])).code).toBe(0)
    await until('the first to be back', async () => (await platform.get('shop.localhost')).body === 'one')
    const pinned = (await platform.json(['get', 'app', 'shop'])).spec.pinned.production
    expect(pinned).toMatchObject({ out: { release: pinned.out.release } })
    const fetched = async (): Promise<string> => {
      await git('fetch', '-q', 'origin')
      return (await git('show', 'origin/main:apps/shop.yaml')).stdout
    }
    await until('the pin to be committed', async () => (await fetched()).includes('pinned:'))
    expect(await fetched()).toContain('COLOUR: blue # as the brand says')
    expect((await git('log', '-1', '--format=%an: %s', 'origin/main')).stdout.trim()).toBe('Pavior: Pin shop in production')
    await until('nothing to differ', async () => (await synced()) === 'Synced')

    const again = await deploy('two')
    expect(again.code).not.toBe(0)
    expect(again.stderr).toContain('REVISION_PINNED_OUT')
    expect((await platform.get('shop.localhost')).body).toBe('one')
    expect((await deploy('three')).code).toBe(0)
    await until('the pin to go', async () => !(await fetched()).includes('pinned:'))
    expect((await platform.json(['get', 'app', 'shop'])).spec.pinned).toBeUndefined()
    expect((await deploy('two', '--allow-pinned')).code).toBe(0)
    expect((await platform.get('shop.localhost')).body).toBe('two')

    // The judge of a canary takes back and pins by itself.
    const broken = async (): Promise<{ code: number; stderr: string }> => {
      await writeFiles(app, { 'server.js': `require('http').createServer((q, r) => r.writeHead(500).end('broken')).listen(process.env.PORT)\nprocess.on('SIGTERM', () => process.exit(0))` })
      return platform.cli(['deploy', '--app', 'shop'], { directory: app })
    }
    expect((await broken()).stderr).toContain('CANARY_FAILED')
    expect((await platform.json(['get', 'app', 'shop'])).spec.pinned.production.reason).toContain('taken back')
    expect((await broken()).stderr).toContain('REVISION_PINNED_OUT')
    expect((await platform.get('shop.localhost')).body).toBe('two')
    await until('the pin to be committed', async () => (await fetched()).includes('pinned:'))
    await until('nothing to differ', async () => (await synced()) === 'Synced')
    await git('pull', '-q', '--rebase', 'origin', 'main')
  } finally {
    await rm(app, { recursive: true, force: true })
  }
}, 90_000)

test('two pushes at once, and a server that is killed while it applies: the newest commit comes into force whole', async () => {
  const many = (from: number): string => Array.from({ length: 60 }, (_, index) => resource('Environment', `many-${from}-${index}`, { tier: 'development' })).join('\n---\n')
  await writeFiles(directory, { 'many.yaml': many(1) })
  await git('add', '-A')
  await git('commit', '-qm', 'many')
  const server = await platform.pidOf('server')
  const pushed = git('push', 'origin', 'HEAD:main')
  const rival = git('push', '--force', 'origin', 'HEAD~1:refs/heads/main')
  await until('it to be applied, or the push to end', async () => Promise.race([pushed.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 300))]))
  process.kill(server, 'SIGKILL')
  await until('the server to be gone', async () => !alive(server))
  await Promise.all([pushed, rival])
  const of = async (from: number): Promise<number> => (await environments()).filter((name) => name.startsWith(`many-${from}-`)).length
  await until('the server to answer again', async () => (await platform.cli(['get', 'environments'])).code === 0)
  expect([0, 60]).toContain(await of(1))
  await writeFiles(directory, { 'many.yaml': many(2) })
  await git('add', '-A')
  await git('commit', '-qm', 'others')
  await until('the push to be taken', async () => (await git('push', '--force', 'origin', 'HEAD:main')).code === 0)
  await until('all of it to be in force', async () => (await of(2)) === 60 && (await of(1)) === 0)
  expect(await readFile(join(directory, 'many.yaml'), 'utf8')).toContain('many-2-59')
}, 90_000)
