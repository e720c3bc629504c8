/** Apps that are known by a Dockerfile: built by podman, stored as artifacts, run under the supervisor like every other. */
import { cpSync, existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { killServer, names, observed, ofApp } from './faults.ts'
import { newGate, type Gate } from './gate.ts'
import { imagesLack, writeBaseImage } from './images.ts'
import { appDirectory, newPlatform, newPlatformWith, root, until, type Platform } from './platform.ts'

const lack = imagesLack()
if (lack !== undefined) console.log(`skipped: building and running a Dockerfile, since ${lack}`)

let platform: Platform
let gate: Gate

beforeAll(async () => {
  if (lack !== undefined) return
  gate = await newGate()
  platform = await newPlatform()
  giveBaseImage(platform)
})

function giveBaseImage({ home }: Platform): void {
  writeBaseImage(join(home, 'images/archives/node.tar'), 'docker.io/library/node:22-slim', ['sh', 'cat', 'id', 'ls', 'mkdir', 'sleep', 'node'])
}

const server = `require('node:http').createServer((request, response) => response.end(process.argv[2] ?? 'plain')).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))`

async function copyOfExample(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  cpSync(join(root, 'examples/dockerfile'), join(parent, 'boxed'), { recursive: true })
  return join(parent, 'boxed')
}

const errorOf = (stdout: string): { code: string; message: string; why: string; fix: string } => JSON.parse(stdout).error

describe.skipIf(lack !== undefined)('a Dockerfile', () => {
  test('the example is built in its stages and answers; unchanged, it is not built again', async () => {
    const directory = await copyOfExample()
    const first = await platform.json<{ artifact: string; url: string }>(['deploy'], { directory })
    expect(await platform.get('boxed.localhost')).toMatchObject({ status: 200, body: 'Hello from a container image, built in its own stage, run by node. Visits: 1\n' })
    const [release] = await ofApp(platform, 'releases', 'boxed')
    expect(release.spec).toMatchObject({
      image: { directory: '/srv', user: 'node', home: '/home/node', ports: [3000] },
      processes: { web: { command: 'node server.js' } },
      env: { NODE_ENV: 'production' },
    })
    const again = await platform.json<{ artifact: string }>(['deploy'], { directory })
    expect(again.artifact).toBe(first.artifact)
    expect((await ofApp(platform, 'builds', 'boxed')).find(({ metadata }) => metadata.name === 'boxed-build-2').status.reused).toBe(true)
    // Another app with the same source: layers of the store, and the same digest.
    const other = await platform.json<{ artifact: string; durations: { build: number } }>(['deploy', '--app', 'boxed-too'], { directory })
    expect(other.artifact).toBe(first.artifact)
    expect(names(platform, 'builds', 'work')).toEqual([])
  })

  test('logs, run, the release process and a Procfile work as for every app', async () => {
    const files = { Dockerfile: 'FROM node:22-slim\nWORKDIR /srv\nCOPY . .\nCMD ["node", "serve.cjs"]\n', 'serve.cjs': `console.log('up in', process.cwd())\n${server}`, Procfile: 'web: node serve.cjs "from the Procfile"\nrelease: cat /etc/passwd\n' }
    const directory = await appDirectory('filed', files)
    await platform.json(['deploy'], { directory })
    expect((await platform.get('filed.localhost')).body).toBe('from the Procfile')
    expect((await platform.cli(['logs', 'filed'])).stdout).toContain('up in /srv')
    const { code, stdout } = await platform.cli(['run', '--app', 'filed', 'id -un; echo changed >serve.cjs && cat serve.cjs'], { directory })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^app\nchanged\n/)])
    expect((await platform.get('filed.localhost')).body).toBe('from the Procfile')
  })

  test('a program alone, without a shell, runs from scratch', async () => {
    const directory = await appDirectory('bare', { Dockerfile: 'FROM node:22-slim AS all\nFROM scratch\nCOPY --from=all /lib /lib\nCOPY --from=all /lib64 /lib64\nCOPY --from=all /bin/node /node\nCOPY serve.cjs /\nENTRYPOINT ["/node", "/serve.cjs"]\nCMD ["it\'s bare"]\n', 'serve.cjs': server })
    await platform.json(['deploy'], { directory })
    expect((await platform.get('bare.localhost')).body).toBe("it's bare")
  })

  test('build arguments come from build.env', async () => {
    const directory = await appDirectory('argued', { Dockerfile: 'FROM node:22-slim\nARG WORD\nRUN echo "$WORD" >/word\nCOPY serve.cjs /\nCMD ["sh", "-c", "exec node /serve.cjs \\"$(cat /word)\\""]\n', 'serve.cjs': server, 'pavior.yaml': 'build:\n  env:\n    WORD: argued\n' })
    await platform.json(['deploy'], { directory })
    expect((await platform.get('argued.localhost')).body).toBe('argued')
  })

  test('a step that fails says what it said, and what served goes on serving', async () => {
    const good = { Dockerfile: 'FROM node:22-slim\nCOPY serve.cjs /\nCMD ["node", "/serve.cjs"]\n', 'serve.cjs': server }
    await platform.json(['deploy'], { directory: await appDirectory('broken', good) })
    const bad = await appDirectory('broken', { ...good, Dockerfile: 'FROM node:22-slim\nRUN echo "the reason" && false\nCMD ["node"]\n' })
    const { code, stdout } = await platform.cli(['deploy', '--json'], { directory: bad })
    expect(code).toBe(1)
    const error = errorOf(stdout)
    expect(error.code).toBe('BUILD_FAILED')
    expect(error.why).toMatch(/^RUN echo "the reason" && false failed: .*the reason$/s)
    expect((await platform.get('broken.localhost')).body).toBe('plain')
  })

  test('a base image that cannot be had is named, with how to bring it', async () => {
    const { stdout } = await platform.cli(['deploy', '--json'], { directory: await appDirectory('baseless', { Dockerfile: 'FROM 127.0.0.1:9/nowhere/nothing:1\nCMD ["x"]\n' }) })
    const error = errorOf(stdout)
    expect([error.code, error.message]).toEqual(['BASE_IMAGE_UNAVAILABLE', 'The base image 127.0.0.1:9/nowhere/nothing:1 could not be had.'])
    expect(error.why).toMatch(/registry 127\.0\.0\.1:9 could not be reached/)
    expect(error.fix).toContain('images/archives')
  })

  test('a server that keeps to its exposed port is told which one it bound', async () => {
    const files = { Dockerfile: 'FROM node:22-slim\nCOPY serve.cjs /\nEXPOSE 39187\nCMD ["node", "/serve.cjs"]\n', 'serve.cjs': server.replace('process.env.PORT', '39187'), 'pavior.yaml': 'processes:\n  web:\n    startTimeoutSeconds: 2\n' }
    const { stdout } = await platform.cli(['deploy', '--json'], { directory: await appDirectory('stubborn', files) })
    expect(errorOf(stdout)).toMatchObject({ code: 'PORT_NOT_BOUND', message: expect.stringMatching(/it listens on 39187 instead/), why: expect.stringContaining('EXPOSE 39187'), fix: expect.stringContaining('PORT') })
  })

  test('kill -9 of the server during the build: it goes on and ends, nothing is done twice', async () => {
    gate.close('boxed-build')
    const knock = `fetch('${gate.url('boxed-build')}').then((answer) => answer.text())`
    const directory = await appDirectory('killed', { Dockerfile: 'FROM node:22-slim\nCOPY . /\nRUN node /knock.js\nCMD ["node", "/serve.cjs"]\n', 'knock.js': knock, 'serve.cjs': server })
    const deploying = platform.json(['deploy'], { directory })
    await gate.arrived('boxed-build')
    await killServer(platform)
    gate.open('boxed-build')
    expect(await deploying).toMatchObject({ app: 'killed', release: 'v1' })
    expect((await platform.get('killed.localhost')).body).toBe('plain')
    expect(gate.count('boxed-build')).toBe(1)
  })

  test('a cancelled build leaves no process, no container and no workspace', async () => {
    gate.close('stopped-build')
    const knock = `fetch('${gate.url('stopped-build')}').then((answer) => answer.text())`
    const directory = await appDirectory('stopped', { Dockerfile: 'FROM node:22-slim\nCOPY . /\nRUN node /knock.js\nCMD ["node", "/serve.cjs"]\n', 'knock.js': knock, 'serve.cjs': server })
    const deploying = platform.cli(['deploy', '--json'], { directory })
    await gate.arrived('stopped-build')
    await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/builds/stopped-build-1', { spec: { canceled: true } }, { 'content-type': 'application/merge-patch+json' })
    expect(errorOf((await deploying).stdout).code).toBe('BUILD_CANCELED')
    await until('the task to end', async () => !(await observed(platform)).tasks.some(({ state }) => state === 'running'))
    await until('the workspaces to be gone', async () => names(platform, 'builds', 'work').length === 0)
    gate.open('stopped-build')
    // The next build clears away what the cancelled one left.
    await platform.json(['deploy', '--app', 'after'], { directory: await appDirectory('after', { Dockerfile: 'FROM node:22-slim\nCOPY . /\nCMD ["node", "/serve.cjs"]\n', 'serve.cjs': server }) })
    expect(existsSync(join(platform.home, 'images/store/lock'))).toBe(true)
    expect(names(platform, 'images', 'store', 'storage', 'overlay-containers').filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([])
  })
})

describe.skipIf(lack !== undefined)('limits of a Dockerfile build', () => {
  let limited: Platform
  beforeAll(async () => {
    limited = await newPlatformWith({ PAVIOR_BUILD_MEMORY_MIB: '400', PAVIOR_BUILD_DISK_MIB: '600', PAVIOR_BUILD_TIMEOUT_SECONDS: '15', PAVIOR_BUILD_CONCURRENCY: '2' })
    giveBaseImage(limited)
  })

  const run = (script: string): Record<string, string> => ({ Dockerfile: 'FROM node:22-slim\nCOPY . /\nRUN node /step.cjs\nCMD ["node", "/serve.cjs"]\n', 'step.cjs': script, 'serve.cjs': server })
  const failure = async (app: string, script: string): Promise<string> => errorOf((await limited.cli(['deploy', '--json'], { directory: await appDirectory(app, run(script)) })).stdout).code

  test('two at once share the store', async () => {
    const directories = await Promise.all(['one', 'two'].map((app) => appDirectory(app, run(`console.log('${app}')`))))
    await Promise.all(directories.map((directory) => limited.json(['deploy'], { directory })))
    expect((await limited.get('one.localhost')).body + (await limited.get('two.localhost')).body).toBe('plainplain')
  })

  test('memory', async () => {
    expect(await failure('hungry', 'const kept = []; for (;;) kept.push(Buffer.alloc(10_000_000, 1))')).toBe('BUILD_OUT_OF_MEMORY')
  })

  test('disk', async () => {
    expect(await failure('greedy', "for (let i = 0; ; i++) require('fs').writeFileSync('/file' + i, Buffer.alloc(10_000_000, 1))")).toBe('BUILD_DISK_FULL')
  })

  test('time', async () => {
    expect(await failure('endless', 'setInterval(() => {}, 1000)')).toBe('BUILD_TIMEOUT')
    await until('the task to end', async () => !(await observed(limited)).tasks.some(({ state }) => state === 'running'))
  })
})
