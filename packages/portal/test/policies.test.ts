/** Policies in a browser: what they find, an exception in one step, its decision, and how strict a policy is. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { contrastViolations, seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000

describe.skipIf(noBrowser)('policies', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('judge what lives', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('shop', webApp('hello')) })
    await until('it was judged', async () => (await platform.json(['policy', 'findings', 'shop'])).items.length > 5)
  })

  test('are listed with what they find, and one shows its rules, its findings and what enforcing it would refuse', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/policies`)
    await page.getByRole('link', { name: 'Somebody answers for the app' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('link', { name: 'Somebody answers for the app' }).click()
    await page.getByText('it would refuse the next change of what breaks it now: 1 in team default').waitFor()
    await page.getByRole('link', { name: 'default/shop' }).waitFor()
    await page.getByText('"pavior.dev/owner" in object.metadata.labels').first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('radiogroup', { name: 'Mode' }).getByText('audit').click()
    await page.locator('header').getByText('audit').waitFor()
    await until('it is so', async () => (await platform.api('GET', '/apis/pavior.dev/v1/policies/owner-set')).body.spec.mode === 'audit')
    expect(complaints).toEqual([])
  })

  test('that an app breaks are found on it with their fix; an exception is asked for in one step, granted, and shown', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop/policies`)
    await page.getByText('Add processes.web.health.path to pavior.yaml.').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Ask for an exception from production-health-check' }).click()
    const dialog = page.getByRole('dialog', { name: 'An exception from production-health-check' })
    await dialog.getByLabel('Why the policy does not fit').fill('It answers from a cache of its own.')
    await dialog.getByRole('button', { name: 'Ask' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByText('Requested').waitFor()

    await page.goto(`${platform.url}/exceptions`)
    await page.getByRole('button', { name: 'Grant the exception from production-health-check for shop' }).click()
    const question = page.getByRole('dialog', { name: 'Grant the exception from production-health-check for shop?' })
    await question.getByText('user:admin asks: It answers from a cache of its own.').waitFor()
    await question.getByRole('button', { name: 'Grant it' }).click()
    await question.waitFor({ state: 'detached' })
    await page.getByText('Granted').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await until('it covers the finding', async () => (await platform.json(['policy', 'findings', 'shop'])).items.some((one: any) => one.policy === 'production-health-check' && one.outcome === 'exempt'))
    await page.goto(`${platform.url}/apps/default/shop/policies`)
    await page.getByText(/Covered by the exception production-health-check-/).waitFor()
    expect(complaints).toEqual([])
  })

  test('exceptions are counted by team, and a quota is set where it is seen', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/exceptions`)
    await page.getByRole('table', { name: 'teams' }).getByRole('row', { name: /default/ }).waitFor()
    await page.goto(`${platform.url}/quotas`)
    await page.getByRole('button', { name: 'Change the quota of default' }).click()
    const dialog = page.getByRole('dialog', { name: 'Quota of team default' })
    await dialog.getByLabel('Instances').fill('7')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('table', { name: 'Quotas' }).getByText('of 7').waitFor()
    expect((await platform.json(['quota', 'show'])).limits).toEqual({ instances: 7 })
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('are read on a telephone, in the dark too', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, scheme: 'dark' })
    for (const path of ['/policies', '/policies/no-plain-secrets', '/apps/default/shop/policies', '/exceptions', '/quotas']) {
      await page.goto(`${platform.url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect([path, await page.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')]).toEqual([path, true])
      expect(await contrastViolations(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })
})
