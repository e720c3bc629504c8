/** A game day that Pavior brings is planned, started, watched, stopped with one key, and judged. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000

describe.skipIf(noBrowser)('game days in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/environments', { metadata: { name: 'staging' }, spec: { tier: 'staging' } })
  }, timeoutMs)

  test('from the library to a verdict', async () => {
    expect((await platform.cli(['deploy', await appDirectory('shop', webApp('well')), '--environment', 'staging'])).code).toBe(0)
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/gamedays`)
    await page.getByRole('button', { name: 'Plan it: slow-dependency' }).click()
    await page.getByRole('combobox', { name: 'App' }).click()
    await page.getByRole('option', { name: 'shop' }).click()
    await page.getByRole('combobox', { name: 'Environment' }).click()
    await page.getByRole('option', { name: 'staging' }).click()
    await page.getByText('staging does not allow faults yet').waitFor()
    await page.getByRole('button', { name: 'Plan it', exact: true }).last().click()
    await page.getByRole('heading', { name: 'slow-dependency' }).waitFor()

    // Not allowed yet: the page says so, and how to allow it.
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
    await page.getByText('The environment staging does not allow faults.').waitFor()
    expect((await platform.cli(['gameday', 'allow', 'staging'])).code).toBe(0)
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
    await page.getByText('At work', { exact: true }).waitFor()
    await page.getByText('more than 5 % ends it').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.keyboard.press('s')
    await page.getByText('It was stopped: admin stopped it.').waitFor()
    await page.getByText('Cut short', { exact: true }).waitFor()
    await page.getByText('It was refuted').click()
    await page.getByLabel('What was seen, and learned').fill('Callers gave up too soon.')
    await page.getByRole('button', { name: 'Add an action' }).click()
    await page.getByLabel('What is to be done').fill('Wait longer')
    await page.getByRole('button', { name: 'Say so' }).click()
    await page.getByText('Callers gave up too soon.').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.goto(`${platform.url}/apps/default/shop/gamedays`)
    await page.getByRole('row').filter({ hasText: 'slow-dependency' }).getByText('Refuted').waitFor()
    await page.goto(`${platform.url}/actions`)
    await page.getByRole('button', { name: 'Done: Wait longer' }).click()
    await page.getByRole('button', { name: 'Done: Wait longer' }).waitFor({ state: 'detached' })
    const { body } = await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/gamedays/slow-dependency')
    expect(body.spec.verdict).toMatchObject({ result: 'refuted', text: 'Callers gave up too soon.', actions: [{ title: 'Wait longer', state: 'Done' }] })
    expect(complaints).toEqual([])
  })
})
