/** The main job as its user does it: commands of the CLI and of git, requests through the router. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { alive, appDirectory, newPlatform, root, until, webApp, writeFiles, type Platform } from './platform.ts'

let platform: Platform

beforeAll(async () => {
  platform = await newPlatform()
})

describe('deploy', () => {
  test('a directory becomes a live app, and unchanged sources are not built again', async () => {
    const directory = join(root, 'examples/hello-node')
    const first = await platform.json(['deploy'], { directory })
    expect(first).toMatchObject({ app: 'hello-node', team: 'default', environment: 'production', release: 'v1', artifact: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
    expect(Object.keys(first.durations).toSorted()).toEqual(['build', 'rollout', 'total', 'upload'])
    expect(await platform.get('hello-node.localhost')).toMatchObject({ status: 200, body: 'Hello from hello-node v1\n' })
    expect((await platform.get('hello-node.default.localhost')).status).toBe(200)
    const second = await platform.json(['deploy'], { directory })
    expect(second).toMatchObject({ release: 'v2', artifact: first.artifact })
    const builds = await platform.json(['get', 'builds'])
    expect(builds.find((build: any) => build.metadata.name === second.build).status.reused).toBe(true)
  })

  test('an app that does not start leaves the old release serving and says why', async () => {
    const directory = await appDirectory('fragile', webApp('one'))
    await platform.json(['deploy'], { directory })
    await writeFiles(directory, { 'server.js': 'console.log("about to fail")\nprocess.exit(7)\n' })
    const failed = await platform.cli(['deploy'], { directory })
    expect(failed.code).toBe(1)
    expect(failed.stderr).toMatch(/PROCESS_EXITED .*exited with code 7/)
    expect(failed.stderr).toContain('about to fail')
    expect(failed.stderr).toContain('v1 keeps serving')
    expect((await platform.get('fragile.localhost')).body).toBe('one')
  })

  test('an app on the wrong port is told which port it listens on instead', async () => {
    const directory = await appDirectory('wrong-port', {
      'package.json': '{"scripts":{"start":"node server.js"}}',
      'server.js': `const s = require('http').createServer((q, r) => r.end('x')); s.listen(0, () => console.log('on ' + s.address().port))`,
      'pavior.yaml': 'processes:\n  web:\n    startTimeoutSeconds: 2\n',
    })
    const failed = await platform.cli(['deploy', '--json'], { directory })
    expect(failed.code).toBe(1)
    const { error } = JSON.parse(failed.stdout)
    expect(error.code).toBe('PORT_NOT_BOUND')
    expect(error.message).toMatch(/listens on \d+ instead/)
  })

  test('sources that nothing recognises, broken manifests and reserved names are refused with what to do', async () => {
    const nothing = await platform.cli(['deploy', '--json'], { directory: await appDirectory('nothing', { 'notes.txt': 'x' }) })
    expect([nothing.code, JSON.parse(nothing.stdout).error.code]).toEqual([1, 'NOT_DETECTED'])
    const broken = await platform.cli(['deploy', '--json'], { directory: await appDirectory('broken', { ...webApp('x'), 'pavior.yaml': 'processes:\n  web:\n    replicaz: 2\n' }) })
    expect([broken.code, JSON.parse(broken.stdout).error.code]).toEqual([2, 'MANIFEST_INVALID'])
    expect(broken.stdout).toContain('replicaz')
    const reserved = await platform.cli(['deploy', '--json', '--app', 'www'], { directory: await appDirectory('x', webApp('x')) })
    expect([reserved.code, JSON.parse(reserved.stdout).error.code]).toEqual([2, 'NAME_RESERVED'])
    const long = await platform.cli(['deploy', '--json', '--app', 'a'.repeat(41)], { directory: await appDirectory('x', webApp('x')) })
    expect([long.code, JSON.parse(long.stdout).error.code]).toEqual([2, 'NAME_INVALID'])
  })
})

describe('git', () => {
  test('a push deploys, a failed deploy fails the push, other branches are kept', async () => {
    const directory = await appDirectory('pushed', webApp('pushed once'))
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: directory, env: { ...platform.environment, GIT_TERMINAL_PROMPT: '0' }, encoding: 'utf8', stdio: 'pipe' })
    git('init', '-q', '-b', 'main')
    git('config', 'user.email', 'ada@example.com')
    git('config', 'user.name', 'Ada')
    git('add', '-A')
    git('commit', '-qm', 'first')
    expect((await platform.cli(['init'], { directory })).code).toBe(0)
    git('push', '-q', 'pavior', 'main')
    expect((await platform.get('pushed.localhost')).body).toBe('pushed once')
    await writeFiles(directory, { 'server.js': 'process.exit(1)\n' })
    git('commit', '-qam', 'broken')
    expect(() => git('push', 'pavior', 'main')).toThrow(/pre-receive hook declined/)
    expect((await platform.get('pushed.localhost')).body).toBe('pushed once')
    git('push', '-q', 'pavior', 'main:idea')
    expect(git('ls-remote', 'pavior')).toMatch(/refs\/heads\/idea/)
    const releases = await platform.json(['releases', '--app', 'pushed'])
    expect(releases.at(-1).spec.revision).toMatchObject({ type: 'git', message: 'first', author: 'Ada <ada@example.com>' })
  })
})

describe('life of an app', () => {
  test('configuration, scale, restart, rollback, logs, one-off commands, destroy', async () => {
    const files = webApp('', `console.log('started with ' + process.env.COLOR)`)
    const directory = await appDirectory('colour', { ...files, 'server.js': files['server.js']!.replace('""', '"colour " + process.env.COLOR') })
    await platform.json(['deploy'], { directory })
    await platform.json(['config', 'set', 'COLOR=red', '--app', 'colour'])
    expect((await platform.get('colour.localhost')).body).toBe('colour red')
    await platform.json(['config', 'set', 'COLOR=blue', '--app', 'colour'])
    expect((await platform.get('colour.localhost')).body).toBe('colour blue')

    await platform.json(['rollback', 'v2', '--app', 'colour'])
    expect((await platform.get('colour.localhost')).body).toBe('colour red')

    await platform.json(['scale', 'web=3', '--app', 'colour'])
    const before = (await platform.json(['ps', '--app', 'colour'])).filter((row: any) => row.state === 'healthy')
    expect(before).toHaveLength(3)
    expect((await platform.get('colour.localhost')).body).toBe('colour red')

    await platform.json(['restart', '--app', 'colour'])
    const old = new Set(before.map((row: any) => row.id))
    await until('three new instances', async () => {
      const rows = await platform.json(['ps', '--app', 'colour'])
      return rows.filter((row: any) => row.state === 'healthy' && !old.has(row.id)).length === 3
    })

    const logs = await platform.cli(['logs', 'colour', '--tail', '50'])
    expect(logs.stdout).toContain('started with red')
    const run = await platform.cli(['run', '--app', 'colour', 'echo "colour is $COLOR"; exit 5'])
    expect([run.code, run.stdout.trim()]).toEqual([5, 'colour is red'])
    expect((await platform.cli(['run', '--app', 'colour', 'cat'], { input: 'through and back' })).stdout).toBe('through and back')

    expect((await platform.cli(['destroy', 'colour'])).code).toBe(2)
    await platform.json(['destroy', 'colour', '--confirm', 'colour'])
    expect((await platform.get('colour.localhost')).status).toBe(404)
    for (const kind of ['releases', 'deployments', 'instancesets', 'routes', 'builds']) {
      expect(await platform.json(['get', kind, '--field-selector', 'spec.app=colour'])).toEqual([])
    }
  })

  test('the release process runs before traffic moves, and its failure stops the rollout', async () => {
    const directory = await appDirectory('migrating', { ...webApp('served'), Procfile: 'web: node server.js\nrelease: echo migrating && test "$BREAK" != yes\nworker: sleep 1000\n' })
    const { release } = await platform.json(['deploy'], { directory })
    expect(release).toBe('v1')
    const sets = await platform.json(['get', 'instancesets', '--field-selector', 'spec.app=migrating'])
    expect(sets.map((set: any) => set.spec.process).toSorted()).toEqual(['web', 'worker'])
    const failed = await platform.cli(['config', 'set', 'BREAK=yes', '--app', 'migrating', '--json'])
    expect(JSON.parse(failed.stdout).error.code).toBe('RELEASE_PHASE_FAILED')
    expect((await platform.get('migrating.localhost')).body).toBe('served')
  })
})

describe('the command', () => {
  test('explains, describes, applies and prints what kubectl needs', async () => {
    expect((await platform.cli(['explain', 'app.spec.processes.memory'])).stdout).toContain('Memory limit of one instance')
    expect((await platform.cli(['describe', 'team', 'default'])).stdout).toContain('displayName: Default team')
    const applied = await platform.cli(['apply', '-f', '-'], { input: 'kind: Environment\nmetadata:\n  name: staging\nspec:\n  tier: staging\n' })
    expect(applied.code, applied.stderr).toBe(0)
    const directory = await appDirectory('staged', webApp('staged'))
    const { url } = await platform.json(['deploy', '--environment', 'staging'], { directory })
    expect(url).toMatch(/^http:\/\/staging--staged\.default\.localhost:/)
    const unknown = await platform.cli(['deploy', '--environment', 'nowhere', '--json'], { directory })
    expect(JSON.parse(unknown.stdout).error.code).toBe('NOT_FOUND')
    expect((await platform.cli(['kubeconfig'])).stdout).toContain('current-context: pavior')
    expect((await platform.cli(['nonsense'])).code).toBe(2)
  })

  test('a second start on the same home is refused and names the running process', async () => {
    const second = await platform.cli(['up', '--port', '0', '--router-port', '0', '--json'])
    expect(second.code).toBe(2)
    expect(JSON.parse(second.stdout).error).toMatchObject({ code: 'ALREADY_RUNNING', message: expect.stringContaining(String(platform.upPid)) })
  })

  test('a stop leaves no process behind', async () => {
    const pids = (await platform.processes()).map(({ pid }) => pid)
    const instances = (await platform.json(['ps', '--app', 'hello-node'])).map((row: any) => row.pid)
    await platform.stop()
    await until('all processes to be gone', async () => [...pids, ...instances].every((pid) => !alive(pid)))
  })
})
