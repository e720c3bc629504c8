/** Builds and apps that do their worst: each gets a coded error that names the thing and the remedy, and nobody else notices. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { deployedApp, names, observed } from './faults.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatformWith, Platform, until, webApp } from './platform.ts'

const limits = { PAVIOR_BUILD_TIMEOUT_SECONDS: '6', PAVIOR_BUILD_MEMORY_MIB: '256', PAVIOR_BUILD_DISK_MIB: '80', PAVIOR_BUILD_PIDS: '100', PAVIOR_SOURCE_FILES: '10000' }
const mib = 1024 * 1024

let platform: Platform
let load: ReturnType<typeof constantLoad>

beforeAll(async () => {
  platform = await newPlatformWith(limits)
  await deployedApp(platform, 'steady', webApp('steady'))
})
beforeEach(() => {
  load = constantLoad(platform.routerPort, 'steady.localhost')
})
afterEach(async () => {
  const { total, failures } = await load.stop()
  expect([total > 0, failures], 'the other app').toEqual([true, []])
})

interface Told {
  code: string
  message: string
  fix: string
  state?: string
  why?: string
  facts?: { lastLines?: string[] }
}

async function refusal(name: string, files: Record<string, string>): Promise<Told> {
  const { code, stdout } = await platform.cli(['deploy', '--json'], { directory: await appDirectory(name, files) })
  expect(code).toBe(1)
  const { error } = JSON.parse(stdout)
  expect(error.fix.length).toBeGreaterThan(10)
  return error
}

const built = (command: string, more: Record<string, string> = {}): Record<string, string> => ({ 'package.json': JSON.stringify({ private: true, scripts: { build: command, start: 'node server.js' } }), 'server.js': '', ...more })

function tarHead(name: string, size: number): Buffer {
  const head = Buffer.alloc(512)
  head.write(name)
  head.write('0000644\0'.padEnd(24, '0'), 100)
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  head.write('00000000000\0        0', 136)
  head.write('ustar\u000000', 257)
  head.write(`${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148)
  return head
}

/** Processes whose environment says that they belong to a task or instance of this app. */
function processesOf(app: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(app)
    } catch {
      return false
    }
  })
}

/** Sends an archive as it is made; the answer may come before its end. */
function upload(app: string, packed: Readable, agent: Agent): Promise<{ status: number; error: Told }> {
  return platform.token().then((token) => new Promise((resolve, reject) => {
    const outgoing = request(new URL(`/v1/teams/default/apps/${app}/source`, platform.url), { method: 'POST', agent, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/gzip' } }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => {
        packed.destroy()
        resolve({ status: response.statusCode!, error: JSON.parse(text).details.pavior })
      })
    })
    // The server may close what it does not want to hear to the end.
    outgoing.on('error', (error) => (packed.destroyed ? undefined : reject(error)))
    packed.on('error', () => {})
    packed.pipe(outgoing)
  }))
}

async function residentMib(role: 'server'): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${await platform.pidOf(role)}/status`, 'utf8'))![1]) / 1024
}

describe('an upload', () => {
  test.each([
    ['100,000 files', 'UPLOAD_TOO_MANY_FILES', async function* () {
      for (let index = 0; index < 100_000; index++) yield tarHead(`d${index % 100}/f${index}`, 0)
      yield Buffer.alloc(1024)
    }],
    ['a sparse file of 3 GB', 'UPLOAD_TOO_LARGE', async function* () {
      yield tarHead('sparse', 3 * 1024 * mib)
      for (let sent = 0; sent < 3 * 1024; sent++) yield Buffer.alloc(mib)
    }],
  ] as [string, string, () => AsyncGenerator<Buffer>][])('of %s is refused, and the server stays small', async (_, code, archive) => {
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const before = await residentMib('server')
    const { status, error } = await upload('heavy', Readable.from(archive()).pipe(createGzip({ level: 1 })), agent)
    expect([status, error.code]).toEqual([413, code])
    expect(error.why).toContain('limit')
    expect(await residentMib('server') - before).toBeLessThan(200)
    expect(readdirSync(join(platform.home, 'sources', 'incoming'))).toEqual([])
  })

  test('that is refused before its end leaves its connection usable', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const body = Buffer.concat([tarHead('../outside', 0), Buffer.alloc(8 * mib), Buffer.alloc(1024)])
    expect((await upload('heavy', Readable.from([body]), agent)).error.code).toBe('UPLOAD_UNSAFE_PATH')
    const status = await new Promise((resolve, reject) => get(new URL('/version', platform.url), { agent, timeout: 10_000 }, (response) => resolve(response.resume().statusCode)).on('error', reject))
    expect(status).toBe(200)
  })
})

describe('a build', () => {
  test('that forks without end is held by its limit, and every process of it ends', async () => {
    const error = await refusal('forks', built('sh bomb.sh marked-forks', { 'bomb.sh': 'while :; do sh bomb.sh "$1" & done; wait\n' }))
    expect(error.code).toMatch(/^BUILD_(FAILED|TIMEOUT)$/)
    expect(error.message).toContain('"build"')
    await until('its processes to be gone', async () => processesOf('marked-forks').length === 0)
  })

  test('that eats memory', async (context) => {
    const error = await refusal('greedy', built('node eat.js', { 'eat.js': 'const all = []\nfor (;;) all.push(Buffer.alloc(8 * 1024 * 1024, 1))\n' }))
    if ((await observed(platform)).host.cgroup === 'none') return context.skip('without cgroups memory is looked at once a second only')
    expect(error.code).toBe('BUILD_OUT_OF_MEMORY')
    expect(error.message).toMatch(/"build" used more than 256 MiB/)
  })

  test('that never ends', async () => {
    const error = await refusal('endless', built('sleep 1000'))
    expect(error.code).toBe('BUILD_TIMEOUT')
    expect(error.message).toMatch(/"build" did not end within 6 s/)
    expect(error.state).toMatch(/Nothing was deployed/)
  })

  test('that writes without end', async () => {
    const error = await refusal('writer', built('yes written-without-end > big'))
    expect(error.code).toBe('BUILD_DISK_FULL')
    expect(error.message).toMatch(/"build" wrote (a file of )?more than 80 MiB/)
    await until('its workspace to be gone', async () => names(platform, 'builds', 'work').length === 0)
  })

  test('that prints without end and without line breaks', async () => {
    const error = await refusal('shouter', built(`node -e "const x = 'x'.repeat(1000000); for (let i = 0; i < 20; i++) require('fs').writeSync(1, x); process.exit(9)"`))
    expect(error.code).toBe('BUILD_FAILED')
    expect(error.message).toMatch(/"build" exited with code 9/)
    expect(JSON.stringify(error).length).toBeLessThan(1_000_000)
  })
})

describe('a disk that is full', () => {
  test.each([['during the build', 'head -c 60000000 /dev/zero > big', 40], ['when the source is copied', 'true', 1]])('%s', async (_when, command, megabytes) => {
    const directory = mkdtempSync(join(tmpdir(), 'pavior-full-'))
    const builds = join(directory, 'home', 'builds')
    mkdirSync(builds, { recursive: true, mode: 0o700 })
    if (process.getuid!() !== 0 || spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', builds]).status !== 0) {
      rmSync(directory, { recursive: true, force: true })
      console.log('skipped: only root can mount a small disk here')
      return
    }
    const small = new Platform(join(directory, 'home'))
    onTestFinished(async () => {
      await small.stop()
      spawnSync('umount', [builds])
      rmSync(directory, { recursive: true, force: true })
    })
    await small.start()
    const files = built(command, { 'data.bin': 'x'.repeat(3 * mib) })
    const { code, stdout } = await small.cli(['deploy', '--json'], { directory: await appDirectory('full', files), timeoutMs: 60_000 })
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error.code).toBe('BUILD_DISK_FULL')
    await until('its workspace to be gone', async () => names(small, 'builds', 'work').length === 0)
    await small.json(['deploy'], { directory: await appDirectory('fits', webApp('fits')) })
    expect((await small.get('fits.localhost')).body).toBe('fits')
  })
})

describe('an app', () => {
  const statusOf = async (app: string) => (await observed(platform)).instances.filter(({ id }) => id.startsWith(`${app}-`))

  test('that ignores SIGTERM is ended after its grace, and the next release serves', async () => {
    const deaf: Record<string, string> = { ...webApp('deaf', `process.on('SIGTERM', () => console.log('heard and ignored'))`), 'pavior.yaml': 'processes:\n  web:\n    stopGraceSeconds: 1\n' }
    const listening = deaf['server.js']!.replace(/process.on\('SIGTERM', \(\) => server.*\n/, '')
    await platform.json(['deploy'], { directory: await appDirectory('deaf', { ...deaf, 'server.js': listening }) })
    const [old] = await statusOf('deaf')
    await platform.json(['deploy'], { directory: await appDirectory('deaf', webApp('hears')) })
    expect((await platform.get('deaf.localhost')).body).toBe('hears')
    await until('the old instance to be gone', async () => !(await statusOf('deaf')).some(({ id }) => id === old!.id))
    expect(() => process.kill(old!.pid!, 0)).toThrow()
  })

  test('that exits at once: the code and its last words', async () => {
    const error = await refusal('quitter', { ...webApp('x'), 'server.js': 'console.log("cannot find the database")\nprocess.exit(3)\n' })
    expect(error.code).toBe('PROCESS_EXITED')
    expect(error.message).toMatch(/quitter.*exited with code 3/)
    expect(JSON.stringify(error.facts)).toContain('cannot find the database')
  })

  test('that exits after a while is started again, and its status says why', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('tired', webApp('tired', 'setTimeout(() => { console.log("good night"); process.exit(5) }, 1500)')) })
    await until('a restart', async () => (await statusOf('tired')).some(({ restarts, lastExit }) => restarts >= 1 && lastExit?.code === 5))
    await until('it to answer again', async () => (await platform.get('tired.localhost')).body === 'tired')
    await platform.json(['destroy', 'tired', '--confirm', 'tired'])
  })

  test('that runs out of memory', async (context) => {
    const error = await refusal('hungry', { ...webApp('x'), 'server.js': 'const all = []\nfor (;;) all.push(Buffer.alloc(8 * 1024 * 1024, 1))\n', 'pavior.yaml': 'processes:\n  web:\n    memory: 96Mi\n' })
    if ((await observed(platform)).host.cgroup === 'none') return context.skip('without cgroups memory is looked at once a second only')
    expect(error.code).toBe('OUT_OF_MEMORY')
    expect(error.message).toMatch(/hungry/)
    expect(error.message).toMatch(/96 M/)
  })

  test('that prints 100 MB of logs, with and without line breaks, keeps a bounded log that can be read', async () => {
    const print = (unit: string): string => `for (let i = 0; i < 100; i++) require('fs').writeSync(1, ${unit}.repeat(1000))\nrequire('fs').writeSync(1, '\\nall told\\n')\n`
    await platform.json(['deploy'], { directory: await appDirectory('chatty', webApp('chatty', print(`('y'.repeat(999) + '\\n')`))) })
    await platform.json(['deploy'], { directory: await appDirectory('drone', webApp('drone', print(`'z'.repeat(1000)`))) })
    for (const app of ['chatty', 'drone']) {
      expect((await platform.get(`${app}.localhost`)).body).toBe(app)
      const { stdout } = await platform.cli(['logs', app, '--tail', '3'])
      expect(stdout).toContain('all told')
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(17_000)
    }
    const logs = join(platform.home, 'agent', 'logs')
    const bytes = readdirSync(logs, { recursive: true }).map((name) => join(logs, String(name))).filter((path) => /chatty|drone/.test(path)).reduce((sum, path) => sum + (statSync(path).isFile() ? statSync(path).blocks * 512 : 0), 0)
    expect(bytes).toBeLessThan(60 * mib)
  })
})
