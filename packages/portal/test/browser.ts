/** A real Chromium against a real Pavior. */
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll } from 'vitest'
import type { Platform } from '../../server/test/whole/platform.ts'
import { findChromium } from './chromium.ts'

const found = await findChromium()
if (!found) console.warn('Portal tests are skipped: there is no Chromium. Install one, or name it in PAVIOR_CHROMIUM.')
export const noBrowser = found === undefined
/** More than any page has places for the focus before what a test looks for. */
const mostPresses = 80

let browser: Promise<Browser> | undefined
afterAll(async () => {
  // One that did not come up needs no closing, and must not keep the platform from being stopped.
  await (await browser?.catch(() => undefined))?.close()
})

/** A second attempt for a browser that falls over at its start, which the packaged one does once in some hundred times. */
function launch(): Promise<Browser> {
  const start = (): Promise<Browser> => chromium.launch({ executablePath: found!.path, args: found!.args, headless: true })
  return start().catch((error: Error) => {
    console.warn(`Chromium fell over at its start and is started again: ${/exitCode=\S+ signal=\S+/.exec(error.message)?.[0] ?? error.message.slice(0, 200)}`)
    return start()
  })
}

export interface Visit {
  page: Page
  context: BrowserContext
  /** What the page complained of: script errors and refusals of the content policy. A test ends with `expect(visit.complaints).toEqual([])`. */
  complaints: string[]
}

export interface VisitOptions {
  width?: number
  height?: number
  scheme?: 'light' | 'dark'
}

/** A fresh browser profile, not signed in. */
export async function visit({ width = 1280, height = 800, scheme = 'light' }: VisitOptions = {}): Promise<Visit> {
  browser ??= launch()
  const context = await (await browser).newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce', locale: 'en-US' })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refused request is for the page to explain; the browser's own line about it is no complaint.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  return { page, context, complaints }
}

/** Signs in as the portal's own login link does, and waits for the home page. */
export async function signedIn(platform: Platform, user = 'admin', options: VisitOptions = {}): Promise<Visit> {
  const arrived = await visit(options)
  const { url } = (await platform.api('POST', `/v1/users/${encodeURIComponent(user)}/login-link`)).body as { url: string }
  await arrived.page.goto(url)
  await arrived.page.getByRole('button', { name: 'Sign in' }).click()
  await arrived.page.waitForURL((current) => current.pathname === '/')
  // The frame is there and hears the keyboard.
  await arrived.page.locator('#main').waitFor()
  return arrived
}

/** Presses Tab until what is called so has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < mostPresses; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string | undefined>("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent")
    if (focused === name) return
  }
  throw new Error(`Tab does not reach "${name}".`)
}
