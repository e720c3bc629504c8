/** Dashboards in the portal: the ready ones with what was measured, a copy that is changed, a conflict, panels that fail alone. */
import type { DashboardSpec } from '@pavior/contract'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000
const path = '/apis/pavior.dev/v1/namespaces/default/dashboards'

describe.skipIf(noBrowser)('dashboards in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  const panel = (page: Page, title: string): ReturnType<Page['getByRole']> => page.getByRole('region', { name: title, exact: true })
  const specOf = async (name: string): Promise<DashboardSpec> => (await platform.api('GET', `${path}/${name}`)).body.spec
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('the ready ones show what is so, live, with marks of what changed', async () => {
    const directory = await appDirectory('shop', webApp('shop'))
    const { code, stderr } = await platform.cli(['deploy', directory])
    expect(code, stderr).toBe(0)
    expect((await platform.cli(['incident', 'open', 'Checkout answers slowly', '--app', 'shop'])).code).toBe(0)
    for (let count = 0; count < 5; count++) await platform.get('shop.localhost')
    const counted = `/prometheus/api/v1/query?team=default&query=${encodeURIComponent('sum(pavior_http_requests_total{app="shop"}) >= 5')}`
    await until('the requests to be counted', async () => (await platform.api('GET', counted)).body.data.result.length === 1, 60_000)

    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/dashboards`)
    await page.getByRole('table').getByRole('link', { name: 'On call', exact: true }).click()
    await panel(page, 'Open incidents').getByText('1', { exact: true }).waitFor()
    await panel(page, 'Incidents').getByRole('link', { name: /Checkout answers slowly/ }).waitFor()
    await page.getByRole('figure', { name: 'Requests a second' }).getByRole('button', { name: /shop production/ }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect((await platform.cli(['incident', 'resolve', 'inc-1'])).code).toBe(0)
    await panel(page, 'Open incidents').getByText('0', { exact: true }).waitFor()

    await page.goto(`${platform.url}/dashboards/default/executive`)
    await panel(page, 'Kept without rollback').getByText('100 %').waitFor()
    await panel(page, 'From push to live').getByText('of 1 deployment').waitFor()

    await page.goto(`${platform.url}/dashboards/default/debug?var-app=shop`)
    await page.getByRole('figure', { name: 'Requests a second by answer' }).getByRole('button', { name: /2xx/ }).waitFor()
    await panel(page, 'Requests a second by answer').getByRole('button', { name: /^More of/ }).click()
    await page.getByRole('menuitem', { name: 'Explore its query' }).click()
    await page.waitForURL(/explore\/metrics/)
    expect(await page.getByLabel('Expression').inputValue()).toContain('app="shop"')
    expect(complaints).toEqual([])
  })

  test('a copy is changed by keyboard and form; what somebody else saves meanwhile is not lost', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/dashboards/default/debug`)
    await page.getByRole('button', { name: 'Save a copy' }).click()
    await page.getByRole('dialog').getByLabel('Title').fill('Ours')
    await page.getByRole('dialog').getByLabel('Name').fill('ours')
    await page.getByRole('button', { name: 'Save it' }).click()
    await page.waitForURL(/dashboards\/default\/ours\?edit=1/)

    await page.getByRole('button', { name: 'Move Time to answer' }).press('ArrowLeft')
    await page.getByRole('button', { name: 'Move Time to answer' }).press('Shift+ArrowLeft')
    await page.getByRole('button', { name: 'Add a panel' }).click()
    await page.getByLabel('Title').fill('Broken')
    await page.getByLabel('Expression').fill('sum(rate(pavior_instance_healthy))')
    await page.getByLabel('Expression').press('Enter')
    await panel(page, 'Broken').getByText('QUERY_INVALID').waitFor()
    await page.getByRole('figure', { name: 'Time to answer' }).waitFor()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText(/"Broken": 1:10: rate takes a range vector/).waitFor()
    await page.getByRole('button', { name: 'Change Broken' }).click()
    await page.getByLabel('Expression').fill('sum(pavior_instance_healthy{team="$team"})')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('figure', { name: 'Broken' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.getByRole('button', { name: 'Take Restarts by instance away' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await panel(page, 'Restarts by instance').waitFor()
    await page.getByRole('link', { name: 'Metrics' }).click()
    await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Cancel' }).click()

    const theirs = await specOf('ours')
    expect((await platform.api('PATCH', `${path}/ours`, { spec: { description: 'Of the shop.', panels: theirs.panels.map((one) => (one.title === 'Time to answer' ? { ...one, description: 'By theirs.' } : one)) } }, { 'content-type': 'application/merge-patch+json' })).status).toBe(200)
    await page.getByRole('button', { name: 'Bring their change in' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('button', { name: 'Change it' }).waitFor()
    const saved = await specOf('ours')
    expect(saved.title).toBe('Ours')
    expect(saved.description).toBe('Of the shop.')
    expect(saved.panels[0]).toMatchObject({ title: 'Time to answer', width: 5, description: 'By theirs.' })
    expect(saved.panels.at(-1)).toMatchObject({ title: 'Broken', queries: [{ query: 'sum(pavior_instance_healthy{team="$team"})' }] })
    expect(complaints).toEqual([])
  })

  test('what is found in Metrics is added; the command shows it, gives it to Grafana and takes it back', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/explore/metrics?q=${encodeURIComponent('sum(pavior_instance_memory_bytes)')}`)
    await page.getByRole('button', { name: 'Add to a dashboard' }).click()
    await page.getByLabel('Title of the panel').fill('Memory of all')
    await page.getByRole('button', { name: 'Add it', exact: true }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'ours' }).waitFor()
    expect((await specOf('ours')).panels.at(-1)).toEqual({ title: 'Memory of all', kind: 'line', unit: 'bytes', queries: [{ query: 'sum(pavior_instance_memory_bytes)' }] })

    const shown = await platform.cli(['dashboard', 'show', 'ours', '--app', 'shop', '--since', '15m'])
    expect(shown.stdout, shown.stderr).toMatch(/Memory of all\n {2}.*[MGk]B/)
    const file = join(platform.home, 'ours.json')
    expect((await platform.cli(['dashboard', 'export', 'ours', '--grafana', '-o', file])).stderr).toContain('Slowest traces: Grafana does not know traces')
    const taken = await platform.cli(['dashboard', 'import', file, '--name', 'back'])
    expect(taken.stdout, taken.stderr).toContain('back has 16 panels')
    await writeFile(file, '{}')
    expect((await platform.cli(['dashboard', 'import', file])).stderr).toContain('no dashboard of Grafana')
    expect((await platform.cli(['dashboard', 'remove', 'back'])).code).toBe(0)
    expect(complaints).toEqual([])
  })

  test('it fits a small screen, and an app shows its incident', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 700, scheme: 'dark' })
    for (const where of ['/dashboards', '/dashboards/default/executive', '/dashboards/default/ours?edit=1&var-app=shop', '/dashboards/default/gone']) {
      await page.goto(`${platform.url}${where}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), where).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
    await page.goto(`${platform.url}/apps/default/shop`)
    await page.getByRole('list', { name: 'Latest deployments and incidents' }).getByRole('link', { name: 'inc-1' }).waitFor()
    expect(complaints).toEqual([])
  })
})
