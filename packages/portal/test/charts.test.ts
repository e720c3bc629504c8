/** Charts by mouse: a part is brushed over to look closer, and what is drawn can be taken along as a picture and as numbers. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000
const requests = 12
const chart = 'Requests a second'

describe.skipIf(noBrowser)('charts', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const directory = join(platform.home, '..', 'busy')
    await writeFiles(directory, webApp('busy'))
    await platform.json(['deploy'], { directory })
    for (let index = 0; index < requests; index++) await platform.get('busy.localhost')
    const counted = async (): Promise<number> => (await platform.api('GET', '/v1/teams/default/apps/busy/traffic?minutes=15')).body.totals.requests
    await until('the requests to be counted', async () => (await counted()) === requests, 60_000)
  }, timeoutMs)

  test('brushing over a part zooms into it, the address keeps it, and back leaves it', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/busy`)
    const { from, until: end } = await brush(page, 0.4, 0.8)
    // An hour is shown: two fifths of it, give or take a few pixels.
    expect((Date.parse(end) - Date.parse(from)) / 60_000).toBeCloseTo(24, -0.5)
    await page.getByRole('button', { name: 'Back to live' }).waitFor()
    const link = page.url()

    // Closer still; each step is one to go back.
    const closer = await brush(page, 0.25, 0.5)
    expect(Date.parse(closer.from)).toBeGreaterThan(Date.parse(from))
    expect(Date.parse(closer.until)).toBeLessThan(Date.parse(end))
    await page.goBack()
    await page.waitForURL(link)
    await page.goBack()
    await page.waitForURL((url) => !url.searchParams.has('from'))
    await page.getByRole('button', { name: 'Back to live' }).waitFor({ state: 'detached' })

    // Whoever gets the link sees the same part.
    const other = await signedIn(platform)
    await other.page.goto(link)
    await other.page.getByRole('figure', { name: chart }).waitFor()
    await other.page.getByRole('button', { name: 'Back to live' }).click()
    await other.page.waitForURL((url) => !url.searchParams.has('from'))
    expect(complaints).toEqual([])
    expect(other.complaints).toEqual([])
  })

  test('a language that formatters do not know keeps no chart from being drawn', async () => {
    const { page, context, complaints } = await signedIn(platform)
    await context.addInitScript("Object.defineProperty(navigator, 'language', { get: () => 'en-US@posix', configurable: true })")
    await page.goto(`${platform.url}/apps/default/busy?range=15m`)
    await page.getByRole('figure', { name: chart }).locator('canvas').waitFor()
    expect(await page.evaluate('navigator.language')).toBe('en-US')
    expect(complaints).toEqual([])
  })

  test('what is drawn is saved as numbers, in which every request is found again', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/busy?range=15m`)
    await page.getByText(String(requests), { exact: true }).waitFor()
    const { name, content } = await exported(page, 'Save as CSV')
    expect(name).toBe('requests-a-second.csv')
    const [head, ...rows] = content.toString().split('\n').map((line) => line.split(','))
    expect(head).toEqual(['time', '"requests"', '"errors"'])
    const times = rows.map(([time]) => Date.parse(time!))
    const stepSeconds = (times[1]! - times[0]!) / 1000
    expect(times.every((time, index) => index === 0 || stepSeconds * 1000 === time - times[index - 1]!)).toBe(true)
    expect(rows.reduce((sum, [, rate]) => sum + Number(rate) * stepSeconds, 0)).toBeCloseTo(requests, 3)
    expect(complaints).toEqual([])
  })

  test.each(['light', 'dark'] as const)('what is drawn is saved as a picture on a ground of its own, %s', async (scheme) => {
    const { page, complaints } = await signedIn(platform, 'admin', { scheme })
    await page.goto(`${platform.url}/apps/default/busy?range=15m`)
    await page.getByText(String(requests), { exact: true }).waitFor()
    const { name, content } = await exported(page, 'Save as PNG')
    expect(name).toBe('requests-a-second.png')
    const { width, height, corner, colours } = await pictureOf(page, content)
    const drawn = (await page.getByRole('figure', { name: chart }).locator('canvas').boundingBox())!
    expect(width).toBeGreaterThanOrEqual(Math.floor(drawn.width))
    expect(height).toBeGreaterThan(drawn.height)
    expect(corner).toEqual(scheme === 'light' ? [255, 255, 255, 255] : [26, 27, 30, 255])
    // Text, lines, grid and their soft edges: an empty chart has a handful.
    expect(colours).toBeGreaterThan(20)
    expect(complaints).toEqual([])
  })
})

/** Drags over the chart between two shares of its width, and gives the range that the address has then. */
async function brush(page: Page, from: number, to: number): Promise<{ from: string; until: string }> {
  const before = page.url()
  const { x, y, width, height } = (await page.getByRole('figure', { name: chart }).locator('.u-over').boundingBox())!
  await page.mouse.move(x + width * from, y + height / 2)
  await page.mouse.down()
  await page.mouse.move(x + width * to, y + height / 2, { steps: 5 })
  await page.mouse.up()
  await page.waitForURL((url) => url.href !== before && url.searchParams.has('from'))
  const { searchParams } = new URL(page.url())
  return { from: searchParams.get('from')!, until: searchParams.get('until')! }
}

async function exported(page: Page, action: string): Promise<{ name: string; content: Buffer }> {
  await page.getByRole('button', { name: `Export ${chart}` }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: action }).click()])
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) }
}

interface Picture {
  width: number
  height: number
  /** Red, green, blue, opacity of the top left corner. */
  corner: number[]
  colours: number
}

/** As the browser itself reads the file. */
function pictureOf(page: Page, png: Buffer): Promise<Picture> {
  return page.evaluate<Picture>(`(async () => {
    const image = new Image()
    image.src = 'data:image/png;base64,${png.toString('base64')}'
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, image.width, image.height)
    return { width: image.width, height: image.height, corner: [...data.slice(0, 4)], colours: new Set(new Uint32Array(data.buffer)).size }
  })()`)
}
