/** What the platform does about a broken rule: shown first, done by a developer, as a branch where the source changes. */
import { execFile } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

const rulesOf = async (app: string): Promise<any[]> => (await platform.api('GET', `/v1/teams/default/apps/${app}/scorecards`)).body.items.find((one: any) => one.scorecard === 'production-readiness')?.rules ?? []
const rule = async (app: string, name: string) => (await rulesOf(app)).find((one) => one.rule === name)
const fixPath = (app: string, name: string): string => `/v1/teams/default/apps/${app}/scorecards/production-readiness/rules/${name}/fix`

function gitIn(directory: string): (...args: string[]) => Promise<string> {
  const env = { ...platform.environment, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  return (...args) => new Promise((resolve, reject) => execFile('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env }, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout))))
}

/** Answers on /health only, beside its front page. */
const server = `
require('http').createServer((request, response) => {
  response.statusCode = ['/', '/health'].includes(request.url) ? 200 : 404
  response.end('shop')
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`

async function pushed(name: string, files: Record<string, string>): Promise<ReturnType<typeof gitIn>> {
  const directory = await appDirectory(name, files)
  const git = gitIn(directory)
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-qm', 'first')
  await platform.json(['init'], { directory })
  await git('push', '-q', 'pavior', 'main')
  await until('it serves', async () => (await platform.get(`${name}.localhost`)).status === 200)
  return git
}

describe('an app whose repository is here', () => {
  test('gets its proposals as branches that are read, merged and pushed; main is left alone', async () => {
    const git = await pushed('shop', { ...webApp('shop'), 'server.js': server, 'pavior.yaml': '# Ours.\nenv:\n  LEVEL: "1"\n' })
    await until('the rule can be fixed', async () => (await rule('shop', 'readme'))?.fixable === true)
    const main = (await git('ls-remote', 'pavior', 'main')).split('\t')[0]

    const shown = await platform.cli(['scorecard', 'fix', 'shop', 'health-check', '--dry-run'])
    expect(shown.stdout).toContain('Proposes pavior.yaml as the branch scorecard-health-check')
    expect(shown.stdout).toMatch(/^\+ {6}path: \/health$/m)
    expect(await git('ls-remote', 'pavior', 'scorecard-health-check')).toBe('')

    for (const name of ['health-check', 'readme', 'docs', 'declared-owner']) {
      const done = await platform.api('POST', fixPath('shop', name))
      expect([name, done.status, done.body.done, done.body.conflicts]).toEqual([name, 200, true, []])
    }
    expect((await git('ls-remote', 'pavior', 'main')).split('\t')[0]).toBe(main)
    await git('fetch', '-q', 'pavior')
    for (const name of ['health-check', 'readme', 'docs', 'declared-owner']) await git('merge', '-q', '--no-edit', `pavior/scorecard-${name}`)
    expect(await git('show', 'HEAD:pavior.yaml')).toBe('# Ours.\nenv:\n  LEVEL: "1"\nprocesses:\n  web:\n    health:\n      path: /health\n')
    await git('push', '-q', 'pavior', 'HEAD:main')
    for (const name of ['health-check', 'readme', 'docs', 'declared-owner']) await until(`${name} is kept`, async () => (await rule('shop', name))?.outcome === 'kept')
    const again = await platform.api('POST', fixPath('shop', 'readme'))
    expect([again.status, again.body.message]).toEqual([409, expect.stringContaining('keeps the rule')])
  })

  test('is told when there is nothing honest to propose', async () => {
    // It answers its front page only, and no README says what it is.
    await pushed('mute', webApp('mute'))
    await until('it is judged', async () => (await rule('mute', 'description'))?.fixable === true)
    const refused = await platform.cli(['scorecard', 'fix', 'mute', 'description'])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(/FIX_IMPOSSIBLE[\s\S]*Nobody has said yet what "mute" does/)
  })

  test('records what its toolchain is and whether it asked for it', async () => {
    const release = (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/releases')).body.items.find((one: any) => one.spec.app === 'mute')
    expect(release.spec.toolchain).toEqual({ name: 'node', version: expect.stringMatching(/^\d+\./) })
    expect((await platform.api('GET', '/v1/teams/default/apps/mute/facts')).body).toMatchObject({ toolchain: { name: 'node', pinned: false }, template: { name: '', behind: 0 }, dependencies: { undeclared: [] } })
    expect(await rule('mute', 'pinned-toolchain')).toMatchObject({ outcome: 'broken' })
  })
})

describe('an app that was uploaded', () => {
  test('is scaled, by a developer only and with a row in the audit; of its source nothing is proposed', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('uploaded', { ...webApp('uploaded'), '.nvmrc': String(process.versions.node.split('.')[0]) }) })
    await until('it is judged', async () => (await rule('uploaded', 'two-instances'))?.fixable === true)
    await until('its release is judged', async () => (await rule('uploaded', 'pinned-toolchain')).outcome === 'kept')
    expect(await rule('uploaded', 'readme')).not.toHaveProperty('fixable')
    const proposed = await platform.api('POST', fixPath('uploaded', 'readme'))
    expect([proposed.status, proposed.body.message]).toEqual([409, expect.stringContaining('in no repository here')])

    await platform.api('POST', '/v1/teams/default/invitations', { name: 'vera', role: 'viewer' })
    const { body } = await platform.api('POST', '/v1/tokens', { username: 'vera', description: 'test' })
    const refused = await platform.api('POST', fixPath('uploaded', 'two-instances'), undefined, { authorization: `Bearer ${body.token}` })
    expect(refused.status).toBe(403)

    const preview = await platform.api('POST', `${fixPath('uploaded', 'two-instances')}?dryRun=All`)
    expect(preview.body).toMatchObject({ done: false, summary: 'Scales web in production to 2 instances.' })
    const audited = async (): Promise<number> => (await platform.api('GET', '/v1/audit?kind=App&name=uploaded&actor=user:admin')).body.items.length
    const before = await audited()
    expect((await platform.json(['scorecard', 'fix', 'uploaded', 'two-instances'])).done).toBe(true)
    expect(await audited()).toBe(before + 1)
    await until('the rule is kept', async () => (await rule('uploaded', 'two-instances'))?.outcome === 'kept')
  })
})

describe('a scorecard', () => {
  test('is refused with an action that nobody knows or that lacks what it needs', async () => {
    const card = (action: object) => platform.api('POST', '/apis/pavior.dev/v1/scorecards', { metadata: { name: 'own' }, spec: { title: 'Own', rules: [{ name: 'a', title: 'A', expression: 'false', action }] } })
    for (const action of [{ type: 'shell' }, { type: 'scale' }, { type: 'propose' }, { type: 'propose', change: 'anything' }]) expect([action, (await card(action)).status]).toEqual([action, 422])
    expect((await card({ type: 'scale', replicas: 3 })).status).toBe(201)
  })
})
