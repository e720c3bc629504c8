/** Alerts in the portal: what fires is taken and silenced, a channel is tried, somebody stands in. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000
const base = '/apis/pavior.dev/v1/namespaces/default'

describe.skipIf(noBrowser)('alerts in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  const taken: string[] = []
  const hook = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += String(chunk)))
    request.on('end', () => {
      taken.push((JSON.parse(text) as { kind: string }).kind)
      response.end()
    })
  })
  const declare = async (plural: string, name: string, spec: object): Promise<void> => {
    const { status, body } = await platform.api('POST', `${base}/${plural}`, { metadata: { name }, spec })
    expect(status, JSON.stringify(body)).toBe(201)
  }
  beforeAll(async () => {
    platform = await newPlatform()
    await new Promise<void>((resolve) => void hook.listen(0, '127.0.0.1', resolve))
    await declare('notificationchannels', 'ops', { webhook: { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}` } })
    await declare('escalationpolicies', 'default', { levels: [{ channels: ['ops'] }] })
    await declare('alertrules', 'load', { severity: 'page', summary: 'Load is {{value}}', condition: { metric: { query: 'vector(42)', above: 10 } } })
  }, timeoutMs)
  afterAll(() => new Promise<void>((resolve) => void hook.close(() => resolve())))

  test('what fires is seen, taken, silenced and judged, and a channel is tried', async () => {
    await until('somebody to be told', async () => taken.includes('Fired'), 60_000)
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/alerts`)
    await page.getByRole('row').nth(1).getByText('Firing').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('link', { name: 'Load is 42' }).click()
    await page.getByRole('row').filter({ hasText: 'Delivered' }).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText('admin took it').waitFor()
    await page.getByRole('button', { name: 'Silence' }).click()
    await page.getByLabel('Why').fill('We look at it')
    await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click()
    await page.getByText('Nobody is told of it: silenced').waitFor({ timeout: 60_000 })
    await page.getByRole('button', { name: 'Resolve' }).click()
    await page.getByText('Over', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'It was noise' }).click()
    await page.getByText('noise', { exact: true }).waitFor()

    await page.goto(`${platform.url}/silences`)
    await page.getByRole('button', { name: /^End silence-/ }).click()
    await page.getByText('Ended').waitFor()

    await page.goto(`${platform.url}/channels/default/ops`)
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.getByText('It works. It answered 200.').waitFor()
    await page.getByRole('row').filter({ hasText: 'Test' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(taken).toContain('Test')
    expect(complaints).toEqual([])
  })

  test('the calendar shows turns and holes, and somebody stands in', async () => {
    await declare('oncallschedules', 'primary', { timeZone: 'UTC', layers: [{ name: 'office', users: ['admin', 'bob'], start: '2026-01-05', every: 'day', within: { from: '09:00', to: '17:00' } }] })
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 700, scheme: 'dark' })
    await until('somebody to look who is on call', async () => (await platform.api('GET', `${base}/oncallschedules/primary`)).body.status?.observedGeneration === 1)
    await page.goto(`${platform.url}/on-call`)
    await page.getByRole('list', { name: 'On call' }).first().getByText('nobody').first().waitFor()
    // Not check(): it stands in the address, so it is on a moment after the click.
    await page.getByRole('switch', { name: 'Every layer by itself' }).click({ force: true })
    await page.getByRole('list', { name: 'Layer office' }).first().waitFor()
    await page.getByRole('button', { name: 'Stand in' }).click()
    await page.getByRole('dialog').getByLabel('Why').fill('I am awake')
    await page.getByRole('dialog').getByRole('button', { name: 'Stand in' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await until('admin to stand in', async () => (await platform.api('GET', `${base}/oncallschedules/primary`)).body.status?.now?.user === 'admin')
    // The last minutes of a week are too narrow to be seen, and they go on in the next one.
    await page.getByTitle(/^admin, stands in/).first().waitFor({ state: 'attached' })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})
