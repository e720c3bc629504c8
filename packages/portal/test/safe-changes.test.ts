/** Safe changes in the portal: a trial seen live and steered, promotion with its plan, approval by a second person, a freeze. */
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 180_000
/** Between two requests: traffic, but no strain for a small machine. */
const pauseMs = 10
/** With as many within five minutes no step of these tests is too quiet to be judged by its traffic. */
const countedRequests = 200
const environments = '/apis/pavior.dev/v1/namespaces/default/environments'
/** Answers every other request with 500. */
const broken = { ...webApp(''), 'server.js': `let count = 0; require('http').createServer((request, response) => { response.statusCode = count++ % 2 ? 500 : 200; response.end('broken') }).listen(process.env.PORT)` }

describe.skipIf(noBrowser)('safe changes in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  const declare = async (name: string, spec: object): Promise<void> => {
    const { status, body } = await platform.api('POST', environments, { metadata: { name }, spec })
    expect(status, JSON.stringify(body)).toBe(201)
  }
  const phaseOf = async (name: string): Promise<string> => (await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/deployments/${name}`)).body.status?.phase
  /** Serves v1 in the environment, and has the files of the next one in its directory. */
  const served = async (app: string, environment: string, next: Record<string, string>): Promise<string> => {
    const directory = await appDirectory(app, webApp('one'))
    await platform.json(['deploy', '--environment', environment], { directory })
    await writeFiles(directory, next)
    return directory
  }
  /** Requests until the end of the test; resolves when the platform has counted enough of them to judge by. */
  const load = async (app: string, environment: string): Promise<void> => {
    let stopped = false
    const ask = async (): Promise<void> => {
      while (!stopped) {
        await platform.get(`${environment}--${app}.default.localhost`).catch(() => {})
        await delay(pauseMs)
      }
    }
    const running = ask()
    onTestFinished(() => {
      stopped = true
      return running
    })
    await until('requests to be counted', async () => (await platform.api('GET', `/v1/teams/default/apps/${app}/traffic?environment=${environment}`)).body.totals.requests >= countedRequests)
  }
  beforeAll(async () => {
    platform = await newPlatform()
    await declare('staging', { tier: 'staging' })
    const canary = (...steps: object[]): object => ({ tier: 'production', strategy: 'canary', rollout: { steps, judge: { minRequests: 20, slowerThanStable: 100 }, watchSeconds: 0 } })
    await declare('slow', canary({ weight: 20, seconds: 600 }, { weight: 50, seconds: 600 }))
    await declare('asking', canary({ weight: 20, seconds: 1, pause: true }, { weight: 50, seconds: 600 }))
    await declare('guarded', { tier: 'production', after: 'staging', strategy: 'rolling', protection: { approvals: { count: 1 } } })
    for (const user of ['ada', 'grace']) {
      await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: user }, spec: {} })
      await platform.api('PUT', `/v1/teams/default/members/${user}`, { role: user === 'ada' ? 'developer' : 'viewer' })
    }
  }, timeoutMs)

  test('a canary that fails under real requests is seen live, taken back, and says why in the words of the judge', async () => {
    const directory = await served('frail', 'slow', broken)
    const { page, complaints } = await signedIn(platform)
    await load('frail', 'slow')
    const deploying = platform.cli(['deploy', '--environment', 'slow'], { directory })
    await until('the deployment to be there', async () => (await phaseOf('frail-slow-2')) !== undefined)
    await page.goto(`${platform.url}/apps/default/frail/deployments/frail-slow-2`)
    const steps = page.getByRole('list', { name: 'Steps of the trial' })
    await steps.getByText('20 %').waitFor()
    await page.locator('header').getByText('Rolled back').waitFor({ timeout: 60_000 })
    await page.getByRole('alert').getByText('CANARY_FAILED', { exact: true }).waitFor()
    await page.getByRole('alert').getByText(/v2 of frail was taken back: error ratio \d/).waitFor()
    await page.getByRole('alert').getByText('v1 has all traffic again.').waitFor()
    const judge = page.getByRole('group', { name: 'The judge' })
    await judge.getByText('failing').waitFor()
    await judge.getByText(/by \d+ requests? of the traffic/).waitFor()
    await steps.getByText('taken back').waitFor()
    await page.getByRole('figure', { name: 'Requests that fail' }).waitFor()
    expect((await deploying).code).not.toBe(0)
    expect((await platform.get('slow--frail.default.localhost')).body).toBe('one')
    expect(await page.getByRole('button', { name: 'Abort' }).count()).toBe(0)
    expect(await seriousViolations(page)).toEqual([])
    await page.goto(`${platform.url}/apps/default/frail?environment=slow`)
    await page.getByRole('link', { name: 'The deployment that was taken back' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('a trial is paused, resumed and aborted, by keyboard, and a small screen has room for it', async () => {
    const directory = await served('steady', 'slow', webApp('two'))
    const { page, complaints } = await signedIn(platform, 'admin', { width: 360, height: 740 })
    await load('steady', 'slow')
    const deploying = platform.cli(['deploy', '--environment', 'slow'], { directory })
    await until('the trial to begin', async () => (await phaseOf('steady-slow-2')) === 'Shifting')
    await page.goto(`${platform.url}/apps/default/steady/deployments/steady-slow-2`)
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await page.keyboard.press('p')
    await page.getByText('It is paused.').waitFor()
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('p')
    await page.getByText('It is paused.').waitFor({ state: 'detached' })
    await page.locator('li[aria-current=step]').getByText(/^\d+ min \d+ s left$/).waitFor()
    await page.keyboard.press('x')
    const dialog = page.getByRole('dialog', { name: 'Abort this deployment?' })
    await dialog.getByText('v1 has all traffic again at once.').waitFor()
    await dialog.getByRole('button', { name: 'Abort it' }).click()
    await page.locator('header').getByText('Canceled').waitFor()
    expect((await deploying).code).not.toBe(0)
    expect((await platform.get('slow--steady.default.localhost')).body).toBe('one')
    expect(complaints).toEqual([])
  })

  test('a step that asks is resumed, and all traffic is taken before its time', async () => {
    const directory = await served('eager', 'asking', webApp('two'))
    const { page, complaints } = await signedIn(platform)
    await load('eager', 'asking')
    const deploying = platform.cli(['deploy', '--environment', 'asking'], { directory })
    await until('the trial to begin', async () => (await phaseOf('eager-asking-2')) === 'Shifting')
    await page.goto(`${platform.url}/apps/default/eager/deployments/eager-asking-2`)
    await page.getByText('This step waits until somebody resumes it.').waitFor({ timeout: 60_000 })
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.locator('li[aria-current=step]').getByText('50 %').waitFor()
    await page.getByRole('button', { name: 'Take all traffic now' }).click()
    const dialog = page.getByRole('dialog', { name: 'Give v2 all traffic now?' })
    await dialog.getByText('The judge still has its say').waitFor()
    await dialog.getByRole('button', { name: 'Take all traffic' }).click()
    await page.getByText('v2 serves.').first().waitFor({ timeout: 60_000 })
    expect((await deploying).code).toBe(0)
    expect((await platform.get('asking--eager.default.localhost')).body).toBe('two')
    expect(complaints).toEqual([])
  })

  test('a promotion tells its plan, waits for a second person, and refuses the first', async () => {
    const directory = await appDirectory('shop', webApp('one'))
    await platform.json(['deploy', '--environment', 'staging'], { directory })
    await platform.json(['config', 'set', 'LEVEL=debug', '--app', 'shop', '--environment', 'guarded'])
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/shop/environments`)
    await page.getByRole('list', { name: 'What protects guarded' }).getByText('1 approval by somebody with the role developer').waitFor()
    await page.getByRole('button', { name: 'Promote from staging' }).click()
    const dialog = page.getByRole('dialog', { name: 'Promote staging to guarded?' })
    await dialog.getByText('nothing serves in guarded', { exact: false }).first().waitFor()
    await dialog.getByText('rolling: new instances').waitFor()
    await dialog.getByText('1 approval by somebody with the role developer').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Promote' }).click()
    await page.waitForURL((url) => url.pathname.endsWith('/deployments/shop-guarded-2'))
    await page.locator('header').getByText('Waiting').waitFor()
    // Whoever made the change asks in vain.
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    await page.getByRole('alert').getByText('APPROVAL_REFUSED', { exact: true }).waitFor()
    expect(await phaseOf('shop-guarded-2')).toBe('Waiting')

    // Somebody who only looks is shown what to tell others.
    const grace = await signedIn(platform, 'grace')
    await grace.page.goto(`${platform.url}/approvals`)
    await grace.page.getByText('not yours').waitFor()

    const ada = await signedIn(platform, 'ada')
    await ada.page.getByRole('button', { name: /Notifications.*1 to approve/ }).waitFor()
    await ada.page.getByRole('list', { name: 'What needs you' }).getByRole('link', { name: 'shop v2 to guarded' }).waitFor()
    await ada.page.keyboard.press('g')
    await ada.page.keyboard.press('v')
    await ada.page.getByRole('link', { name: 'Review', exact: true }).click()
    await ada.page.getByRole('button', { name: 'Approve', exact: true }).waitFor()
    await ada.page.keyboard.press('y')
    await ada.page.getByText('v2 serves.').first().waitFor()
    await ada.page.getByText('Approved', { exact: true }).waitFor()
    await page.getByText('v2 serves.').first().waitFor()
    expect((await platform.get('guarded--shop.default.localhost')).body).toBe('one')

    await page.goto(`${platform.url}/apps/default/shop/environments`)
    await page.getByText('The same artifact as staging.').waitFor()
    await writeFiles(directory, webApp('two'))
    await platform.json(['deploy', '--environment', 'staging'], { directory })
    await page.getByText('1 release behind staging.').waitFor()
    await page.getByRole('table', { name: 'Settings that differ' }).getByText('LEVEL').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect([...complaints, ...ada.complaints, ...grace.complaints]).toEqual([])
  })

  test('a freeze holds a deploy and says why; when it ends the deploy goes on', async () => {
    const directory = await served('calm', 'staging', webApp('two'))
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/freezes`)
    await page.getByText('Nothing is frozen').waitFor()
    const freeze = '/apis/pavior.dev/v1/namespaces/default/freezes'
    await platform.api('POST', freeze, { metadata: { name: 'sale' }, spec: { reason: 'The big sale', environments: ['staging'] } })
    const row = page.getByRole('row', { name: /sale/ })
    await row.getByText('Frozen').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    const deploying = platform.cli(['deploy', '--environment', 'staging'], { directory })
    await until('the deployment to wait', async () => (await phaseOf('calm-staging-2')) === 'Waiting')
    await page.goto(`${platform.url}/apps/default/calm/deployments/calm-staging-2`)
    await page.getByText('Changes are frozen: The big sale').first().waitFor()
    await page.getByRole('button', { name: 'Override' }).waitFor()
    await page.goto(`${platform.url}/apps/default/calm/environments`)
    await page.getByText('Changes are frozen: The big sale').waitFor()
    expect((await platform.get('staging--calm.default.localhost')).body).toBe('one')
    await page.goto(`${platform.url}/apps/default/calm/deployments/calm-staging-2`)
    await platform.api('DELETE', `${freeze}/sale`)
    await page.getByText('v2 serves.').first().waitFor({ timeout: 60_000 })
    expect((await deploying).code).toBe(0)
    expect((await platform.get('staging--calm.default.localhost')).body).toBe('two')
    expect(complaints).toEqual([])
  })

  test('an administrator passes a freeze with a reason that is kept', async () => {
    const directory = await served('urgent', 'staging', webApp('two'))
    await platform.api('POST', '/apis/pavior.dev/v1/platformfreezes', { metadata: { name: 'move' }, spec: { reason: 'The database moves', tiers: ['staging'] } })
    onTestFinished(async () => void (await platform.api('DELETE', '/apis/pavior.dev/v1/platformfreezes/move')))
    const deploying = platform.cli(['deploy', '--environment', 'staging'], { directory })
    await until('the deployment to wait', async () => (await phaseOf('urgent-staging-2')) === 'Waiting')
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/urgent/deployments/urgent-staging-2`)
    await page.getByRole('button', { name: 'Override' }).click()
    const dialog = page.getByRole('dialog', { name: 'Deploy to staging all the same?' })
    await dialog.getByLabel('Why it cannot wait').fill('The shop sells at the wrong price')
    await dialog.getByRole('button', { name: 'Override' }).click()
    await page.getByText('v2 serves.').first().waitFor({ timeout: 60_000 })
    expect((await deploying).code).toBe(0)
    expect((await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/deployments/urgent-staging-2')).body.spec.override).toEqual({ reason: 'The shop sells at the wrong price' })
    expect(complaints).toEqual([])
  })
})
