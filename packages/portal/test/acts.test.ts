/** What changes an app at a click: restart, cancel, delete, and taking things back. Each is looked at from outside too. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { noBrowser, signedIn, tabTo } from './browser.ts'

const timeoutMs = 120_000
/** Says which start of it answers: process ids are alike in a sandbox. */
const itself = { ...webApp(''), 'server.js': `const own = require('crypto').randomUUID()\nrequire('http').createServer((request, response) => response.end(process.env.GREETING || own)).listen(process.env.PORT)` }

describe.skipIf(noBrowser)('acting on an app', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('a restart says what it means, and another process answers afterwards', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('again', itself) })
    const before = (await platform.get('again.localhost')).body
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/again/processes`)
    await page.getByText('1 of 1 healthy').waitFor()
    await page.getByRole('button', { name: 'Restart' }).click()
    const dialog = page.getByRole('dialog', { name: 'Restart again in production?' })
    await dialog.getByText('requests go on being answered').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect((await platform.get('again.localhost')).body).toBe(before)

    await page.getByRole('button', { name: 'Restart' }).click()
    await dialog.getByRole('button', { name: 'Restart' }).click()
    await dialog.waitFor({ state: 'detached' })
    await until('another process to answer', async () => ![before, ''].includes((await platform.get('again.localhost')).body))
    await page.getByText('1 of 1 healthy').waitFor()
    expect(complaints).toEqual([])
  })

  test('a build that is canceled ends, and what served goes on', async () => {
    const directory = await appDirectory('slow', webApp('fast'))
    await platform.json(['deploy'], { directory })
    await writeFiles(directory, { 'package.json': JSON.stringify({ name: 'app', private: true, scripts: { build: 'echo this takes an hour && sleep 3600', start: 'node server.js' } }) })
    const deploying = platform.cli(['deploy'], { directory })
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/slow/builds/slow-build-2`)
    await page.getByText('this takes an hour').first().waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Cancel this build?' })
    await dialog.getByText('What serves goes on serving.').waitFor()
    await dialog.getByRole('button', { name: 'Cancel it' }).click()
    await page.locator('header').getByText('Canceled').waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor({ state: 'detached' })
    expect((await deploying).code).not.toBe(0)
    expect((await platform.get('slow.localhost')).body).toBe('fast')
    await page.goto(`${platform.url}/apps/default/slow/deployments`)
    await page.getByText('Canceled').first().waitFor()
    expect(complaints).toEqual([])
  })

  test('an app is deleted only by who types its name, having read what goes with it', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('doomed', webApp('still here')) })
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/doomed/settings`)
    await page.getByRole('button', { name: 'Delete doomed' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete the app doomed?' })
    await dialog.getByText('production stops; http://doomed.localhost').waitFor()
    await dialog.getByText('1 release, its configuration and its history go.').waitFor()
    await dialog.getByText('Its repository on this platform goes with every branch').waitFor()
    const confirm = dialog.getByRole('button', { name: 'Delete doomed' })
    await dialog.getByRole('textbox').fill('doome')
    expect(await confirm.isDisabled()).toBe(true)
    // Nor does the key do what the button would not.
    await page.keyboard.press('Enter')
    expect((await platform.get('doomed.localhost')).body).toBe('still here')
    await dialog.getByRole('textbox').fill('doomed')
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/apps')
    await page.getByRole('link', { name: 'doomed', exact: true }).waitFor({ state: 'detached' })
    await until('the app to be gone', async () => (await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/apps/doomed')).status === 404)
    await until('its address to be free', async () => (await platform.get('doomed.localhost')).status === 404)
    expect((await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/releases?fieldSelector=spec.app%3Ddoomed')).body.items).toEqual([])
    await page.goto(`${platform.url}/apps/default/doomed`)
    await page.getByText('There is no app doomed in team default.').waitFor()
    expect(complaints).toEqual([])
  })

  test('a variable is taken back by Undo, from another page too, and what was served before is served again', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('polite', itself) })
    await platform.json(['config', 'set', 'GREETING=hello', '--app', 'polite'])
    const served = async (text: string): Promise<void> => until(`"${text}" to be served`, async () => (await platform.get('polite.localhost')).body === text)
    await served('hello')
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/polite/configuration`)
    await page.getByRole('button', { name: 'Change GREETING' }).click()
    await page.getByLabel('Value').fill('go away')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('GREETING is set in production.').waitFor()
    await page.getByRole('link', { name: 'Overview' }).click()
    await undo(page, 'GREETING is set in production.')
    await served('hello')
    expect((await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/apps/polite')).body.spec.config.production).toEqual({ GREETING: 'hello' })

    // What was not set before is not set after.
    await page.goto(`${platform.url}/apps/default/polite/configuration`)
    await page.getByRole('button', { name: 'Remove GREETING' }).click()
    await undo(page, 'GREETING is removed in production.')
    await page.getByRole('button', { name: 'Remove GREETING' }).waitFor()
    await page.getByLabel('Name').fill('EXTRA')
    await page.getByLabel('Value').fill('1')
    await page.getByRole('button', { name: 'Set', exact: true }).click()
    await undo(page, 'EXTRA is set in production.')
    await page.getByRole('button', { name: 'Remove EXTRA' }).waitFor({ state: 'detached' })
    await served('hello')
    expect((await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/apps/polite')).body.spec.config.production).toEqual({ GREETING: 'hello' })
    expect(complaints).toEqual([])
  })

  test('by keyboard alone: a deploy is watched to its end, and rolled back', async () => {
    const directory = await appDirectory('keys', webApp('first'))
    await platform.json(['deploy'], { directory })
    const { page, complaints } = await signedIn(platform)
    await writeFiles(directory, { ...webApp('second'), 'package.json': JSON.stringify({ name: 'app', private: true, scripts: { build: 'echo nearly there && sleep 2', start: 'node server.js' } }) })
    await page.keyboard.press('Control+k')
    await page.getByRole('textbox', { name: 'Go to, find or do' }).waitFor()
    await page.keyboard.type('keys app')
    await page.getByRole('dialog').getByText('App in default').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'keys' }).waitFor()
    const deploying = platform.cli(['deploy'], { directory })
    await page.getByRole('link', { name: 'keys-build-2' }).waitFor()
    await tabTo(page, 'keys-build-2')
    await page.keyboard.press('Enter')
    await page.getByText('nearly there').first().waitFor()
    await page.waitForURL((url) => url.pathname.endsWith('/deployments/keys-production-2'))
    await page.getByText('v2 serves.').waitFor()
    expect((await deploying).code).toBe(0)
    expect((await platform.get('keys.localhost')).body).toBe('second')

    await tabTo(page, 'Roll back to v1')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Roll keys back to v1?' })
    await dialog.getByText('Files: 2 differ').waitFor()
    // The button that does it has the focus already.
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname.endsWith('/deployments/keys-production-3'))
    await page.getByText('v1 serves.').waitFor()
    expect((await platform.get('keys.localhost')).body).toBe('first')
    expect(complaints).toEqual([])
  })
})

/** Takes back what the note says; there may be another beside it that is on its way out. */
async function undo(page: Page, note: string): Promise<void> {
  const shown = page.getByRole('alert').filter({ hasText: note })
  await shown.getByRole('button', { name: 'Undo' }).click()
  await shown.waitFor({ state: 'detached' })
}
