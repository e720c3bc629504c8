/** Agent, database and `up` are killed while apps serve and people write: nothing is lost, and everything finds itself again. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { agentPid, databasePid, deployedApp, killDatabase, observed, ready, serverPid } from './faults.ts'
import { httpGet } from './http-get.ts'
import { constantLoad } from './load.ts'
import { alive, newPlatform, Platform, until, webApp } from './platform.ts'

let platform: Platform

const talker = webApp('talks', `let number = 0\nsetInterval(() => console.log('line ' + number++), 5)\n`)

beforeAll(async () => {
  platform = await newPlatform()
  await deployedApp(platform, 'steady', webApp('steady'))
  await deployedApp(platform, 'talker', talker)
})

async function instancesOf(app: string): Promise<{ id: string; pid: number; port: number }[]> {
  const { instances } = await observed(platform)
  return instances.filter(({ id, state }) => id.startsWith(`${app}-`) && state === 'healthy').map(({ id, pid, port }) => ({ id, pid: pid!, port: port! }))
}

describe('kill -9 of the agent', () => {
  test('instances serve on directly, and the next agent takes them over with every line of their logs', async () => {
    const before = await agentPid(platform)
    const [steady] = await instancesOf('steady')
    const [talking] = await instancesOf('talker')
    const direct = constantLoad(steady!.port, 'steady.localhost')
    process.kill(before, 'SIGKILL')
    await until('another agent', async () => (await agentPid(platform)) !== before)
    await until('requests to be routed again', async () => (await httpGet(platform.routerPort, 'steady.localhost', '/')).body === 'steady')
    expect(await instancesOf('steady')).toEqual([steady])
    expect(await instancesOf('talker')).toEqual([talking])
    const { total, failures } = await direct.stop()
    expect([total > 0, failures]).toEqual([true, []])
    await until('the server to find it', async () => ready(platform))
    const { stdout } = await platform.cli(['logs', 'talker', '--tail', '100000'])
    const numbers = [...stdout.matchAll(/line (\d+)$/gm)].map(([, number]) => Number(number))
    expect(numbers.length).toBeGreaterThan(50)
    expect(numbers).toEqual(numbers.map((_, index) => index))
  })

  test('a deploy afterwards works as ever', async () => {
    await deployedApp(platform, 'steady', webApp('steady'))
    expect((await platform.get('steady.localhost')).body).toBe('steady')
  })
})

describe('kill -9 of every process of PostgreSQL', () => {
  test('no acknowledged write is lost, watches go on where they were, and apps do not notice', async () => {
    const load = constantLoad(platform.routerPort, 'steady.localhost')
    const seen = new Map<string, number>()
    const versions: bigint[] = []
    const watching = new AbortController()
    // Listed before anything is written: what comes after must be seen.
    const { body: listed } = await platform.api('GET', '/apis/pavior.dev/v1/apps?limit=1')
    const watched = watchApps(watching.signal, listed.metadata.resourceVersion, (name, version) => {
      seen.set(name, (seen.get(name) ?? 0) + 1)
      versions.push(version)
    })
    const acknowledged: string[] = []
    let refused = 0
    let stopped = false
    const write = async (): Promise<void> => {
      while (!stopped) {
        const name = `w-${randomUUID().slice(0, 13)}`
        const { status } = await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/apps', { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name }, spec: {} }).catch(() => ({ status: 0 }))
        if (status === 201) acknowledged.push(name)
        else refused++
      }
    }
    const writers = Promise.all([write(), write(), write(), write()])
    await until('writes', async () => acknowledged.length > 40)
    for (let round = 1; round <= 2; round++) {
      const before = await databasePid(platform)
      const written = acknowledged.length
      await killDatabase(platform)
      await until('another database', async () => (await databasePid(platform)) !== before && (await ready(platform)))
      await until('writes to go on', async () => acknowledged.length > written + 20)
    }
    stopped = true
    await writers
    await until('the watch to have seen them all', async () => acknowledged.every((name) => seen.has(name)))
    watching.abort()
    await watched
    const { body } = await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/apps?limit=0')
    const there = new Set(body.items.map(({ metadata }: any) => metadata.name))
    expect(acknowledged.filter((name) => !there.has(name))).toEqual([])
    expect(refused).toBeGreaterThan(0)
    expect([...seen].filter(([, times]) => times > 1)).toEqual([])
    expect(versions.every((version, index) => index === 0 || version > versions[index - 1]!)).toBe(true)
    const { total, failures } = await load.stop()
    expect([total > 0, failures]).toEqual([true, []])
    expect(await platform.pidOf('postgresql')).toBe(await databasePid(platform))
  })

  /** As a client library does: list once, then watch, and watch again from the last version when the connection ends. */
  async function watchApps(signal: AbortSignal, from: string, added: (name: string, version: bigint) => void): Promise<void> {
    let version = from
    const token = await platform.token()
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        const outgoing = request(new URL(`/apis/pavior.dev/v1/apps?watch=true&resourceVersion=${version}`, platform.url), { headers: { authorization: `Bearer ${token}` }, signal }, (response) => {
          let rest = ''
          response.on('data', (chunk) => {
            const lines = (rest + chunk).split('\n')
            rest = lines.pop()!
            for (const line of lines.filter(Boolean)) {
              const { type, object } = JSON.parse(line)
              if (type === 'ERROR') continue
              version = object.metadata.resourceVersion
              if (type === 'ADDED' && object.metadata.name.startsWith('w-')) added(object.metadata.name, BigInt(version))
            }
          })
          response.on('close', resolve)
          response.on('error', () => {})
        })
        outgoing.on('error', () => resolve())
        outgoing.end()
      })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
})

describe('kill -9 of `up`', () => {
  test('apps serve on; the next start keeps the agent and every instance', async () => {
    const load = constantLoad(platform.routerPort, 'steady.localhost')
    const agent = await agentPid(platform)
    const before = await instancesOf('')
    const [server, database] = [await serverPid(platform), await databasePid(platform)]
    process.kill(platform.upPid, 'SIGKILL')
    await platform.start()
    expect(await agentPid(platform)).toBe(agent)
    expect(await instancesOf('')).toEqual(before)
    expect([server, database].filter(alive)).toEqual([])
    expect((await platform.json(['apps'])).map(({ metadata }: any) => metadata.name)).toContain('steady')
    // All at once: a canary under load takes its minutes.
    await deployedApp(platform, 'steady', webApp('steady'), '--strategy', 'rolling')
    const { total, failures } = await load.stop()
    expect([total > 0, failures]).toEqual([true, []])
    await until('the earlier instance to be gone', async () => (await observed(platform)).instances.filter(({ id }) => id.startsWith('steady-')).length === 1)
  })
})

describe('two starts at once on one home', () => {
  test('one runs, the other is refused and names it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pavior-twice-'))
    const starts = [new Platform(join(directory, 'home')), new Platform(join(directory, 'home'))]
    onTestFinished(async () => {
      for (const each of starts) await each.stop()
      await rm(directory, { recursive: true, force: true })
    })
    const outcomes = await Promise.all(starts.map((each) => each.start().then(() => 'runs', (error: Error) => error.message)))
    const winner = starts[outcomes.indexOf('runs')]!
    expect(outcomes.filter((outcome) => outcome === 'runs')).toHaveLength(1)
    const other = outcomes.find((outcome) => outcome !== 'runs')!
    expect(other).toContain('ALREADY_RUNNING')
    expect(other).toContain(String(winner.upPid))
  })
})
