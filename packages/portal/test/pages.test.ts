/** Every page that a room brings, in both appearances, wide and narrow: for people with disabilities, and for those with a small screen. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, root, webApp, type Platform } from '../../server/test/whole/platform.ts'
import { contrastViolations, seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const wide = { width: 1280, height: 800 }
const narrow = { width: 360, height: 740 }
const timeoutMs = 600_000

/** What stands in the paths for each parameter. */
const things: Record<string, string> = { plural: 'apps', team: 'default', app: 'shop', code: 'NOT_FOUND', kind: 'component', namespace: 'default', scorecard: 'production-readiness', template: 'node-service', run: 'none', request: 'none' }
const names: [path: string, name: string][] = [['/apps/$team/$app/builds', 'shop-build-1'], ['/apps/', 'shop-production-1'], ['', 'shop']]
/** Of other kinds than the one that stands for all. */
const more = ['/kinds/deployments', '/kinds/users', '/kinds/teams/-/default/edit', '/catalog?view=graph', '/no/such/page']

/** Read from the doors of the rooms: a page that joins is looked at without anybody adding it here. */
function registeredPaths(): string[] {
  const rooms = join(root, 'packages/portal/src/rooms')
  const doors = readdirSync(rooms, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => readFileSync(join(rooms, name, 'index.ts'), 'utf8'))
  const all = (form: RegExp): string[] => doors.flatMap((door) => [...door.matchAll(form)].map(([, found]) => found!))
  const pages = all(/path: '([^']+)'/g).filter((path) => !path.endsWith('/$tab'))
  const tabs = all(/tab: '([^']+)'/g).map((tab) => `/apps/$team/$app/${tab}`)
  return [...pages, ...tabs].map((path) => path.replaceAll(/\$(\w+)/g, (_, parameter: string) => (parameter === 'name' ? names.find(([within]) => path.startsWith(within))![1] : things[parameter]!)))
}

describe.skipIf(noBrowser)('every page', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  })

  test('is usable with assistive technology, light and dark, wide and narrow, and never wider than the screen', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('shop', webApp('shop')) })
    const { page, complaints } = await signedIn(platform, 'admin', { ...wide })
    const found: string[] = []
    const look = async (where: string, violations: Promise<string[]>): Promise<void> => void found.push(...(await violations).map((violation) => `${where}: ${violation}`))
    const paths = [...registeredPaths(), ...more]
    expect(paths.length).toBeGreaterThan(35)
    for (const path of paths) {
      await page.goto(platform.url + path)
      await page.locator('main h1, main [role=alert]').first().waitFor()
      await page.locator('main [aria-busy=true]').waitFor({ state: 'detached' })
      await look(`${path} wide light`, seriousViolations(page))
      // Its gallery shows both by itself, in a frame that stays light.
      const both = path === '/gallery'
      await appear(page, 'dark', both ? 'light' : 'dark')
      await look(`${path} wide dark`, contrastViolations(page))
      await page.setViewportSize(narrow)
      await look(`${path} narrow dark`, seriousViolations(page))
      await appear(page, 'light')
      await look(`${path} narrow light`, contrastViolations(page))
      const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      if (tooWide > 0) found.push(`${path} is ${tooWide} px wider than a screen of ${narrow.width} px`)
      await page.setViewportSize(wide)
    }
    expect(found).toEqual([])
    expect(complaints).toEqual([])
  }, timeoutMs)
})

/** As the system does at dusk: the page follows without being loaded again. */
async function appear(page: Page, colorScheme: 'light' | 'dark', frame = colorScheme): Promise<void> {
  await page.emulateMedia({ colorScheme })
  await page.locator(`html[data-mantine-color-scheme=${frame}]`).waitFor()
}
