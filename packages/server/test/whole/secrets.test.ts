/** Secrets as their users meet them: set, given to apps, rotated and taken back, and to be found nowhere. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startVault, type VaultStandIn } from '../vault.ts'
import { agentPid, killServer, observed, serverPid } from './faults.ts'
import { appDirectory, newPlatform, until, type Platform } from './platform.ts'

/** Values that no file, answer or command line may hold; base64 and hex of them neither. */
const planted: string[] = []
let count = 0
const plant = (word = 'planted'): string => {
  const value = `${word}-${++count}-c0ffee51d3-${Math.random().toString(36).slice(2)}`
  planted.push(value)
  return value
}

const shop = {
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'server.js': `
const { readFileSync } = require('fs')
const { API_KEY = 'none', TLS_KEY_FILE, TEAM_WIDE } = process.env
if (API_KEY.startsWith('dies')) process.exit(1)
const server = require('http').createServer((request, response) => {
  if (API_KEY.startsWith('errs')) response.statusCode = 500
  response.end(JSON.stringify({ key: API_KEY, team: TEAM_WIDE, file: TLS_KEY_FILE && readFileSync(TLS_KEY_FILE, 'latin1') }))
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
}

let platform: Platform
let vault: VaultStandIn
beforeAll(async () => {
  vault = await startVault()
  platform = await newPlatform()
  // Little traffic is expected, so that the platform asks itself instead of waiting for users.
  const calm = { rollout: { watchSeconds: 0, judge: { minRequests: 500 } } }
  await until('the environment is calm', async () => (await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/production', { spec: calm }, { 'content-type': 'application/merge-patch+json' })).status === 200)
})
afterAll(() => vault.close())

const set = (value: string, args: string[], more = {}) => platform.cli(['secrets', 'set', ...args], { input: `${value}\n`, ...more })
const served = async (host = 'shop.localhost'): Promise<{ key: string; team?: string; file?: string }> => JSON.parse((await platform.get(host)).body)
const secretNamed = async (name: string) => (await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/secrets/${name}`)).body
const newest = (value: string, more: object = {}) => platform.api('POST', '/v1/teams/default/secrets/shop-api-key/versions', { value, ...more })
const ended = (name: string) => until(`the rotation of ${name} has ended`, async () => (await secretNamed(name)).status.rotation.phase !== 'RollingOut')
const asUser = async (user: string): Promise<Record<string, string>> => ({ authorization: `Bearer ${(await platform.api('POST', '/v1/tokens', { username: user, description: 'test' })).body.token as string}` })

describe('a secret', () => {
  test('is set from standard input, reaches the app as a variable, and the next version takes its place', async () => {
    const directory = await appDirectory('shop', shop)
    expect((await platform.cli(['deploy'], { directory })).code).toBe(0)
    const first = plant()
    const answer = await set(first, ['API_KEY', '--app', 'shop', '--description', 'Key of the payment service'])
    expect([answer.code, answer.stdout]).toEqual([0, 'shop-api-key: Version 1 serves everywhere.\n'])
    expect(await served()).toEqual({ key: first })
    const second = plant()
    expect((await set(second, ['API_KEY', '--app', 'shop'])).code).toBe(0)
    expect(await served()).toEqual({ key: second })
    const { items } = await platform.json(['secrets', 'versions', 'API_KEY'])
    expect(items).toMatchObject([{ version: 2, state: 'current', by: 'user:admin' }, { version: 1, state: 'previous' }])
    expect(await platform.json(['releases', '--app', 'shop'])).toBeTruthy()
  })

  test('can be a file that only the app can read, of bytes that are no text, and one of the whole team', async () => {
    const bytes = Buffer.concat([Buffer.from(plant()), Buffer.from([0, 255, 1])])
    const file = join(platform.home, '..', 'key.der')
    writeFileSync(file, bytes)
    expect((await platform.cli(['secrets', 'set', 'TLS_KEY', '--app', 'shop', '--as', 'file', '--from-file', file])).code).toBe(0)
    const team = plant()
    expect((await set(team, ['TEAM_WIDE'])).code).toBe(0)
    expect(await served()).toMatchObject({ file: bytes.toString('latin1'), team })
    const refused = await platform.cli(['secrets', 'set', 'OTHER', '--app', 'shop', '--from-file', file])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('INVALID   The value of OTHER is no text')])
    await platform.cli(['secrets', 'remove', 'OTHER', '--yes'])
  })

  test('that an app dies or errs with is taken back by itself, and what served goes on', async () => {
    const before = await served()
    for (const word of ['dies', 'errs']) {
      const { code, stderr } = await set(plant(word), ['API_KEY', '--app', 'shop'])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/CANARY_FAILED {3}Version \d of shop-api-key was taken back\.[^]*Version 2 is in force again/)])
      expect(await served()).toEqual(before)
    }
    const { status } = await secretNamed('shop-api-key')
    expect(status).toMatchObject({ version: 2, rotation: { phase: 'Reverted' } })
    expect(status.versions.map(({ state }: { state: string }) => state)).toEqual(['previous', 'current', 'rejected', 'rejected'])
  })

  test('is stored only, brought out later, rolled back and revoked', async () => {
    const stored = plant()
    expect((await set(stored, ['API_KEY', '--app', 'shop', '--no-rollout'])).stdout).toContain('Version 5 of shop-api-key is stored.')
    const before = await served()
    expect((await platform.cli(['secrets', 'rotate', 'API_KEY', '--stored'])).code).toBe(0)
    expect(await served()).toEqual({ ...before, key: stored })
    expect((await platform.cli(['secrets', 'rollback', 'API_KEY'])).code).toBe(0)
    expect(await served()).toEqual(before)
    expect((await platform.cli(['secrets', 'revoke', 'API_KEY', '2'])).stderr).toContain('SECRET_IN_USE')
    expect((await platform.cli(['secrets', 'revoke', 'API_KEY', '1'])).code).toBe(0)
    expect((await platform.cli(['secrets', 'rollback', 'API_KEY', '--to', '1'])).stderr).toContain('SECRET_REVOKED')
    // The release that had it cannot be gone back to.
    expect((await platform.cli(['rollback', 'v2', '--app', 'shop'])).stderr).toContain('SECRET_REVOKED')
    expect(await served()).toEqual(before)
  })

  test('is there for one-off commands, and is refused as configuration', async () => {
    const { key } = await served()
    expect((await platform.cli(['run', '--app', 'shop', 'echo ${#API_KEY}'])).stdout.trim()).toBe(String(key.length))
    const refused = await platform.cli(['config', 'set', 'API_KEY=plain', '--app', 'shop'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('SECRET_OF_THAT_NAME   API_KEY of shop in production is a secret')])
    const clash = await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/secrets', { metadata: { name: 'again' }, spec: { key: 'API_KEY', app: 'shop' } })
    expect([clash.status, clash.body.details.pavior.code]).toEqual([409, 'SECRET_OF_THAT_NAME'])
    for (const key of ['PATH', 'UID', 'PAVIOR_APP', 'BASH_ENV']) expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/secrets', { metadata: { name: 'taken' }, spec: { key } })).status).toBe(422)
  })

  test('of two that are set at once both are kept, and the later wins', async () => {
    const values = [plant(), plant()]
    const answers = await Promise.all(values.map((value) => newest(value)))
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    await ended('shop-api-key')
    const { status } = await secretNamed('shop-api-key')
    expect(status.versions.slice(-2).map(({ version }: { version: number }) => version)).toEqual([6, 7])
    const last = answers.findIndex(({ body }) => body.status.version === 7)
    expect([status.version, status.rotation.phase]).toEqual([7, 'Succeeded'])
    await until('the later serves', async () => (await served()).key === values[last])
  })

  test('is metadata to a viewer, and nothing to another team', async () => {
    await platform.api('POST', '/v1/teams/default/invitations', { name: 'vera', role: 'viewer' })
    await platform.api('POST', '/apis/pavior.dev/v1/teams', { metadata: { name: 'payments' }, spec: {} })
    await platform.api('POST', '/v1/teams/payments/invitations', { name: 'otto', role: 'developer' })
    const [vera, otto] = [await asUser('vera'), await asUser('otto')]
    const path = '/v1/teams/default/secrets/shop-api-key'
    expect((await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/secrets/shop-api-key', undefined, vera)).status).toBe(200)
    expect((await platform.api('GET', `${path}/access`, undefined, vera)).body.items.length).toBeGreaterThan(4)
    const audited = (await platform.api('GET', '/v1/audit?kind=Secret&name=shop-api-key&limit=200')).body.items as { actor: string; verb: string; reason?: string }[]
    expect(audited).toContainEqual(expect.objectContaining({ actor: 'system:runtime', verb: 'read', reason: expect.stringMatching(/^version 2 given to shop-production-\d+-web$/) }))
    expect(audited).toContainEqual(expect.objectContaining({ actor: 'user:admin', reason: 'a version was set' }))
    for (const [user, reads] of [[vera, 200], [otto, 403]] as const) {
      expect((await platform.api('GET', `${path}/access`, undefined, user)).status).toBe(reads)
      expect((await platform.api('POST', `${path}/versions`, { value: 'mine' }, user)).status).toBe(403)
      expect((await platform.api('POST', `${path}/use`, { version: 'previous' }, user)).status).toBe(403)
      expect((await platform.api('POST', `${path}/versions/6/revoke`, {}, user)).status).toBe(403)
      expect((await platform.api('POST', '/v1/secrets/rekey', {}, user)).status).toBe(403)
    }
    const status = await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/secrets/shop-api-key/status', { status: { version: 1 } }, { 'content-type': 'application/merge-patch+json' })
    expect(status.status).toBe(403)
  })

  test('of another environment, of previews and of a removed secret is not given out', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/environments', { metadata: { name: 'staging' }, spec: { tier: 'staging' } })
    await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/environments', { metadata: { name: 'pr-1' }, spec: { tier: 'preview' } })
    const staging = plant()
    expect((await set(staging, ['API_KEY', '--app', 'shop', '--environment', 'staging'])).code).toBe(0)
    const directory = await appDirectory('shop', shop)
    const deployed = await Promise.all(['staging', 'pr-1'].map((environment) => platform.cli(['deploy', '--environment', environment], { directory })))
    expect(deployed.map(({ code }) => code)).toEqual([0, 0])
    const { items } = (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/routes')).body
    const hostIn = (environment: string): string => items.find(({ spec }: any) => spec.environment === environment).spec.hosts[0]
    expect((await served(hostIn('staging'))).key).toBe(staging)
    expect(await served(hostIn('pr-1'))).toEqual({ key: 'none' })
    expect((await platform.cli(['secrets', 'remove', 'shop-api-key-staging', '--yes'])).code).toBe(0)
    await until('the one for every environment takes its place', async () => (await served(hostIn('staging'))).key === (await served()).key)
    await until('its values are destroyed', async () => (await secretNamed('shop-api-key-staging')).code === 404)
  })
})

describe('faults', () => {
  /** One instance in each of three environments; no deployment is under way, and what was replaced is gone. */
  const settled = async (): Promise<{ pid?: number }[]> => {
    const own = async () => (await observed(platform)).instances.filter(({ id }) => id.startsWith('shop-web-'))
    await until('only what is wanted runs', async () => {
      const { items } = (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/deployments?limit=0')).body
      if (!items.every(({ status }: { status?: { finishedAt?: string } }) => status?.finishedAt !== undefined)) return false
      const states = (await own()).map(({ state }) => state)
      return states.length === 3 && states.every((state) => state === 'healthy')
    })
    return own()
  }

  test('a server that is killed while a version is brought out goes on with it', async () => {
    for (const word of ['planted', 'dies']) {
      const value = plant(word)
      expect((await newest(value)).status).toBe(201)
      await killServer(platform)
      await ended('shop-api-key')
      const { status } = await secretNamed('shop-api-key')
      expect(status.rotation.phase).toBe(word === 'dies' ? 'Reverted' : 'Succeeded')
      if (word === 'planted') expect((await served()).key).toBe(value)
    }
  })

  test('of two servers neither is needed: instances are started again with what the agent has', async () => {
    const running = await settled()
    const before = await served()
    const pid = await serverPid(platform)
    process.kill(pid, 'SIGSTOP')
    try {
      for (const { pid: instance } of running) process.kill(instance!, 'SIGKILL')
      await until('it serves again', async () => (await served()).key === before.key)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })

  test('a new master key takes the place of the old one, and a missing one stops nothing that runs', async () => {
    await settled()
    const directory = join(platform.home, 'keys', 'master')
    const keys = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.key'))
    const [old] = keys()
    const { stdout } = await platform.cli(['secrets', 'rekey'])
    expect(stdout).toMatch(/^\d+ versions are wrapped with the master key local-[0-9a-f]{16}\.\n$/)
    expect([keys().length, keys()[0] === old]).toEqual([1, false])
    const path = join(directory, keys()[0]!)
    const key = readFileSync(path)
    const before = await served()
    writeFileSync(path, `${Buffer.alloc(32).toString('base64')}\n`)
    try {
      await killServer(platform)
      const refused = await newest('refused')
      expect([refused.status, refused.body.details.pavior.code]).toEqual([503, 'SECRETS_SEALED'])
      const production = async () => (await observed(platform)).instances.filter(({ id, state }) => id.startsWith('shop-web-') && state === 'healthy').length
      const running = await production()
      expect((await platform.cli(['scale', 'web=2', '--app', 'shop'])).code).toBe(0)
      await until('one more runs with what the agent has', async () => (await production()) > running)
      expect(await served()).toEqual(before)
    } finally {
      writeFileSync(path, key)
    }
    await killServer(platform)
    expect((await newest(plant())).status).toBe(201)
    await ended('shop-api-key')
  })

  test('a version need not wait until the one before is watched to its end', async () => {
    const watch = (seconds: number, strategy: string | null) => platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/production', { spec: { strategy, rollout: { watchSeconds: seconds } } }, { 'content-type': 'application/merge-patch+json' })
    expect((await watch(3600, 'bluegreen')).status).toBe(200)
    expect((await platform.cli(['config', 'set', 'GREETING=hello', '--app', 'shop', '--no-wait'])).code).toBe(0)
    const inPhase = async (phase: string): Promise<string | undefined> => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/deployments?limit=500')).body.items.find(({ status }: { status?: { phase?: string } }) => status?.phase === phase)?.metadata.name
    await until('it can be finished', async () => (await inPhase('Shifting')) !== undefined)
    expect((await platform.cli(['deployment', 'finish', (await inPhase('Shifting'))!])).code).toBe(0)
    await until('it is watched', async () => (await inPhase('Watching')) !== undefined)
    const value = plant()
    expect((await set(value, ['API_KEY', '--app', 'shop'])).code).toBe(0)
    expect((await served()).key).toBe(value)
    expect((await watch(0, null)).status).toBe(200)
  })

  test('bodies that are no JSON are not quoted', async () => {
    const value = plant()
    const broken = await platform.api('POST', '/v1/teams/default/secrets/shop-api-key/versions', `{"value":"${value}"`)
    expect([broken.status, JSON.stringify(broken.body).includes(value.slice(0, 8))]).toEqual([400, false])
    const keyed = await platform.api('POST', '/v1/teams/default/secrets/shop-api-key/versions', { value, store: true }, { 'idempotency-key': 'once' })
    const again = await platform.api('POST', '/v1/teams/default/secrets/shop-api-key/versions', { value, store: true }, { 'idempotency-key': 'once' })
    expect([keyed.status, again.body.status.versions.length]).toEqual([201, keyed.body.status.versions.length])
  })
})

describe('a store outside', () => {
  test('gives versions, new ones are noticed and brought out, and its silence stops nothing', async () => {
    const first = plant()
    planted.push(vault.token)
    vault.put('team/shop', { key: first, other: 1 })
    expect((await set(vault.token, ['VAULT_TOKEN', '--environment', 'nowhere'])).code).toBe(0)
    const make = (plural: string, name: string, spec: object) => platform.api('POST', `/apis/pavior.dev/v1/namespaces/default/${plural}`, { metadata: { name }, spec })
    expect((await make('secretstores', 'vault', { type: 'vault', url: vault.url, namespace: 'blue', token: { secret: 'vault-token-nowhere' }, lookSeconds: 5, timeoutSeconds: 1 })).status).toBe(201)
    expect((await make('secrets', 'shop-team-wide', { key: 'TEAM_WIDE', app: 'shop', external: { store: 'vault', path: 'team/shop', field: 'key' } })).status).toBe(201)
    await until('the first version serves', async () => (await served()).team === first)
    expect(vault.requests.at(-1)).toEqual({ method: 'GET', path: 'secret/data/team/shop', namespace: 'blue' })
    const second = plant()
    vault.put('team/shop', { key: second })
    await until('the second version serves', async () => (await served()).team === second)
    expect((await secretNamed('shop-team-wide')).status).toMatchObject({ version: 2, externalVersion: 2 })
    expect((await platform.api('POST', '/v1/teams/default/secrets/shop-team-wide/versions', { value: 'mine' })).status).toBe(400)
    vault.mood = 'sealed'
    const store = async () => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/secretstores/vault')).body
    await until('the problem is said', async () => (await store()).status.problem?.code === 'SECRET_STORE_UNREACHABLE')
    const restarted = await platform.cli(['restart', '--app', 'shop'])
    expect([restarted.code, (await served()).team]).toEqual([0, second])
    vault.mood = 'well'
    await until('it is well again', async () => (await store()).status.problem === undefined)
  })
})

describe('planted values', () => {
  test('are in no file of the home, in no answer, in no command line, and no part of the platform dumps its memory', async () => {
    await platform.cli(['logs', '--app', 'shop'])
    const control = `control-of-the-search-${Math.random().toString(36).slice(2)}`
    expect((await platform.cli(['config', 'set', `GREETING=${control}`, '--app', 'shop'])).code).toBe(0)
    const answers = await everyAnswer(platform)
    expect(answers).toContain(control)
    const commands = execFileSync('ps', ['-eww', '-o', 'args'], { encoding: 'utf8' })
    await platform.stop()
    const files = filesBelow(platform.home)
    expect(files.length).toBeGreaterThan(500)
    const forms = planted.flatMap((value) => [value, Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1), Buffer.from(value).toString('hex')])
    const found = files.flatMap((file) => {
      const text = readFileSync(file, 'latin1')
      return forms.filter((form) => text.includes(form)).map((form) => `${file}: ${form}`)
    })
    expect(found).toEqual([])
    expect(files.some((file) => readFileSync(file, 'latin1').includes(control))).toBe(true)
    expect(forms.filter((form) => answers.includes(form) || commands.includes(form))).toEqual([])
  })
})

/** Every list, the changes since the beginning, remarks, audit and settings. */
async function everyAnswer(from: Platform): Promise<string> {
  const { resources } = (await from.api('GET', '/apis/pavior.dev/v1')).body
  const lists = (resources as { name: string }[]).filter(({ name }) => !name.includes('/')).map(({ name }) => `/apis/pavior.dev/v1/${name}?limit=500`)
  const texts = await Promise.all([...lists, '/api/v1/events', '/v1/audit?limit=500', '/v1/platform', '/v1/status', '/metrics'].map(async (path) => (await fetch(new URL(path, from.url), { headers: { authorization: `Bearer ${await from.token()}` } })).text()))
  for (const pid of [await serverPid(from), await agentPid(from)]) expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/)
  return texts.join('\n')
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    return entry.isFile() ? [join(entry.parentPath, entry.name)] : []
  })
}
