/**
 * How much the portal's first page weighs and how soon it can be used, on a processor four times slower than this one.
 *
 *   node bench/run.mjs portal [loads=5]
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { findChromium } from '../packages/portal/test/chromium.ts'
import { percentile, root, show, startPlatform, type BenchPlatform } from './platform.ts'

const loads = Number(process.argv[2] ?? 5)
const slowdown = 4
const mostEntryBytes = 250 * 1024
const mostInteractiveMs = 1500
/** No long task for this long: the page listens. */
const quietMs = 500

/** Runs in the page before anything of it: when the heading was there, and when the last long task ended. */
const observe = `
  window.figures = { heading: undefined, busyUntil: 0 }
  new PerformanceObserver((list) => { for (const { startTime, duration } of list.getEntries()) figures.busyUntil = startTime + duration }).observe({ type: 'longtask', buffered: true })
  const look = () => {
    if (document.querySelector('main h1')) figures.heading ??= performance.now()
    if (performance.now() - Math.max(figures.heading ?? Infinity, figures.busyUntil) > ${quietMs}) document.documentElement.dataset.settled = ''
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
`

interface Load {
  headingMs: number
  interactiveMs: number
  scripts: string[]
}

/** As a person who is signed in, with nothing in the cache. */
async function load(browser: Browser, platform: BenchPlatform, state: Awaited<ReturnType<BrowserContext['storageState']>>): Promise<Load> {
  const context = await browser.newContext({ storageState: state })
  const page = await context.newPage()
  const scripts: string[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (pathname.endsWith('.js')) scripts.push(pathname)
  })
  await page.addInitScript(observe)
  const debug = await context.newCDPSession(page)
  await debug.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
  await page.goto(platform.url)
  await page.locator('html[data-settled]').waitFor()
  const { heading, busyUntil } = await page.evaluate<{ heading: number; busyUntil: number }>('figures')
  await context.close()
  return { headingMs: heading, interactiveMs: Math.max(heading, busyUntil), scripts }
}

async function signIn(browser: Browser, platform: BenchPlatform): Promise<Awaited<ReturnType<BrowserContext['storageState']>>> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const { stdout } = await platform.cli(['users', 'login-link', 'admin', '--json'])
  await page.goto((JSON.parse(stdout) as { url: string }).url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname === '/')
  const state = await context.storageState()
  await context.close()
  return state
}

const gzBytes = (path: string): number => statSync(join(root, 'packages/portal/dist', `${path}.gz`)).size

const found = await findChromium()
if (!found) {
  console.log('Left out: there is no Chromium. Install one, or name it in PAVIOR_CHROMIUM.')
  process.exit(0)
}
const platform = await startPlatform()
const browser = await chromium.launch({ executablePath: found.path, args: found.args, headless: true })
try {
  const state = await signIn(browser, platform)
  const measured: Load[] = []
  for (let round = 0; round < loads; round++) measured.push(await load(browser, platform, state))
  const entry = /src="(\/assets\/[^"]+\.js)"/.exec(readFileSync(join(root, 'packages/portal/dist/index.html'), 'utf8'))![1]!
  const scripts = [...new Set(measured.flatMap((one) => one.scripts))]
  const bytes = scripts.reduce((sum, path) => sum + gzBytes(path), 0)
  const kib = (value: number): string => `${(value / 1024).toFixed(0)} KiB`
  show(`JS of the home page, gzip (${scripts.length} files, entry ${kib(gzBytes(entry))})`, `${kib(bytes)} (${(bytes / mostEntryBytes).toFixed(2)} of it)`, '<= 250 KiB', bytes <= mostEntryBytes)
  const heading = percentile(measured.map(({ headingMs }) => headingMs), 0.5)
  const interactive = percentile(measured.map(({ interactiveMs }) => interactiveMs), 0.5)
  show(`heading shown, CPU ${slowdown}x slower (median of ${loads})`, `${heading.toFixed(0)} ms`, `<= ${mostInteractiveMs} ms`, heading <= mostInteractiveMs)
  show(`interactive, CPU ${slowdown}x slower (median of ${loads})`, `${interactive.toFixed(0)} ms (${(interactive / mostInteractiveMs).toFixed(2)} of it)`, `<= ${mostInteractiveMs} ms`, interactive <= mostInteractiveMs)
} finally {
  await browser.close()
  await platform.stop()
}
