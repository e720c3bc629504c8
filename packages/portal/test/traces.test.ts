/** From a bad answer to its cause: by its request id on the command line and in the portal, with spans that the app sends itself. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { TraceSummary, Why } from '@pavior/contract'
import { appDirectory, newPlatform, until, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000

/** Sends a span of its work by OTLP, with what the platform put into its environment. */
const server = `
const http = require('node:http')
const headers = Object.fromEntries(process.env.OTEL_EXPORTER_OTLP_HEADERS.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), decodeURIComponent(pair.slice(pair.indexOf('=') + 1))]))
const nano = (ms) => String(BigInt(Math.round(ms * 1e6)))
let last = 0
http.createServer(async (request, response) => {
  const [, traceId, parentSpanId] = request.headers.traceparent.split('-')
  const bad = request.url.startsWith('/bad')
  const at = Date.now()
  const spanId = (++last).toString(16).padStart(16, '0')
  const span = { traceId, spanId, parentSpanId, name: 'SELECT orders', kind: 3, startTimeUnixNano: nano(at), endTimeUnixNano: nano(at + 1), attributes: [{ key: 'db.system', value: { stringValue: 'postgresql' } }], status: bad ? { code: 2, message: 'connection refused' } : {} }
  const sent = await fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }) })
  response.statusCode = bad ? 500 : sent.ok ? 200 : 418
  response.end('done')
}).listen(process.env.PORT)
`

describe.skipIf(noBrowser)('traces', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('the id of a bad answer leads to what failed, where the time went, and the release', async () => {
    const { code, stderr } = await platform.cli(['deploy', await appDirectory('shop', { ...webApp('shop'), 'server.js': server })])
    expect(code, stderr).toBe(0)
    expect((await platform.get('shop.localhost', '/')).status).toBe(200)
    const { headers, status } = await platform.get('shop.localhost', '/bad?token=secret')
    expect(status).toBe(500)
    const id = String(headers['x-request-id'])
    const known = async (): Promise<Why | undefined> => {
      const { status: found, body } = await platform.api('GET', `/v1/why/${id}`)
      return found === 200 && body.trace.spans.length === 2 ? body : undefined
    }
    let why: Why | undefined
    await until('both spans of the request', async () => (why = await known()) !== undefined, 30_000)
    expect(why!.findings[0]).toMatch(/^GET \/bad got 500 from shop-web-1-\w+ after /)
    expect(why!.findings).toContain('The first thing that failed: SELECT orders in shop, with “connection refused”.')
    expect(why!.release).toMatchObject({ version: 1, deployment: 'shop-production-1' })
    expect(JSON.stringify(why)).not.toContain('secret')
    const told = await platform.cli(['why', id])
    expect(told.stdout).toMatch(/GET \/bad got 500[^]*SELECT orders \(shop\)[^]*release v1/)
    expect((await platform.cli(['why', 'nothing-of-it-1'])).stderr).toContain('Nothing is known of a request nothing-of-it-1.')
    const failed = await platform.json<TraceSummary[]>(['traces', 'shop', '--errors'])
    expect(failed.map(({ traceId, spans }) => [traceId, spans])).toEqual([[why!.traceId, 2]])
    expect((await platform.cli(['traces', 'show', why!.traceId])).stdout).toMatch(/✖ GET \/bad \(shop\)[^]*✖ {3}SELECT orders/)

    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop/traces`)
    await page.getByRole('link', { name: 'GET /bad' }).click()
    await page.waitForURL(new RegExp(`/why/${id}$`))
    await page.getByText('with “connection refused”').waitFor()
    await page.getByRole('button', { name: /SELECT orders/ }).click()
    await page.getByText('postgresql').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.goto(platform.url)
    await page.locator('#main').waitFor()
    await page.keyboard.press('Control+K')
    await page.getByPlaceholder(/./).last().fill(id)
    await page.getByText(`What happened to request ${id}`).click()
    await page.waitForURL(new RegExp(`/why/${id}$`))
    await page.getByText('GET /bad got 500').waitFor()
    expect(complaints).toEqual([])
  })
})
