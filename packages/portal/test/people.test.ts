/** People and tokens in the portal, both schemes, a narrow screen, and a whole flow by keyboard alone. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn, visit } from './browser.ts'

const timeoutMs = 120_000

describe.skipIf(noBrowser)('people in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const directory = join(platform.home, '..', 'page')
    await writeFiles(directory, webApp('page'))
    await platform.json(['deploy'], { directory })
  }, timeoutMs)

  test('an invited person signs in by the link, sees the team, and may do what the role says', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/teams/default`)
    await page.getByRole('button', { name: 'Invite' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('ada')
    await dialog.getByLabel('Full name').fill('Ada Lovelace')
    await dialog.getByLabel('Role').click()
    await page.getByRole('option', { name: 'viewer' }).click()
    await dialog.getByRole('button', { name: 'Invite' }).click()
    const link = await dialog.getByLabel('Link', { exact: true }).inputValue()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await page.getByText('Ada Lovelace').waitFor()

    const ada = await visit()
    await ada.page.goto(link)
    await ada.page.getByRole('button', { name: 'Sign in' }).click()
    await ada.page.getByRole('heading', { name: 'Hello ada' }).waitFor()
    await ada.page.goto(`${platform.url}/apps/default/page/processes`)
    await ada.page.getByText('1 of 1 healthy').waitFor()
    expect(await ada.page.getByRole('button', { name: 'One web more' }).count()).toBe(0)
    expect(await ada.page.getByRole('link', { name: 'Platform' }).count()).toBe(0)

    // What may be done changes with the role.
    await page.getByLabel('Role of ada').first().click()
    await page.getByRole('option', { name: 'developer' }).click()
    await page.getByText('ada is developer in default.').waitFor()
    await ada.page.reload()
    await ada.page.getByRole('button', { name: 'One web more' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
    expect(ada.complaints).toEqual([])
  })

  test('a token is shown once, works, and is refused when it is revoked', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/tokens`)
    await page.getByRole('button', { name: 'New token' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('What for').fill('pipeline')
    await dialog.getByRole('button', { name: 'Make the token' }).click()
    const token = await dialog.getByLabel('Token', { exact: true }).inputValue()
    const whoami = (): Promise<Response> => fetch(`${platform.url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })
    expect((await whoami()).status).toBe(200)
    await dialog.getByRole('button', { name: 'I have it' }).click()
    await page.getByRole('button', { name: 'Revoke pipeline' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('button', { name: 'Revoke pipeline' }).waitFor({ state: 'detached' })
    expect((await whoami()).status).toBe(401)
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test.each(['light', 'dark'] as const)('every page of the paved road is readable in %s and on a narrow screen', async (scheme) => {
    const { page, complaints } = await signedIn(platform, 'admin', { scheme, width: 360, height: 740 })
    for (const path of ['/', '/apps', '/apps/default/page', '/apps/default/page/deployments', '/apps/default/page/deployments/page-production-1', '/apps/default/page/logs', '/apps/default/page/processes', '/apps/default/page/configuration', '/apps/default/page/environments', '/apps/default/page/settings', '/teams', '/teams/default', '/people', '/tokens', '/audit', '/platform']) {
      await page.goto(`${platform.url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.locator('[aria-busy=true]').waitFor({ state: 'detached' })
      expect(await seriousViolations(page), path).toEqual([])
      const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      expect(tooWide, `${path} is wider than the screen`).toBeLessThanOrEqual(0)
    }
    expect(complaints).toEqual([])
  })

  test('by keyboard alone: from the sign-in to an app, its processes, one instance more, and back', async () => {
    const { page, complaints } = await visit()
    const { url } = await platform.json<{ url: string }>(['users', 'login-link', 'admin'])
    await page.goto(url)
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Hello admin' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.getByRole('heading', { name: 'Apps' }).waitFor()
    await page.getByRole('link', { name: 'page', exact: true }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'page', exact: true }).waitFor()
    await tabTo(page, 'Processes')
    await page.keyboard.press('Enter')
    await page.getByText('1 of 1 healthy').waitFor()
    await tabTo(page, 'One web more')
    await page.keyboard.press('Enter')
    await page.getByText('2 of 2 healthy').waitFor()
    await tabTo(page, 'One web less')
    await page.keyboard.press('Enter')
    await page.getByText('1 of 1 healthy').waitFor()
    expect(complaints).toEqual([])
  })
})

/** Presses Tab until what is called so has the focus. */
async function tabTo(page: Awaited<ReturnType<typeof visit>>['page'], name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string | undefined>("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent")
    if (focused === name) return
  }
  throw new Error(`Tab does not reach "${name}".`)
}
