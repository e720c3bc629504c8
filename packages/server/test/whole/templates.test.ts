import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { serverPid } from './faults.ts'
import { newPlatform, appDirectory, until, writeFiles, type CliResult, type Platform } from './platform.ts'

const run = promisify(execFile)
const hello = `const server = require('http').createServer((request, response) => response.end('\${{ values.greeting }}'))
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

/** A small template without dependencies. `over` replaces files, `steps` follow the first two. */
function templateFiles(name: string, { version = '1.0.0', files = {}, more = '' }: { version?: string; files?: Record<string, string>; more?: string } = {}): Record<string, string> {
  return {
    'template.yaml': `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata:
  name: ${name}
  title: ${name}
  annotations: { pavior.dev/version: ${version}, pavior.dev/notes: Notes of ${version}. }
spec:
  type: service
  parameters:
    - title: What is it?
      required: [name, greeting]
      properties:
        name: { type: string, pattern: '^[a-z][-a-z0-9]*$' }
        greeting: { type: string, maxLength: 50 }
        folder: { type: string, default: docs }
  steps:
    - { id: fetch, name: Write the code, action: 'fetch:template', input: { url: ./skeleton, values: { name: '\${{ parameters.name }}', greeting: '\${{ parameters.greeting }}', folder: '\${{ parameters.folder }}' } } }
    - { id: publish, name: Publish, action: 'publish:pavior', input: { name: '\${{ parameters.name }}' } }
    - { id: register, name: Register, action: 'catalog:register', input: { optional: true } }
    - { id: deploy, name: Deploy, action: 'pavior:deploy', input: { app: '\${{ steps.publish.output.app }}', commit: '\${{ steps.publish.output.commit }}' } }
${more}  output:
    links: [{ title: Open, url: '\${{ steps.deploy.output.url }}' }]
`,
    'skeleton/package.json': JSON.stringify({ name: '${{ values.name }}', private: true, scripts: { start: 'node server.js' } }),
    'skeleton/server.js': hello,
    'skeleton/README.md': '# ${{ values.name }}\n\nFirst line.\n\nLast line.\n',
    'skeleton/${{ values.folder }}/index.md': '# ${{ values.name }}\n',
    ...Object.fromEntries(Object.entries(files).filter(([, text]) => text !== '')),
  }
}

let platform: Platform

beforeAll(async () => {
  platform = await newPlatform()
})

async function publish(files: Record<string, string>, ...flags: string[]): Promise<CliResult> {
  const directory = await appDirectory('template', files)
  return platform.cli(['template', 'publish', directory, ...flags])
}

const make = (template: string, name: string, ...flags: string[]): Promise<CliResult> => platform.cli(['new', template, '--set', `name=${name}`, '--set', 'greeting=hi', ...flags])
const runsOf = async (app: string): Promise<any[]> => ((await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/templateruns?fieldSelector=spec.app%3D${app}`)).body as { items: any[] }).items
const appOf = async (name: string): Promise<{ status: number; body: any }> => platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/apps/${name}`)

/** A clone of what the platform hosts. */
async function cloneOf(app: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-clone-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const url = new URL(platform.url)
  await run('git', ['clone', '--quiet', `http://pavior:${await platform.token()}@${url.host}/git/default/${app}.git`, directory])
  return directory
}

describe('from a template to an app that is live', () => {
  test('one command gives repository, code, owner and URL; the app remembers where it came from', async () => {
    expect((await publish(templateFiles('plain'))).stdout).toContain('plain 1.0.0: 5 files, 4 steps; published.')
    const preview = await platform.json<{ files: { path: string; content: string }[]; app: string }>(['new', 'plain', '--set', 'name=first', '--set', 'greeting=hi', '--dry-run'])
    expect(preview.files.map(({ path }) => path)).toEqual(['README.md', 'docs/index.md', 'package.json', 'server.js'])
    expect((await appOf('first')).status).toBe(404)

    const made = await platform.json<{ url: string; repository: string; ms: number }>(['new', 'plain', '--set', 'name=first', '--set', 'greeting=hi'])
    expect(made.ms).toBeLessThan(60_000)
    expect((await platform.get('first.localhost')).body).toBe('hi')
    expect((await appOf('first')).body.metadata.annotations).toMatchObject({ 'pavior.dev/template': 'default/plain', 'pavior.dev/template-version': '1.0.0' })
    const clone = await cloneOf('first')
    expect(await readFile(join(clone, '.pavior/template.yaml'), 'utf8')).toContain('greeting: hi')
    expect((await run('git', ['-C', clone, 'log', '--format=%s|%an'])).stdout).toBe('Begin from template plain 1.0.0|user:admin\n')
    const fleet = await platform.json<{ items: unknown[] }>(['template', 'fleet', 'plain'])
    expect(fleet.items).toEqual([expect.objectContaining({ app: 'first', version: '1.0.0', behind: false })])
  })

  test('a server that is killed in the middle goes on and does nothing twice', async () => {
    await publish(templateFiles('durable'))
    const begun = await platform.api('POST', '/v1/teams/default/templates/durable/runs', { answers: { name: 'tough', greeting: 'hi' } })
    const name = String(begun.body.metadata.name)
    const steps = async (): Promise<{ id: string; state: string }[]> => (await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/templateruns/${name}`)).body.status?.steps ?? []
    for (const id of ['publish', 'deploy']) {
      await until(`step ${id} to begin`, async () => (await steps()).some((step) => step.id === id && step.state !== 'pending'))
      const before = await serverPid(platform)
      process.kill(before, 'SIGKILL')
      await until('another server', async () => (await serverPid(platform)) !== before && (await platform.api('GET', '/v1/whoami')).status === 200)
    }
    await until('the run to end', async () => (await runsOf('tough'))[0]?.status?.phase === 'Succeeded', 90_000)
    expect((await platform.get('tough.localhost')).body).toBe('hi')
    const builds = (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/builds?fieldSelector=spec.app%3Dtough')).body.items
    expect(builds).toHaveLength(1)
    expect((await run('git', ['-C', await cloneOf('tough'), 'rev-list', '--count', 'main'])).stdout.trim()).toBe('1')
  })
})

describe('refusals and failures', () => {
  test('a missing or wrong answer is named before anything is made', async () => {
    await publish(templateFiles('asks'))
    const { body, status } = await platform.api('POST', '/v1/teams/default/templates/asks/runs', { answers: { name: 'Bad Name', colour: 'red' } })
    expect(status).toBe(422)
    expect(body.details.pavior.code).toBe('ANSWERS_INVALID')
    expect(body.details.pavior.causes.map(({ field }: { field: string }) => field).toSorted()).toEqual(['colour', 'greeting', 'name'])
    expect(await platform.cli(['new', 'asks', '--set', 'name=x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('ANSWERS_INVALID') })
  })

  test('a name that is taken between form and run is said, and the other app stays', async () => {
    await publish(templateFiles('taken'))
    const form = await platform.api('POST', '/v1/teams/default/templates/taken/runs?dryRun=All', { answers: { name: 'mine', greeting: 'hi' } })
    expect(form.status).toBe(200)
    const body = { answers: { name: 'mine', greeting: 'hi' } }
    const both = await Promise.all([1, 2].map(() => platform.api('POST', '/v1/teams/default/templates/taken/runs', body)))
    const begun = both.filter(({ status }) => status === 201).length
    await until('all runs to end', async () => (await runsOf('mine')).filter(({ status }) => ['Succeeded', 'Failed'].includes(status?.phase)).length === begun, 60_000)
    const runs = await runsOf('mine')
    expect(runs.filter(({ status }) => status.phase === 'Succeeded')).toHaveLength(1)
    for (const { status } of runs) if (status.phase === 'Failed') expect(status.problem.code).toBe('NAME_TAKEN')
    expect((await platform.get('mine.localhost')).body).toBe('hi')
    expect(await make('taken', 'mine')).toMatchObject({ code: 2, stderr: expect.stringContaining('NAME_TAKEN') })
  })

  test('a first deployment that fails is told with its reason, and everything is taken back', async () => {
    await publish(templateFiles('broken', { files: { 'skeleton/server.js': 'throw new Error("no luck")\n' } }))
    const { code, stderr } = await make('broken', 'unlucky')
    expect(code).toBe(1)
    expect(stderr).toContain('PROCESS_EXITED')
    expect(stderr).toContain('taken back')
    const [one] = await runsOf('unlucky')
    expect(one.status.steps.map(({ state }: { state: string }) => state)).toEqual(['done', 'undone', 'undone', 'failed'])
    await until('the app to be gone', async () => (await appOf('unlucky')).status === 404)
  })

  test('hostile templates and answers', async () => {
    const refused = async (name: string, files: Record<string, string>): Promise<string> => {
      await publish(templateFiles(name, { files }))
      const { stderr } = await make(name, `${name}-app`)
      expect((await appOf(`${name}-app`)).status).toBe(404)
      return stderr
    }
    const loop = '{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}'
    expect(await refused('looping', { 'skeleton/x': loop })).toContain('TEMPLATE_LIMIT')
    expect(await refused('executing', { 'skeleton/x': '${{ "".constructor.constructor("return process")().exit() }}' })).toContain('TEMPLATE_RENDER_FAILED')
    expect(await refused('polluting', { 'skeleton/x': '${{ values.__proto__ }}' })).toContain('cannot be reached')
    expect(await refused('hooking', { 'skeleton/.${{ "git" }}/hooks/post-checkout': 'x' })).toContain('TEMPLATE_UNSAFE_PATH')
    await publish(templateFiles('escaping'))
    expect((await make('escaping', 'escaping-app', '--set', 'folder=../../etc')).stderr).toContain('TEMPLATE_UNSAFE_PATH')
    expect((await make('escaping', 'escaping-app', '--set', 'folder=/etc')).stderr).toMatch(/TEMPLATE_UNSAFE_PATH|ANSWERS_INVALID/)
  })

  test('unknown actions and filters are refused by name when the template is published', async () => {
    const action = await publish(templateFiles('acting', { more: "    - { id: gh, name: x, action: 'publish:github', input: {} }\n" }))
    expect(action).toMatchObject({ code: 2, stderr: expect.stringMatching(/publish:github[\s\S]*publish:pavior/) })
    const filter = await publish(templateFiles('filtering', { files: { 'skeleton/x': '${{ values.name | sparkle }}' } }))
    expect(filter).toMatchObject({ code: 2, stderr: expect.stringMatching(/sparkle[\s\S]*parseRepoUrl/) })
  })

  test('50 MB of template are refused, and the same version cannot change', async () => {
    const directory = await appDirectory('large', templateFiles('large'))
    const { randomBytes } = await import('node:crypto')
    await writeFile(join(directory, 'skeleton', 'large.bin'), randomBytes(50 * 1024 * 1024))
    const { code, stderr } = await platform.cli(['template', 'publish', directory])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/TOO_LARGE|SERVER_UNREACHABLE/)
    expect((await publish(templateFiles('fixed'))).code).toBe(0)
    expect(await publish(templateFiles('fixed', { files: { 'skeleton/new': 'x' } }))).toMatchObject({ code: 2, stderr: expect.stringContaining('TEMPLATE_VERSION_EXISTS') })
  })
})

describe('another host', () => {
  let gate: Server
  let port: number

  beforeAll(async () => {
    gate = createServer()
    gate.listen(0, '127.0.0.1')
    await once(gate, 'listening')
    port = (gate.address() as AddressInfo).port
    gate.close()
    await once(gate, 'close')
  })
  afterAll(() => gate.close())

  test('a host that is down stops the run; when it is back the run goes on, and the token is shown nowhere', async () => {
    const template = templateFiles('forge')['template.yaml']!.replace(/ {4}- \{ id: publish[\s\S]*? {2}output:[\s\S]*/, `    - { id: publish, name: Push, action: 'publish:git', input: { url: 'http://127.0.0.1:${port}/git/default/\${{ parameters.name }}.git', username: pavior } }\n`)
    const directory = await appDirectory('forge', { ...templateFiles('forge'), 'template.yaml': template })
    expect((await platform.cli(['template', 'publish', directory])).code).toBe(0)
    const token = await platform.token()
    const first = await make('forge', 'pushed', '--secret', `token=${token}`)
    expect(first.stderr).toContain('REPOSITORY_UNREACHABLE')
    const [stopped] = (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/templateruns?fieldSelector=spec.template%3Dforge')).body.items
    expect(stopped.status.phase).toBe('Stopped')
    expect(JSON.stringify(stopped)).not.toContain(token)

    // The host is this platform itself, behind the address that was closed before.
    gate = createServer((socket) => {
      const behind = connect(Number(new URL(platform.url).port), '127.0.0.1')
      socket.pipe(behind).pipe(socket)
      for (const end of [socket, behind]) end.on('error', () => [socket, behind].forEach((one) => one.destroy()))
    })
    gate.listen(port, '127.0.0.1')
    await once(gate, 'listening')
    const resumed = await platform.cli(['template', 'resume', stopped.metadata.name])
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining('Push') })
    expect((await platform.get('pushed.localhost')).body).toBe('hi')
    expect(await readFile(join(platform.home, 'logs', 'server.log'), 'utf8')).not.toContain(token)
  })
})

describe('life after birth', () => {
  test('an upgrade is a branch: ours and theirs merged, conflicts shown, main untouched; it counts when it is live', async () => {
    await publish(templateFiles('living'))
    expect((await make('living', 'pet')).code).toBe(0)
    expect((await make('living', 'cat')).code).toBe(0)
    const next = { 'skeleton/README.md': '# ${{ values.name }}\n\nFirst line.\n\nThe new last line.\n', 'skeleton/LICENSE': 'MIT\n' }
    expect((await publish(templateFiles('living', { version: '1.1.0', files: next }), '--canary', 'default/pet')).code).toBe(0)
    const fleet = await platform.json<{ items: { app: string; offered: string }[] }>(['template', 'fleet', 'living'])
    expect(fleet.items.map(({ app, offered }) => [app, offered]).toSorted()).toEqual([['cat', '1.0.0'], ['pet', '1.1.0']])

    // Ours: another part of the file is ours.
    const clone = await cloneOf('pet')
    const commit = async (files: Record<string, string>): Promise<void> => {
      await writeFiles(clone, files)
      await run('git', ['-C', clone, 'add', '-A'])
      await run('git', ['-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'ours'])
      await run('git', ['-C', clone, 'push', '--quiet', 'origin', 'main'])
    }
    await commit({ 'README.md': '# Our pet\n\nFirst line.\n\nLast line.\n' })
    const dry = await platform.json<{ files: { path: string; change: string }[] }>(['template', 'upgrade', 'pet', '--dry-run'])
    expect(dry.files.map(({ path, change }) => `${change} ${path}`)).toEqual(['changed .pavior/template.yaml', 'added LICENSE', 'changed README.md'])
    const done = await platform.json<{ branch: string; conflicts: string[]; diff: string }>(['template', 'upgrade', 'pet'])
    expect(done.conflicts).toEqual([])
    expect(done.diff).toContain('+The new last line.')
    await run('git', ['-C', clone, 'fetch', '--quiet'])
    expect((await run('git', ['-C', clone, 'show', `origin/${done.branch}:README.md`])).stdout).toBe('# Our pet\n\nFirst line.\n\nThe new last line.\n')
    expect((await run('git', ['-C', clone, 'show', 'origin/main:README.md'])).stdout).toContain('Last line.\n')

    // A conflict: both changed the same line.
    await commit({ 'README.md': '# Our pet\n\nFirst line.\n\nOur last line.\n' })
    const conflicting = await platform.json<{ conflicts: string[]; branch: string }>(['template', 'upgrade', 'pet'])
    expect(conflicting.conflicts).toEqual(['README.md'])
    await run('git', ['-C', clone, 'fetch', '--quiet'])
    const marked = (await run('git', ['-C', clone, 'show', `origin/${conflicting.branch}:README.md`])).stdout
    expect(marked).toContain('Our last line.')
    expect(marked).toContain('The new last line.')
    expect(marked).toMatch(/<<<<<<<[\s\S]*>>>>>>>/)

    await writeFiles(clone, { 'README.md': '# Our pet\n\nBoth.\n' })
    await run('git', ['-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@example.com', 'merge', '-q', '-s', 'ours', '--no-commit', `origin/${conflicting.branch}`]).catch(() => {})
    await run('git', ['-C', clone, 'checkout', `origin/${conflicting.branch}`, '--', '.pavior', 'LICENSE'])
    await commit({ 'README.md': '# Our pet\n\nBoth.\n' })
    await until('the fleet to know', async () => (await platform.json<{ items: { app: string; version: string }[] }>(['template', 'fleet', 'living'])).items.some(({ app, version }) => app === 'pet' && version === '1.1.0'))

    expect((await platform.cli(['template', 'promote', 'living'])).code).toBe(0)
    expect((await platform.json<{ items: { app: string; offered: string }[] }>(['template', 'fleet', 'living'])).items.find(({ app }) => app === 'cat')?.offered).toBe('1.1.0')
    expect((await platform.cli(['template', 'deprecate', 'living', '--deadline', '2030-01-01', '-m', 'Use plain.'])).stdout).toContain('deprecated until 2030-01-01')
    expect((await make('living', 'late')).stderr).toContain('deprecated until 2030-01-01: Use plain.')
  })
})
