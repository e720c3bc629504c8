/** Incidents in the portal: opened by hand and by an alert, taken and told of by keyboard, rolled back with one button, learned from. */
import type { IncidentSpec, IncidentStatus, PostmortemSpec, Resource } from '@pavior/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000
const base = '/apis/pavior.dev/v1/namespaces/default'

describe.skipIf(noBrowser)('incidents in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  const incident = async (name: string): Promise<Resource<IncidentSpec, IncidentStatus>> => (await platform.api('GET', `${base}/incidents/${name}`)).body
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('an alert opens it; it is taken, noted and moved by keyboard, and rolled back with one button', async () => {
    const directory = await appDirectory('shop', webApp('one'))
    expect((await platform.cli(['deploy', directory])).code).toBe(0)
    const bad = webApp('two')
    await writeFiles(directory, { ...bad, 'server.js': bad['server.js']!.replace('response.end(', 'response.writeHead(500).end(') })
    expect((await platform.cli(['deploy', directory, '--strategy', 'rolling'])).code).toBe(0)
    for (let count = 0; count < 5; count++) await platform.get('shop.localhost')
    await platform.api('POST', `${base}/alerts`, { metadata: { name: 'shop-down' }, spec: { severity: 'page', summary: 'The shop answers 500.', source: { kind: 'AlertRule', name: 'shop-down' }, app: 'shop', environment: 'production' } })
    const { body: alert } = await platform.api('GET', `${base}/alerts/shop-down`)
    await platform.api('PUT', `${base}/alerts/shop-down/status`, { ...alert, status: { state: 'Firing', since: new Date().toISOString() } })
    await until('the suspect', async () => (await incident('inc-1')).status?.suspects?.[0]?.undo !== undefined, 60_000)

    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop`)
    await page.getByRole('status').getByRole('link', { name: 'inc-1' }).click()
    await page.getByRole('heading', { name: 'inc-1' }).waitFor()
    await page.getByRole('list', { name: 'Timeline' }).getByText('The shop answers 500.').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('a')
    await page.getByRole('button', { name: 'I take it' }).waitFor({ state: 'detached' })
    expect((await incident('inc-1')).status!.acknowledged!.by).toBe('user:admin')

    await page.keyboard.press('n')
    await page.getByRole('dialog').getByRole('textbox', { name: 'Note' }).fill('Is it v2? <img src=x onerror=alert(1)>')
    await page.getByRole('button', { name: 'Say it' }).click()
    await page.getByRole('list', { name: 'Timeline' }).getByText('Is it v2? <img src=x onerror=alert(1)>').waitFor()
    await page.keyboard.press('s')
    await page.getByRole('button', { name: 'Move to Identified' }).click()
    await page.getByText('Identified', { exact: true }).waitFor()

    await page.getByRole('button', { name: 'Roll back to v1' }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await until('v1 to serve', async () => (await platform.get('shop.localhost')).status === 200)
    await page.getByRole('list', { name: 'Timeline' }).getByText('v1 of shop serves production.').first().waitFor()
    await page.getByRole('button', { name: 'Give commander' }).click()
    await page.getByRole('button', { name: 'I take it' }).click()
    await until('a commander', async () => (await incident('inc-1')).spec.roles?.commander === 'admin')
    expect(complaints).toEqual([])
  })

  test('it is closed with a postmortem, which is written, published and followed up', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/incidents/default/inc-1`)
    await page.getByRole('button', { name: /^Move/ }).click()
    await page.getByRole('combobox', { name: 'State' }).click()
    await page.getByRole('option', { name: /^Closed/ }).click()
    await page.getByRole('switch', { name: 'Draft a postmortem' }).check({ force: true })
    await page.getByRole('button', { name: 'Move to Closed' }).click()
    await page.getByRole('link', { name: 'Its postmortem' }).click()
    await page.getByRole('heading', { name: 'Contributing factors' }).waitFor()
    await page.getByText(/v2 of shop went to production/).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.keyboard.press('e')
    await page.getByRole('textbox', { name: 'Summary' }).fill('The shop answered **500** for a while.')
    await page.getByRole('region', { name: 'Preview of Summary' }).getByText('500').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('strong').getByText('500').waitFor()
    await page.getByLabel('What is to be done').fill('Judge rolling deploys too')
    await page.getByLabel('Who').fill('admin')
    await page.getByLabel('By').fill('2026-01-02')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('cell', { name: 'Judge rolling deploys too', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Ask for a review' }).click()
    await page.getByRole('button', { name: 'Publish' }).click()
    await page.getByRole('button', { name: 'Take back to review' }).waitFor()

    await page.goto(`${platform.url}/actions`)
    await page.getByText('1 is overdue.').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Done: Judge rolling deploys too' }).click()
    await page.getByText('Nothing is overdue.').waitFor()
    const { spec } = (await platform.api('GET', `${base}/postmortems/inc-1`)).body as Resource<PostmortemSpec>
    expect(spec).toMatchObject({ state: 'Published', summary: 'The shop answered **500** for a while.', actions: [{ title: 'Judge rolling deploys too', owner: 'admin', due: '2026-01-02', state: 'Done' }] })
    expect(complaints).toEqual([])
  })

  test('one is opened by hand; every page fits a small screen', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 700, scheme: 'dark' })
    await page.goto(`${platform.url}/incidents`)
    await page.getByRole('button', { name: 'Open one' }).click()
    await page.getByLabel('What is wrong').fill('Search finds nothing')
    await page.getByRole('button', { name: 'Open it' }).click()
    await page.getByRole('heading', { name: 'inc-2' }).waitFor()
    for (const path of ['/incidents', '/incidents/default/inc-1', '/incidents/default/gone', '/postmortems', '/postmortems/default/inc-1', '/postmortems/default/inc-1?mode=write', '/actions?show=all']) {
      await page.goto(`${platform.url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), path).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })
})
