import { lastWords, type TaskStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseBuilder, endStep, inputsOf, isSuperseded, problemOfStep, startStep, unreachableHost } from './plan.ts'
import type { Builder, BuildPlan, SourceFacts } from './ports.ts'

const limits = { timeoutMs: 5000, memoryBytes: 256 * 1024 ** 2, diskBytes: 100 * 1024 ** 2 }
const step = { name: 'build', command: ['make'] }
const ended = (more: Partial<TaskStatus>): TaskStatus => ({ id: 't', state: 'exited', startedAt: '', ...more })
const problem = (code: 'OUT_OF_MEMORY' | 'BUILD_TIMEOUT' | 'BUILD_DISK_FULL' | 'CANCELED' | 'START_FAILED' | 'INTERNAL') => ({ code, message: 'said the agent', fix: '' })

describe('a step that failed', () => {
  test.each<[string, Partial<TaskStatus>, string[], string, RegExp]>([
    ['memory', { problem: problem('OUT_OF_MEMORY') }, [], 'BUILD_OUT_OF_MEMORY', /more than 256 MiB/],
    ['memory, by its exit', { exit: { signal: 'SIGKILL', outOfMemory: true, at: '' } }, [], 'BUILD_OUT_OF_MEMORY', /256 MiB/],
    ['time', { problem: problem('BUILD_TIMEOUT') }, [], 'BUILD_TIMEOUT', /within 5 s/],
    ['disk limit', { problem: problem('BUILD_DISK_FULL') }, [], 'BUILD_DISK_FULL', /more than 100 MiB/],
    ['disk of the machine', { exit: { code: 1, at: '' } }, ['npm ERR! ENOSPC: no space left on device'], 'BUILD_DISK_FULL', /disk was full/],
    ['one large file', { exit: { code: 153, at: '' } }, [], 'BUILD_DISK_FULL', /a file of more than 100 MiB/],
    ['cancel', { problem: problem('CANCELED') }, [], 'BUILD_CANCELED', /cancelled/],
    ['no such program', { problem: problem('START_FAILED') }, [], 'BUILD_FAILED', /could not be started/],
    ['a reboot', { problem: problem('INTERNAL') }, [], 'BUILD_FAILED', /was lost/],
    ['an exit code', { exit: { code: 2, at: '' } }, ['tsc: 3 errors', ''], 'BUILD_FAILED', /exited with code 2/],
    ['a signal', { exit: { signal: 'SIGSEGV', at: '' } }, [], 'BUILD_FAILED', /ended by SIGSEGV/],
  ])('%s', (_why, task, lastLines, code, message) => {
    const told = problemOfStep({ step, task: ended(task), lastLines }, limits)
    expect(told.code).toBe(code)
    expect(told.message).toMatch(message)
    expect(told.fix.length).toBeGreaterThan(5)
    expect(told.state).toMatch(/what served before goes on serving/)
  })

  test.each([
    ['npm error request to https://registry.npmjs.org/x failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org', 'registry.npmjs.org'],
    ['Could not fetch specs from https://rubygems.org/ due to underlying error <SocketError: Failed to open TCP connection to rubygems.org:443 (getaddrinfo: Name or service not known)>', 'rubygems.org'],
    ['Could not reach host index.rubygems.org. Check your network connection and try', 'index.rubygems.org'],
    ['php_network_getaddresses: getaddrinfo for repo.packagist.org failed: Name or service not known', 'repo.packagist.org'],
    ['curl error 6 while downloading https://repo.packagist.org/packages.json: Could not resolve host: repo.packagist.org', 'repo.packagist.org'],
    ['Exception in thread "main" java.net.UnknownHostException: services.gradle.org', 'services.gradle.org'],
    ['Could not transfer artifact a:b from/to central (https://repo.maven.apache.org/maven2): repo.maven.apache.org: Name or service not known', 'repo.maven.apache.org'],
    ['go: dial tcp: lookup proxy.golang.org on 127.0.0.53:53: no such host', 'proxy.golang.org'],
    ["HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded (Caused by [Errno -2] Name or service not known)", 'pypi.org'],
  ])('%s names %s', (line, host) => {
    const told = problemOfStep({ step, task: ended({ exit: { code: 1, at: '' } }), lastLines: ['Resolving', line, '    at somewhere'] }, limits)
    expect(told.message).toContain(`could not reach ${host}`)
    expect(told.fix).toContain('HTTPS_PROXY')
  })

  test.each([
    [['Error: next/font: error:', 'Failed to fetch Geist Mono from Google Fonts.', 'Import trace:', '    at ignore-listed frames'], 'Failed to fetch Geist Mono from Google Fonts.'],
    [['[ERROR] Failed to execute goal a:compile: Compilation failure -> [Help 1]', '[ERROR] ', '[ERROR] Re-run Maven using the -X switch', '[ERROR] [Help 1] http://x'], '[ERROR] Failed to execute goal a:compile: Compilation failure -> [Help 1]'],
    [['npm error code 1', 'npm error A complete log of this run can be found in: /x'], 'npm error code 1'],
    [['FAILURE: Build failed with an exception.', '', '* What went wrong:', 'Plugin x needs Gradle 8.', '', '* Try:', 'BUILD FAILED in 10s'], 'Plugin x needs Gradle 8.'],
    [['done so far', 'bye'], 'bye'],
  ])('of %j says %s', (lastLines, why) => {
    expect(problemOfStep({ step, task: ended({ exit: { code: 1, at: '' } }), lastLines }, limits).why).toBe(why)
  })

  test('is told without the frames of a stack, however long it is', () => {
    const frames = Array.from({ length: 150 }, (_, number) => `\tat java.base/sun.net.Something(${number}.java:1)`)
    const lines = [...Array.from({ length: 30 }, (_, number) => `line ${number}`), 'Exception in thread "main" java.net.UnknownHostException: services.gradle.org', ...frames, '\t... 11 more']
    expect(lastWords(lines, 20)).toHaveLength(20)
    expect(unreachableHost(lastWords(lines, 20))).toBe('services.gradle.org')
  })

  test('says its last line', () => {
    expect(problemOfStep({ step, task: ended({ exit: { code: 1, at: '' } }), lastLines: ['tsc: 3 errors', ''] }, limits).why).toBe('tsc: 3 errors')
  })
})

const summary = fc.record({ app: fc.constantFrom('a', 'b'), environment: fc.constantFrom(undefined, 'production', 'staging'), number: fc.integer({ min: 1, max: 9 }) })

describe('superseding', () => {
  test('of builds of one app and environment, exactly the latest is wanted', () => {
    fc.assert(
      fc.property(fc.uniqueArray(summary, { minLength: 1, selector: ({ number }) => number }), (builds) => {
        const wanted = builds.filter((build) => !isSuperseded(build, builds))
        const groups = new Set(builds.map(({ app, environment }) => `${app}/${environment}`))
        expect(wanted.map(({ app, environment }) => `${app}/${environment}`).toSorted()).toEqual([...groups].toSorted())
        for (const build of wanted) for (const other of builds) if (other.app === build.app && other.environment === build.environment) expect(other.number).toBeLessThanOrEqual(build.number)
      }),
    )
  })
})

test('steps keep their order, one of each name, with their start', () => {
  const steps = endStep(startStep(endStep(startStep([], 'install', 't1'), 'install', 'done', 't2'), 'build', 't3'), 'build', 'failed', 't4', 'why')
  expect(steps).toEqual([
    { name: 'install', state: 'done', startedAt: 't1', finishedAt: 't2' },
    { name: 'build', state: 'failed', startedAt: 't3', finishedAt: 't4', message: 'why' },
  ])
  expect(startStep(steps, 'install', 't5').map(({ name }) => name)).toEqual(['build', 'install'])
})

const source: SourceFacts = { paths: ['main.x'], texts: {}, settings: {} }
const builder = (name: string, detects: boolean): Builder => ({ name, reads: [], tools: [], detect: () => (detects ? 'because' : undefined), plan: () => plan })
const plan: BuildPlan = { summary: '', steps: [step], layers: [], env: {}, runtimeEnv: {}, processes: {}, tools: [], runtimeTools: [] }

describe('the builder', () => {
  test('is the first that recognises the source, or the one that is named', () => {
    const builders = [builder('one', false), builder('two', true), builder('three', true)]
    expect(chooseBuilder(builders, source).builder.name).toBe('two')
    expect(chooseBuilder(builders, { ...source, settings: { builder: 'three' } }).builder.name).toBe('three')
    expect(() => chooseBuilder(builders, { ...source, settings: { builder: 'four' } })).toThrow(/no builder "four"/)
    expect(() => chooseBuilder([builder('one', false)], source)).toThrow(/No builder recognises/)
  })
})

test('inputs change with everything that decides what comes out, and with nothing else', () => {
  const own = inputsOf('sha256:a', 'node', source, plan)
  expect(inputsOf('sha256:a', 'node', { ...source, paths: ['other'] }, { ...plan, summary: 'other words' })).toBe(own)
  const others = [
    inputsOf('sha256:b', 'node', source, plan),
    inputsOf('sha256:a', 'static', source, plan),
    inputsOf('sha256:a', 'node', { ...source, settings: { directory: 'web' } }, plan),
    inputsOf('sha256:a', 'node', source, { ...plan, steps: [] }),
    inputsOf('sha256:a', 'node', source, { ...plan, env: { A: '1' } }),
    inputsOf('sha256:a', 'node', source, { ...plan, tools: [{ name: 'node', version: '22', path: '/n', mounts: [] }] }),
    inputsOf('sha256:a', 'node', source, { ...plan, output: 'dist' }),
  ]
  expect(new Set([own, ...others]).size).toBe(others.length + 1)
})
