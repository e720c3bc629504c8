/** Pages that follow what happens elsewhere without anybody loading them again. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

/** More than fits on the screen. */
const rowsToScroll = 60

describe.skipIf(noBrowser)('live pages', () => {
  let platform: Platform
  const makeEnvironment = async (name: string): Promise<void> => {
    const { status } = await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/environments', { metadata: { name }, spec: { tier: 'preview' } })
    expect(status).toBe(201)
  }
  beforeAll(async () => {
    platform = await newPlatform()
  })

  test('tokens come and go as they are made and revoked elsewhere', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/tokens`)
    await page.getByRole('table', { name: 'Sessions' }).waitFor()
    const { body } = await platform.api('POST', '/v1/tokens', { description: 'made elsewhere' })
    await page.getByRole('button', { name: 'Revoke made elsewhere' }).waitFor()
    // When it ends, and once it was used, when that was.
    const times = page.getByRole('row', { name: /made elsewhere/ }).locator('time')
    expect(await times.count()).toBe(1)
    expect((await fetch(`${platform.url}/v1/whoami`, { headers: { authorization: `Bearer ${body.token}` } })).status).toBe(200)
    await expect.poll(() => times.count()).toBe(2)
    await platform.api('DELETE', `/v1/tokens/${body.id}`)
    await page.getByRole('button', { name: 'Revoke made elsewhere' }).waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  })

  test('changes appear in the audit as they are made, and what one reads stays where it is', async () => {
    for (let index = 0; index < rowsToScroll; index++) await makeEnvironment(`env-${index}`)
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/audit?verb=create`)
    const rows = page.getByRole('table', { name: 'Changes' }).locator('tbody tr')
    await rows.first().getByText(`env-${rowsToScroll - 1}`).waitFor()
    await makeEnvironment('at-the-top')
    await rows.first().getByText('at-the-top').waitFor()

    const reading = rows.nth(30)
    await reading.scrollIntoViewIfNeeded()
    // Which one it is and where; how long ago it was goes on changing.
    const place = async (): Promise<unknown[]> => [await reading.locator('td').nth(3).innerText(), (await reading.boundingBox())!.y]
    const before = await place()
    await makeEnvironment('meanwhile')
    await page.getByRole('button', { name: '1 newer change' }).waitFor()
    await makeEnvironment('and-again')
    await page.getByRole('button', { name: '2 newer changes' }).waitFor()
    expect(await place()).toEqual(before)
    await page.getByRole('button', { name: '2 newer changes' }).click()
    await rows.first().getByText('and-again').waitFor()
    await rows.nth(1).getByText('meanwhile').waitFor()
    const names = await rows.locator('td:nth-child(4)').allInnerTexts()
    expect(new Set(names).size).toBe(names.length)
    expect(complaints).toEqual([])
  })

  test('the audit tells denied attempts with their reason, and that it is what was written', async () => {
    await platform.api('POST', '/v1/teams/default/invitations', { name: 'vera', role: 'viewer' })
    const vera = await signedIn(platform, 'vera')
    await vera.page.evaluate(`fetch('/v1/audit')`)
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/audit?verb=denied`)
    await page.getByText('FORBIDDEN: user:vera may not read the audit.').first().waitFor()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('As it was written').waitFor()
    await page.getByText(/pavior audit verify --head \d+:[0-9a-f]{64}/).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('the audit shows people, or everything, and the address says which', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('shop', webApp('shop')) })
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/audit`)
    const table = page.getByRole('table', { name: 'Changes' })
    await table.getByText('user:admin').first().waitFor()
    expect(await table.getByText('system:').count()).toBe(0)
    await page.getByText('Everything', { exact: true }).click()
    await page.waitForURL(/everything=/)
    await table.getByText('system:release').first().waitFor()
    await page.reload()
    await table.getByText('system:release').first().waitFor()
    await page.getByText('People', { exact: true }).first().click()
    await table.getByText('system:release').first().waitFor({ state: 'detached' })
    // Whoever names a part of the platform sees what it did.
    await page.goto(`${platform.url}/audit?actor=system:release`)
    await table.getByText('system:release').first().waitFor()
    expect(complaints).toEqual([])
  })

  test('the platform shows what runs as it changes', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/platform`)
    await page.getByRole('table', { name: 'Processes', exact: true }).waitFor()
    const instances = page.locator('dl > div').filter({ hasText: /^Instances/ })
    const before = await instances.innerText()
    await platform.json(['deploy'], { directory: await appDirectory('another', webApp('another')) })
    await expect.poll(() => instances.innerText(), { timeout: 20_000 }).not.toBe(before)
    await page.getByText('another-build-1').waitFor()
    expect(complaints).toEqual([])
  })
})
