import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const run = promisify(execFile)

/** Calls another app as often as it is told, over one connection. */
const calling = `
const http = require('http')
http.createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://x')
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  for (let left = Number(searchParams.get('count')); left > 0; left--) {
    await new Promise((done) => http.get({ host: '127.0.0.1', port: Number(searchParams.get('port')), agent, headers: { host: 'stock.localhost' } }, (answer) => answer.resume().on('end', done)).on('error', done))
  }
  response.end('shop')
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`

describe.skipIf(noBrowser)('what the platform sees and does by itself', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
    await writeFiles(join(parent, 'stock'), webApp('stock'))
    await platform.json(['deploy'], { directory: join(parent, 'stock') })
    const directory = join(parent, 'shop')
    await writeFiles(directory, { ...webApp('shop'), 'server.js': calling })
    const git = (...args: string[]): Promise<unknown> => run('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env: { ...platform.environment, GIT_CONFIG_NOSYSTEM: '1' } })
    await git('init', '-q', '-b', 'main')
    await git('add', '-A')
    await git('commit', '-qm', 'first')
    await platform.json(['init'], { directory })
    await git('push', '-q', 'pavior', 'main')
    await until('the caller serves', async () => (await platform.get('shop.localhost')).status === 200)
    await platform.get('shop.localhost', `/?count=120&port=${platform.routerPort}`)
    await until('the dependency is seen', async () => (await platform.api('GET', '/v1/catalog/entities/component/default/shop')).body.relations.some((one: any) => one.traffic))
    await until('it is judged', async () => (await platform.api('GET', '/v1/teams/default/apps/shop/scorecards')).body.items[0]?.rules.some((one: any) => one.fixable))
    await rm(parent, { recursive: true })
  })

  test('a dependency says who shows it, how often and how well, in words and in the graph', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/catalog/component/default/shop`)
    const row = page.getByRole('table', { name: 'Dependencies' }).getByRole('row', { name: /stock/ })
    await row.getByText('requests', { exact: true }).waitFor()
    await row.getByText('2/min').waitFor()
    await page.getByText('dependsOn 2/min, 0 % errors').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('a broken rule shows what a fix will do, does it, and says what is left to do', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop/scorecard`)
    await page.getByRole('button', { name: 'Fix: Has a README' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Proposes README.md as the branch scorecard-readme').waitFor()
    await dialog.getByText('# shop', { exact: true }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Enter')
    await dialog.getByText('git fetch pavior scorecard-readme && git merge pavior/scorecard-readme').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()

    await page.getByRole('button', { name: 'Fix: Runs two instances' }).click()
    await dialog.getByText('Scales web in production to 2 instances.').waitFor()
    await dialog.getByRole('button', { name: 'Scale' }).click()
    await dialog.getByText('Scaled web in production to 2 instances.').waitFor()
    await until('it is done', async () => (await platform.api('GET', '/v1/teams/default/apps/shop/scorecards')).body.items[0].rules.find((one: any) => one.rule === 'two-instances').outcome === 'kept')
    await page.getByRole('button', { name: 'Fix: Runs two instances', includeHidden: true }).waitFor({ state: 'detached' })
    expect(await dialog.getByText('Scaled web in production to 2 instances.').isVisible()).toBe(true)
    expect(complaints).toEqual([])
  })

  test('a fix fits a narrow screen, and who may only look is offered none', async () => {
    await platform.api('POST', '/v1/teams/default/invitations', { name: 'vera', role: 'viewer' })
    const narrow = await signedIn(platform, 'admin', { width: 360 })
    await narrow.page.goto(`${platform.url}/apps/default/shop/scorecard`)
    await narrow.page.getByRole('button', { name: 'Fix: Has documentation' }).click()
    await narrow.page.getByRole('dialog').getByText('Proposes docs/index.md').waitFor()
    expect(await narrow.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    const { page, complaints } = await signedIn(platform, 'vera')
    await page.goto(`${platform.url}/apps/default/shop/scorecard`)
    await page.getByText('Has documentation').waitFor()
    expect(await page.getByRole('button', { name: /^Fix:/ }).count()).toBe(0)
    expect([...narrow.complaints, ...complaints]).toEqual([])
  })
})
