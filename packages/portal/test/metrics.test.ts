/** The metrics explorer in a browser: an expression is written with completion, asked, drawn, filtered, shared by its address. */
import { rm, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { contrastViolations, seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000
const byCode = 'sum by (code) (increase(pavior_http_requests_total{app="shop"}[5m]))'

describe.skipIf(noBrowser)('metrics', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const parent = await mkdtemp(join(tmpdir(), 'pavior-metrics-'))
    await writeFiles(join(parent, 'shop'), webApp('shop'))
    await platform.json(['deploy'], { directory: join(parent, 'shop') })
    await rm(parent, { recursive: true })
    const counted = async (): Promise<boolean> => {
      await platform.get('shop.localhost')
      const { body } = await platform.api('GET', `/prometheus/api/v1/query?query=${encodeURIComponent(byCode)}`)
      const { body: described } = await platform.api('GET', '/prometheus/api/v1/metadata?metric=pavior_instance_memory_bytes')
      if (!('pavior_instance_memory_bytes' in (described as { data: object }).data)) return false
      return (body as { data: { result: { value: [number, string] }[] } }).data.result.some(({ value }) => Number(value[1]) > 0)
    }
    await until('requests and memory to be measured', counted, 90_000)
  }, timeoutMs)

  test('are asked for with completion, drawn, filtered and shared', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/explore/metrics`)
    await page.getByPlaceholder('Filter metrics').fill('memory of an instance')
    await page.getByRole('table', { name: 'metrics' }).getByText('pavior_instance_memory_bytes').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    const field = page.getByLabel('Expression')
    await field.pressSequentially('sum by (code) (increase(pavior_http_reques')
    await page.getByRole('option', { name: /^pavior_http_requests_total/ }).waitFor()
    await field.press('ArrowDown')
    await page.locator('[role=option][data-combobox-selected]').waitFor()
    await page.getByRole('option', { name: /^pavior_http_requests_total/ }).click()
    await field.pressSequentially('{ap')
    await page.getByRole('option', { name: 'app', exact: true }).click()
    await page.getByRole('option', { name: 'shop' }).click()
    await field.pressSequentially('"}[5m]))')
    expect(await field.inputValue()).toBe(byCode)
    await field.press('Enter')
    await page.getByRole('figure', { name: 'Result' }).locator('canvas').waitFor()
    await page.getByText('4 series.').waitFor()
    expect(new URL(page.url()).searchParams.get('q')).toBe(byCode)
    expect(await seriousViolations(page)).toEqual([])

    await page.getByPlaceholder('Filter series').fill('5xx')
    await page.getByText('1 of 4 series.').waitFor()
    await page.getByRole('figure', { name: 'Result' }).getByRole('button', { name: /5xx/ }).waitFor()
    const other = await signedIn(platform)
    await other.page.goto(page.url())
    await other.page.getByText('1 of 4 series.').waitFor()
    expect(complaints).toEqual([])
    expect(other.complaints).toEqual([])
  })

  test('the command line answers the same', async () => {
    const range = (await platform.json(['metrics', byCode, '--since', '5m'])) as { resultType: string; result: { metric: { code: string }; values: unknown[] }[] }
    expect(range).toMatchObject({ resultType: 'matrix', result: [{ metric: { code: '2xx' } }, { metric: { code: '3xx' } }, { metric: { code: '4xx' } }, { metric: { code: '5xx' } }] })
    expect(await platform.json(['metrics', 'list', 'memory of an'])).toEqual([expect.objectContaining({ name: 'pavior_instance_memory_bytes', type: 'gauge' })])
    const [row] = (await platform.json(['top', '--by', 'memory'])) as { app: string; memory: number; requests: number }[]
    expect(row).toMatchObject({ app: 'shop', environment: 'production' })
    expect(row!.memory).toBeGreaterThan(1_000_000)
    expect(row!.requests).toBeGreaterThan(0)
  })

  test('what is wrong is marked, and what does not exist is said', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/explore/metrics?q=${encodeURIComponent('sum(rate(up))')}`)
    await page.getByText('rate takes a range vector').waitFor()
    expect(await page.locator('pre mark').textContent()).toBe('up')
    await page.getByLabel('Expression').fill('nothing_like_it')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByText('Nothing fits in this time.').waitFor()
    expect(complaints).toEqual([])
  })

  test('an app leads to its own, also on a telephone in the dark', async () => {
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, scheme: 'dark' })
    await page.goto(`${platform.url}/apps/default/shop`)
    await page.getByRole('link', { name: 'Explore' }).click()
    await page.getByRole('figure', { name: 'Result' }).locator('canvas').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    expect(await contrastViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('go on to others and are asked of others, and it is said how that goes', async () => {
    const elsewhere = createServer((request, response) => {
      const isWrite = request.url === '/api/v1/write'
      const answer = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric: { __name__: 'heat', room: 'kitchen' }, values: [[Math.floor(Date.now() / 1000) - 600, '21']] }] } })
      request.resume().on('end', () => response.writeHead(isWrite ? 204 : 200, { 'content-type': 'application/json' }).end(isWrite ? undefined : answer))
    })
    await new Promise<void>((resolve) => void elsewhere.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
      await platform.json(['export', 'add', 'mimir', '--prometheus', `${url}/api/v1/write`])
      await platform.json(['source', 'add', 'central', url])
      const { page, complaints } = await signedIn(platform)
      await page.goto(`${platform.url}/explore/exports`)
      await page.getByRole('table', { name: 'sources' }).getByText('central').waitFor()
      await page.getByRole('table', { name: 'exports' }).getByText('Exporting').waitFor({ timeout: 60_000 })
      expect(await seriousViolations(page)).toEqual([])
      await page.getByRole('link', { name: 'mimir' }).click()
      await page.getByRole('button', { name: 'Send an empty request' }).click()
      await page.getByText('It works. metrics: It answered 204.').waitFor()
      expect(await seriousViolations(page)).toEqual([])
      await page.goto(`${platform.url}/explore/metrics?q=heat`)
      await page.getByLabel('Asked of').selectOption({ label: 'default/central' })
      await page.getByText('1 series.').waitFor()
      await page.getByRole('table', { name: 'series' }).getByText('heat{room="kitchen"}').waitFor()
      expect(new URL(page.url()).searchParams.get('source')).toBe('default/central')
      expect(complaints).toEqual([])
    } finally {
      elsewhere.closeAllConnections()
      elsewhere.close()
    }
  })
})
