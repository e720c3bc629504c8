/** People and tokens in the portal, and a whole flow by keyboard alone. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn, tabTo, visit } from './browser.ts'

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

  test('a password of one\'s own is made, ends the other sessions, and is asked for the next time', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'grace' }, spec: {} })
    const elsewhere = await signedIn(platform, 'grace')
    const { page, complaints } = await signedIn(platform, 'grace')
    await page.goto(`${platform.url}/tokens`)
    await page.getByRole('button', { name: 'Change password' }).click()
    const dialog = page.getByRole('dialog', { name: 'Change password' })
    const change = async (current: string, next: string): Promise<void> => {
      await dialog.getByRole('textbox', { name: 'Current password' }).fill(current)
      await dialog.getByRole('textbox', { name: 'New password' }).fill(next)
      await page.keyboard.press('Enter')
    }
    await change('', 'short')
    await dialog.getByRole('alert').getByText('12').first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await change('', 'correct horse battery')
    await page.getByText('The password is changed.').waitFor()
    await dialog.waitFor({ state: 'detached' })
    // This session goes on, the other is over.
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Tokens and sessions' }).waitFor()
    await elsewhere.page.goto(`${platform.url}/apps`)
    await elsewhere.page.getByRole('heading', { name: 'Sign in' }).waitFor()

    await page.getByRole('button', { name: 'Change password' }).click()
    await change('wrong horse battery', 'another horse battery')
    await dialog.getByRole('alert').getByText('PASSWORD_WRONG', { exact: true }).waitFor()
    await change('correct horse battery', 'another horse battery')
    await dialog.waitFor({ state: 'detached' })
    await elsewhere.page.getByLabel('Name').fill('grace')
    await elsewhere.page.getByRole('textbox', { name: 'Password' }).fill('another horse battery')
    await elsewhere.page.getByRole('button', { name: 'Sign in' }).click()
    await elsewhere.page.waitForURL((url) => url.pathname === '/apps')
    expect(complaints).toEqual([])
  })

  test('a role and a suspension are taken back by Undo', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'linus' }, spec: {} })
    await platform.api('PUT', '/v1/teams/default/members/linus', { role: 'viewer' })
    const roleOf = async (): Promise<string> => (await platform.api('GET', '/apis/pavior.dev/v1/teams/default')).body.spec.members.find(({ user }: { user: string }) => user === 'linus').role
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/teams/default`)
    const role = page.getByLabel('Role of linus').first()
    await role.click()
    await page.getByRole('option', { name: 'developer' }).click()
    await page.getByText('linus is developer in default.').waitFor()
    expect(await roleOf()).toBe('developer')
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => role.inputValue()).toBe('viewer')
    expect(await roleOf()).toBe('viewer')

    await page.goto(`${platform.url}/people`)
    await page.getByRole('button', { name: 'Suspend linus' }).click()
    await page.getByText('linus may not act any more.').waitFor()
    await page.getByRole('button', { name: 'Let in linus' }).waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Suspend linus' }).waitFor()
    expect((await platform.api('GET', '/apis/pavior.dev/v1/users/linus')).body.spec.suspended).not.toBe(true)
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
