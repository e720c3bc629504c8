/** Objectives in the portal: the list, what is left, who burned it, a draft that is confirmed, the gate of a deployment. */
import type { SloSpec } from '@pavior/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000
const base = '/apis/pavior.dev/v1/namespaces/default'

describe.skipIf(noBrowser)('objectives in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  const declare = async (name: string, spec: SloSpec): Promise<void> => {
    expect((await platform.api('POST', `${base}/slos`, { metadata: { name }, spec })).status).toBe(201)
  }
  const stateIs = (name: string, state: string): Promise<void> => until(`${name} to be ${state}`, async () => (await platform.api('GET', `${base}/slos/${name}`)).body.status?.state === state, 60_000)
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('a broken promise is seen at once, with who broke it; a draft is confirmed', async () => {
    const files = webApp('shop')
    files['server.js'] = files['server.js']!.replace('response.end(', "(request.url === '/fail' ? response.writeHead(500) : response).end(")
    const { code, stderr } = await platform.cli(['deploy', await appDirectory('shop', files)])
    expect(code, stderr).toBe(0)
    await declare('shop-answers', { app: 'shop', description: 'The shop answers.', indicator: { golden: 'requests' }, objective: 0.9, budgetPolicy: { onExhausted: 'freeze' } })
    await declare('shop-soon', { app: 'shop', indicator: { golden: 'latency', thresholdMs: 5000 }, objective: 0.9, draft: true })
    for (let count = 0; count < 6; count++) await platform.get('shop.localhost', '/fail')
    await platform.get('shop.localhost')
    await stateIs('shop-answers', 'Exhausted')
    await stateIs('shop-soon', 'Healthy')

    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/slos`)
    const first = page.getByRole('row').nth(1)
    await first.getByText('Exhausted').waitFor()
    await first.getByText('none').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('link', { name: 'shop-answers' }).click()
    await page.getByText(/of the budget went in/).waitFor()
    await page.getByRole('row').filter({ hasText: '5xx by the app' }).waitFor()
    await page.getByRole('figure', { name: 'Budget left' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.getByRole('button', { name: /1 budget in trouble/ }).click()
    await page.getByRole('button', { name: /shop-answers/ }).click()
    await page.waitForURL(/slos\/default\/shop-answers$/)

    await page.goto(`${platform.url}/slos/default/shop-soon`)
    await page.getByRole('button', { name: 'Confirm this draft' }).click()
    await page.getByRole('button', { name: 'Confirm this draft' }).waitFor({ state: 'detached' })
    expect((await platform.api('GET', `${base}/slos/shop-soon`)).body.spec.draft).toBeUndefined()

    await page.goto(`${platform.url}/slos`)
    await page.getByRole('link', { name: 'What the platform promises of itself' }).click()
    await page.getByRole('link', { name: 'database-connections' }).waitFor()
    await page.getByText('The API answers when it is asked').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.goto(`${platform.url}/apps/default/shop`)
    await page.getByRole('link', { name: 'shop-answers' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('it fits a small screen', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 700, scheme: 'dark' })
    for (const path of ['/slos', '/slos/default/shop-answers', '/slos/default/gone']) {
      await page.goto(`${platform.url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), path).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })
})
