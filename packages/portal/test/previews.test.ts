/** Previews and repositories in the portal: seen live, put to sleep, kept, deleted; commits, drift and why one was refused. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000

describe.skipIf(noBrowser)('previews and repositories in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  let directory: string
  const git = (...args: string[]): Promise<{ code: number; stderr: string }> =>
    new Promise((resolve) => {
      execFile('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env: { ...platform.environment, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' } }, (error, _, stderr) => resolve({ code: error ? Number(error.code) : 0, stderr }))
    })
  beforeAll(async () => {
    platform = await newPlatform()
    directory = join(await mkdtemp(join(tmpdir(), 'pavior-app-')), 'shop')
    await writeFiles(directory, { ...webApp('main'), 'pavior.yaml': 'name: shop\npreviews: {}\n' })
    for (const args of [['init', '-q', '-b', 'main'], ['add', '-A'], ['commit', '-qm', 'main']]) await git(...args)
    await platform.cli(['init'], { directory })
    expect((await git('push', 'pavior', 'main')).code).toBe(0)
    expect((await git('push', 'pavior', 'HEAD:refs/heads/search-box')).code).toBe(0)
  }, timeoutMs)
  afterAll(() => rm(join(directory, '..'), { recursive: true, force: true }))

  test('a preview is put to sleep and woken, kept, and deleted; the board shows it beside the environments that last', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/previews`)
    const row = page.getByRole('row').filter({ hasText: 'search-box' })
    await row.getByText('Awake').waitFor()
    await page.getByRole('button', { name: 'Put to sleep search-box' }).click()
    await row.getByText('Asleep').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Wake search-box' }).click()
    await row.getByText('Awake').waitFor()
    await page.getByRole('button', { name: 'Keep search-box for a week' }).click()
    await row.getByText(/in 6 d/).waitFor()

    await page.goto(`${platform.url}/apps/default/shop/environments`)
    await page.getByText('Everything runs as declared').waitFor()
    expect(await page.getByRole('list', { name: 'Environments' }).getByRole('heading', { level: 2 }).allTextContents()).toEqual(['production'])
    await page.getByRole('button', { name: 'Delete the preview of search-box' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('No previews').waitFor()
    expect(complaints).toEqual([])
  })

  test('it fits a small screen', async () => {
    expect((await git('push', 'pavior', 'HEAD:refs/heads/small')).code).toBe(0)
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 700, scheme: 'dark' })
    for (const path of ['/previews', '/repositories', '/apps/default/shop/environments']) {
      await page.goto(`${platform.url}${path}`)
      await page.locator('h1, h2').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })

  test('a repository shows what is in force and why a commit was refused', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/configrepos', { metadata: { name: 'config' }, spec: { hosted: true, drift: 'report', manualChanges: 'mark', intervalSeconds: 5 } })
    const config = await mkdtemp(join(tmpdir(), 'pavior-config-'))
    try {
      await writeFiles(config, { 'staging.yaml': 'kind: Environment\nmetadata: { name: staging }\nspec: { tier: staging, description: declared }\n' })
      const url = new URL('/git/default/config.git', platform.url)
      url.username = 'pavior'
      url.password = await platform.token()
      const own = (...args: string[]): Promise<unknown> => git('-C', config, ...args)
      for (const args of [['init', '-q', '-b', 'main'], ['add', '-A'], ['commit', '-qm', 'staging'], ['push', '-q', url.href, 'main']]) await own(...args)
      const { page, complaints } = await signedIn(platform)
      await page.goto(`${platform.url}/repositories`)
      await page.getByRole('link', { name: 'config' }).click()
      await page.getByText('In force', { exact: true }).waitFor()
      await page.getByRole('row').filter({ hasText: 'staging.yaml' }).waitFor()
      await platform.api('PATCH', '/apis/pavior.dev/v1/namespaces/default/environments/staging', { spec: { description: 'by hand' } }, { 'content-type': 'application/merge-patch+json' })
      await page.getByText('Environment staging differs in').waitFor()
      expect(await seriousViolations(page)).toEqual([])
      expect(complaints).toEqual([])
    } finally {
      await rm(config, { recursive: true, force: true })
    }
  })
})
