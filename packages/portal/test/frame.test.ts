import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { noBrowser, signedIn } from './browser.ts'

describe.skipIf(noBrowser)('frame', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    for (const name of ['payments', 'search']) await platform.api('POST', '/apis/pavior.dev/v1/teams', { metadata: { name }, spec: { description: `Team ${name}` } })
    const directory = join(platform.home, 'shop')
    await writeFiles(directory, webApp('shop'))
    await platform.json(['deploy'], { directory })
  })

  test('the palette goes to pages and resources, runs commands, and remembers, by keyboard alone', async () => {
    const { page, complaints } = await signedIn(platform)
    const search = page.getByRole('textbox', { name: 'Go to, find or do' })
    await page.keyboard.press('Control+k')
    await search.waitFor()
    await page.keyboard.type('paym')
    await page.getByRole('button', { name: /^payments/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/teams\/(-\/)?payments$/)
    await page.getByRole('heading', { level: 1, name: 'payments' }).waitFor()

    await page.keyboard.press('/')
    await search.waitFor()
    await page.locator('[role=dialog] button').first().getByText('payments').first().waitFor()
    await page.keyboard.type('dark app')
    // Without waiting for anything: what is typed counts, however quick the fingers.
    await page.keyboard.press('Enter')
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
    // Opened again at once, nothing is left of the last time.
    await page.keyboard.press('/')
    await search.waitFor()
    await page.keyboard.type('light app')
    await page.keyboard.press('Enter')
    await page.locator('html[data-mantine-color-scheme=light]').waitFor()
    expect(await search.count()).toBe(0)

    await page.keyboard.press('Control+k')
    await search.fill('nothing is called like this')
    await page.getByText('Nothing is called like').waitFor()
    await page.keyboard.press('Escape')
    await search.waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  })

  test('g and a letter goes there, ? shows all keys, and they can be switched off', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    await page.waitForURL(/\/kinds(\?|$)/)
    // Whoever hears the page instead of seeing it is told where they are.
    await page.locator('h1:focus', { hasText: 'Resources' }).waitFor()
    expect(await page.title()).toBe('Resources · Pavior')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Go to Apps').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Account of admin' }).click()
    await page.getByText('Single-key shortcuts: on').click()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { level: 1 }).focus()
    await page.keyboard.press('?')
    await page.keyboard.press('Control+k')
    await page.getByRole('textbox', { name: 'Go to, find or do' }).waitFor()
    expect(await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a team is chosen for all pages, stands in the address, and lasts', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/kinds/apps`)
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Team: all teams' }).click()
    await page.getByRole('option', { name: 'payments' }).click()
    await page.waitForURL(/team=payments/)
    await page.getByText('There are no apps in team payments yet').waitFor()
    await page.goto(`${platform.url}/kinds/apps`)
    await page.getByRole('button', { name: 'Team: payments' }).waitFor()
    await page.goto(`${platform.url}/kinds/apps?team=default`)
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  test('the appearance is chosen and lasts; without a choice it is that of the system', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { scheme: 'dark' })
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
    await page.getByRole('button', { name: 'Account of admin' }).click()
    await page.getByText('Light', { exact: true }).click()
    await page.locator('html[data-mantine-color-scheme=light]').waitFor()
    await page.reload()
    await page.locator('html[data-mantine-color-scheme=light]').waitFor()
    expect(complaints).toEqual([])
  })

  test('a deployment that ends while one is elsewhere is told, and stands behind the bell until it is read', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/kinds`)
    await page.getByRole('button', { name: 'Notifications', exact: true }).and(page.locator(':enabled')).waitFor()
    await page.getByRole('row').nth(5).waitFor()
    const directory = await appDirectory('mail', webApp('mail'))
    await platform.json(['deploy'], { directory })
    await page.getByText('mail v1 serves in production').waitFor()
    await page.getByRole('button', { name: /Notifications, [1-9]\d* unread/ }).click()
    await page.getByRole('button', { name: /mail v1 default\/production/ }).click()
    await page.waitForURL(/deployments\/.*mail-production-1/)
    await page.getByRole('button', { name: 'Notifications', exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  test('a lost connection is said, and goes on by itself', async () => {
    const { page } = await signedIn(platform)
    let broken = true
    await page.routeWebSocket('**/v1/live', (socket) => void (broken ? socket.close() : socket.connectToServer()))
    await page.goto(`${platform.url}/kinds/environments/default/production`)
    await page.getByText('The connection was lost').waitFor()
    broken = false
    await page.getByRole('button', { name: 'Try now' }).click()
    await page.getByRole('heading', { level: 1, name: 'production' }).waitFor()
    await page.getByText('The connection was lost').waitFor({ state: 'detached' })
  })

  test('an address that leads nowhere says so within the frame', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/no/such/page`)
    await page.getByRole('heading', { level: 1, name: 'There is no such page' }).waitFor()
    await page.getByRole('button', { name: 'Search', exact: true }).click()
    await page.getByRole('textbox', { name: 'Go to, find or do' }).waitFor()
    await page.goto(`${platform.url}/kinds/dragons`)
    await page.getByRole('alert').getByText('There is no kind "dragons"').waitFor()
    await page.getByRole('navigation', { name: 'Places' }).waitFor()
    expect(complaints.filter((complaint) => !complaint.includes('dragons'))).toEqual([])
  })

  test('on a narrow screen the places are behind a button', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 740 })
    await page.getByRole('button', { name: 'Navigation' }).click()
    await page.getByRole('link', { name: 'Resources' }).click()
    await page.waitForURL(/\/kinds/)
    await page.getByRole('link', { name: 'Team', exact: true }).waitFor()
    expect(complaints).toEqual([])
  })
})
