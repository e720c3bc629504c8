import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, type Platform } from '../../server/test/whole/platform.ts'
import { noBrowser, signedIn } from './browser.ts'

const rowCount = 10_000
const atOnce = 20

/** Scrolls a quarter of the way down, frame by frame, and gives the time of each frame in milliseconds. Runs in the page. */
const scrollFrames = `new Promise((resolve) => {
  const times = []
  let before = performance.now()
  let left = 90
  const step = (now) => {
    times.push(now - before)
    before = now
    window.scrollBy(0, 300)
    if (--left > 0) requestAnimationFrame(step)
    else resolve(times.slice(1))
  }
  requestAnimationFrame(step)
})`

describe.skipIf(noBrowser)('a table of ten thousand rows', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const numbers = Array.from({ length: rowCount }, (_, index) => index)
    const worker = async (): Promise<void> => {
      for (let index = numbers.pop(); index !== undefined; index = numbers.pop()) {
        const { status } = await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: `person-${index}` }, spec: { displayName: `Person ${index}` } })
        if (status !== 201) throw new Error(`user ${index}: ${status}`)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }, 240_000)

  test('draws only what is near the screen, scrolls, sorts, filters and walks', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/kinds/users?sort=-name`)
    await page.getByText('10,001 users').waitFor()
    expect(await page.locator('tbody tr').count()).toBeLessThan(80)
    const times = (await page.evaluate<number[]>(scrollFrames)).toSorted((one, other) => one - other)
    const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(1)
    console.log(`scrolling 10,000 rows: frames p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${times.at(-1)!.toFixed(1)} ms (60 fps is 16.7 ms)`)
    expect(await page.locator('tbody tr[data-index]').first().getAttribute('data-index')).not.toBe('0')

    await page.evaluate('window.scrollTo(0, 0)')
    expect(await page.locator('tbody tr[data-index="0"] a').innerText()).toBe('person-9999')
    await page.keyboard.press('f')
    await page.keyboard.type('person-777')
    await page.getByText('11 of 10,001 users').waitFor()
    await page.waitForURL(/filter=person-777/)
    await page.reload()
    await page.getByText('11 of 10,001 users').waitFor()
    await page.getByRole('button', { name: 'Name', exact: true }).first().click()
    await page.getByRole('heading', { level: 1 }).focus()
    await page.keyboard.press('j')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^person-777/ }).waitFor()
    expect(complaints).toEqual([])
  })

  test('the last row is reached by keyboard', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/kinds/users`)
    await page.getByText('10,001 users').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('End')
    await page.locator('tr[data-index="10000"]:focus').waitFor()
    expect(complaints).toEqual([])
  })
})
