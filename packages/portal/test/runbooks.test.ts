/** A runbook of the library is taken over, gone through to its end, and trusted from then on. */
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000

describe.skipIf(noBrowser)('runbooks in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('from the library to a run that succeeded', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/runbooks`)
    await page.getByRole('button', { name: /Take over for \w+: The disk is full/ }).click()
    await page.getByText('Never tried').waitFor()
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.waitForURL(/\/runs\/disk-full-/)
    await page.getByText('It waits for somebody: See what takes the space').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByLabel('Note').fill('builds is large')
    await page.getByRole('button', { name: 'It is done' }).click()
    await page.getByRole('button', { name: 'sources and artifacts' }).click()
    await page.getByText('admin just now: builds is large').or(page.getByText(/admin \d+ s ago: builds is large/)).waitFor()
    await page.getByText('It waits for somebody: Keep fewer releases').waitFor()
    const { stdout } = await platform.cli(['runbook', 'runs'])
    const name = /disk-full-\w+/.exec(stdout)![0]
    // The rest on the command line; the page follows.
    for (let steps = 0; steps < 3; steps++) expect((await platform.cli(['runbook', 'approve', name])).code).toBe(0)
    await page.getByText('Every step is done.').waitFor()
    await page.goto(`${platform.url}/runbooks`)
    await page.getByRole('row').filter({ hasText: 'The disk is full' }).getByText('Proven').waitFor()
    expect(complaints).toEqual([])
  })
})
