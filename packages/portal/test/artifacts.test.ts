/** Artifacts in a browser: their parts, holes, secrets, signature and where they come from. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { contrastViolations, seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000

describe.skipIf(noBrowser)('artifacts', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const parent = await mkdtemp(join(tmpdir(), 'pavior-artifacts-'))
    const directory = join(parent, 'shop')
    const metadata = (name: string, licence: string): string => `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.4.1\nLicense-Expression: ${licence}\n\n`
    await writeFiles(directory, { ...webApp('shop'), 'settings.js': `export const key = '${['AKIA', 'Q3EGR5SJ7NPXW2KD'].join('')}'\n`, 'lib/colors-1.4.1.dist-info/METADATA': metadata('colors', 'MIT'), 'lib/paint-1.4.1.dist-info/METADATA': metadata('paint', 'Apache-2.0') })
    await platform.json(['deploy'], { directory })
    await rm(parent, { recursive: true })
  }, timeoutMs)

  test('say that holes are unknown until advisories are there, and show them then', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/advisories`)
    await page.getByText('No advisories were imported').waitFor()
    await page.goto(`${platform.url}/apps/default/shop/artifact`)
    await page.getByText('No advisories were imported for PyPI').waitFor()
    await page.getByText('valid').first().waitFor()
    await page.getByText('settings.js:1').waitFor()
    await page.getByRole('table', { name: 'parts' }).getByText('paint').waitFor()
    await page.getByRole('table', { name: 'Signed statement' }).getByText('upload').waitFor()
    expect(await page.content()).not.toContain('Q3EGR5SJ7NPXW2KD')
    expect(await seriousViolations(page)).toEqual([])

    const parent = await mkdtemp(join(tmpdir(), 'pavior-advisories-'))
    const file = join(parent, 'osv.json')
    await writeFile(file, JSON.stringify({ id: 'OSV-1', modified: '2026-01-02T00:00:00Z', summary: 'It sabotages.', database_specific: { severity: 'CRITICAL' }, affected: [{ package: { ecosystem: 'PyPI', name: 'colors' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.4.2' }] }] }] }))
    await platform.json(['advisories', 'import', file])
    await rm(parent, { recursive: true })
    await page.reload()
    const row = page.getByRole('table', { name: 'holes' }).getByRole('row', { name: /colors/ })
    await row.getByText('critical').waitFor()
    await row.getByText('1.4.2').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.goto(`${platform.url}/advisories`)
    await page.getByRole('table', { name: 'ecosystems' }).getByText('PyPI').waitFor()
    expect(complaints).toEqual([])
  })

  test('are read on a telephone, in the dark too', async () => {
    const { page } = await signedIn(platform, 'admin', { width: 360 })
    await page.emulateMedia({ colorScheme: 'dark' })
    for (const path of ['/apps/default/shop/artifact', '/advisories']) {
      await page.goto(platform.url + path)
      await page.getByRole('table').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
      expect(await contrastViolations(page)).toEqual([])
    }
  })
})
