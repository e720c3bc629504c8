/** Secrets in a browser: set, brought out as one watches, taken back, put in force again; a value is nowhere to be read. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { contrastViolations, seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000
const value = 'planted-in-the-browser-6a1f'

describe.skipIf(noBrowser)('secrets', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  const statusOf = async (name: string) => (await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/secrets/${name}`)).body.status

  test('are set on the page of an app, and no part of the page keeps the value', async () => {
    const directory = await appDirectory('shop', webApp('hello', `if ((process.env.API_KEY ?? '').startsWith('dies')) process.exit(1)`))
    await platform.json(['deploy'], { directory })
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop/secrets`)
    await page.getByText('pavior secrets set DATABASE_URL --app shop').waitFor()
    await page.getByRole('button', { name: 'Set a secret' }).click()
    const dialog = page.getByRole('dialog', { name: 'Set a secret' })
    await dialog.getByLabel('Key', { exact: false }).first().fill('PATH')
    await dialog.getByText('not a name that the shell or Pavior uses').waitFor()
    await dialog.getByLabel('Key', { exact: false }).first().fill('API_KEY')
    await dialog.getByRole('textbox', { name: 'Value' }).fill(value)
    await dialog.getByRole('button', { name: 'Set it' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'API_KEY' }).click()
    await page.getByText('Version 1 serves everywhere').waitFor()
    await page.getByText('v1 given out').first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    const kept = await page.evaluate<string>('document.documentElement.outerHTML + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }) + location.href + JSON.stringify(history.state)')
    expect(kept).not.toContain(value)
    expect(complaints).toEqual([])
  })

  test('that apps fail with are seen to be taken back, and an earlier version is put in force again', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/secrets/default/shop-api-key`)
    const setVersion = async (text: string, button: string): Promise<void> => {
      await page.getByRole('button', { name: 'Set a new version' }).click()
      const dialog = page.getByRole('dialog', { name: 'A new version of API_KEY' })
      await dialog.getByRole('textbox', { name: 'Value' }).fill(text)
      await dialog.getByRole('button', { name: button }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    await setVersion('dies', 'Set and bring it out')
    await page.getByText(/Version 1 is in force again/).first().waitFor()
    await page.getByText('Taken back').waitFor()
    await setVersion('lives', 'Only store it')
    await page.getByRole('button', { name: 'Put in force: version 3' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Put in force' }).click()
    await page.getByText('Version 3 serves everywhere').waitFor()
    await page.getByRole('button', { name: 'Revoke version 2' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('v2 destroyed').waitFor()
    await until('it is so', async () => (await statusOf('shop-api-key')).versions[1].state === 'revoked')
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('are metadata to a viewer', async () => {
    await platform.api('POST', '/v1/teams/default/invitations', { name: 'vera', role: 'viewer' })
    const { page, complaints } = await signedIn(platform, 'vera')
    await page.goto(`${platform.url}/secrets/default/shop-api-key`)
    await page.getByText('v3 given out').first().waitFor()
    expect(await page.getByRole('button', { name: /Set a new version|Remove|Revoke|Put in force/ }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('are read on a telephone, in the dark too', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, scheme: 'dark' })
    for (const path of ['/secrets', '/secrets/default/shop-api-key', '/apps/default/shop/secrets', '/secrets?set=new']) {
      await page.goto(`${platform.url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.getByText(/API_KEY/).first().waitFor()
      expect([path, await page.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')]).toEqual([path, true])
      expect(await contrastViolations(page)).toEqual([])
      expect(await seriousViolations(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })
})
