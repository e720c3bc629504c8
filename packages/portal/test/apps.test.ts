/** The paved road in the portal: deploy and watch, a failure with its reason, back again, scale, configure, read logs. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const timeoutMs = 120_000

describe.skipIf(noBrowser)('apps in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  }, timeoutMs)

  test('a deploy is seen live: from the empty list over the build to the address that answers', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps`)
    await page.getByText('No apps yet').waitFor()
    await page.getByText('pavior deploy').waitFor()
    // Long enough to be looked at while it builds.
    const directory = await appDirectory('shop', { ...webApp('one'), 'package.json': JSON.stringify({ name: 'app', private: true, scripts: { build: 'echo building the shop && sleep 2', start: 'node server.js' } }) })
    const deploying = platform.cli(['deploy'], { directory })
    await page.getByRole('link', { name: 'shop', exact: true }).click()
    await page.getByRole('link', { name: 'shop-build-1' }).click()
    await page.getByText('building the shop').first().waitFor()
    // Whoever watches the build comes along to the deployment.
    await page.waitForURL((url) => url.pathname === '/apps/default/shop/deployments/shop-production-1')
    await page.getByRole('heading', { name: 'v1 to production' }).waitFor()
    await page.getByText('v1 serves.').waitFor()
    const { code } = await deploying
    expect(code).toBe(0)
    expect((await platform.get('shop.localhost')).body).toBe('one')
    await page.goto(`${platform.url}/apps/default/shop`)
    await page.getByText('1 of 1', { exact: true }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('a deployment that fails says why, shows the last lines and what it changed, and the one before goes on', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('frail', webApp('good'))
    await platform.json(['deploy'], { directory })
    await writeFiles(directory, webApp('bad', `console.error('the database is not there'); process.exit(7)`))
    expect((await platform.cli(['deploy'], { directory })).code).toBe(1)
    await page.goto(`${platform.url}/apps/default/frail`)
    await page.getByRole('alert').getByText('PROCESS_EXITED').first().waitFor()
    await page.getByRole('link', { name: 'The deployment that failed' }).click()
    await page.getByText('exited with code 7').first().waitFor()
    await page.getByText('v1 keeps serving').waitFor()
    await page.getByText('the database is not there').first().waitFor()
    await page.getByRole('region', { name: 'Changes of server.js' }).waitFor()
    expect((await platform.get('frail.localhost')).body).toBe('good')
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('a build that fails says why', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('unbuilt', { 'package.json': JSON.stringify({ name: 'app', private: true, scripts: { build: 'echo the compiler is unhappy && exit 3', start: 'node server.js' } }), 'server.js': '' })
    expect((await platform.cli(['deploy'], { directory })).code).toBe(1)
    await page.goto(`${platform.url}/apps/default/unbuilt`)
    await page.getByRole('link', { name: 'unbuilt-build-1' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByText('the compiler is unhappy').first().waitFor()
    expect(complaints).toEqual([])
  })

  test('rolling back says what changes, and does it', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('back', webApp('first'))
    await platform.json(['deploy'], { directory })
    await writeFiles(directory, webApp('second'))
    await platform.json(['deploy'], { directory })
    await page.goto(`${platform.url}/apps/default/back/deployments`)
    await page.getByRole('button', { name: 'Roll back to v1' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Files: 1 differs (server.js)').waitFor()
    await dialog.getByRole('button', { name: 'Roll back to v1' }).click()
    await page.waitForURL((url) => url.pathname.endsWith('/back-production-3'))
    await page.getByText('v1 serves.').waitFor()
    expect((await platform.get('back.localhost')).body).toBe('first')
    expect(complaints).toEqual([])
  })

  test('processes are scaled at once and taken back', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('wide', webApp('wide'))
    await platform.json(['deploy'], { directory })
    await page.goto(`${platform.url}/apps/default/wide/processes`)
    await page.getByRole('button', { name: 'One web more' }).click()
    await page.getByText('web runs with 2 instances.').waitFor()
    await page.getByText('2 of 2 healthy').waitFor()
    await page.getByRole('table', { name: 'Instances of web' }).getByText('healthy').nth(1).waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('1 of 1 healthy').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('a variable is set, makes a release, and stays hidden when its name is secret', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('tuned', { ...webApp(''), 'server.js': `require('http').createServer((request, response) => response.end(process.env.API_KEY || 'none')).listen(process.env.PORT)` })
    await platform.json(['deploy'], { directory })
    await page.goto(`${platform.url}/apps/default/tuned/configuration`)
    await page.getByLabel('Name').fill('API_KEY')
    await page.getByLabel('Value').fill('s3cret-value')
    await page.getByRole('button', { name: 'Set', exact: true }).click()
    await page.getByText('API_KEY is set in production.').waitFor()
    await page.getByRole('button', { name: 'Show API_KEY' }).waitFor()
    expect(await page.getByText('s3cret-value').count()).toBe(0)
    await page.getByRole('button', { name: 'Show API_KEY' }).click()
    await page.getByText('s3cret-value').waitFor()
    await until('the value to be served', async () => (await platform.get('tuned.localhost')).body === 's3cret-value')
    await page.goto(`${platform.url}/apps/default/tuned/deployments/tuned-production-2`)
    await page.getByRole('table', { name: 'Configuration' }).getByText('API_KEY').waitFor()
    expect(complaints).toEqual([])
  })

  test('the log is followed, searched and cut down to what is bad, and the address keeps it', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('chatty', { ...webApp(''), 'server.js': `require('http').createServer((request, response) => { console.log(request.url === '/bad' ? 'ERROR it broke' : 'INFO visited ' + request.url); response.end('ok') }).listen(process.env.PORT)` })
    await platform.json(['deploy'], { directory })
    await page.goto(`${platform.url}/apps/default/chatty/logs`)
    const log = page.getByRole('log')
    await log.waitFor()
    await platform.get('chatty.localhost', '/here')
    await log.getByText('INFO visited /here').waitFor()
    await platform.get('chatty.localhost', '/bad')
    await log.getByText('ERROR it broke').waitFor()
    await page.getByLabel('Search these lines').fill('here')
    await log.getByText('it broke').waitFor({ state: 'detached' })
    await page.getByLabel('Search these lines').fill('')
    await page.goto(`${platform.url}/apps/default/chatty/logs?level=error`)
    await log.getByText('ERROR it broke').waitFor()
    expect(await log.getByText('INFO visited').count()).toBe(0)
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('requests are seen in the overview as the router counts them', async () => {
    const { page, complaints } = await signedIn(platform)
    const directory = await appDirectory('busy', webApp('busy'))
    await platform.json(['deploy'], { directory })
    await page.goto(`${platform.url}/apps/default/busy`)
    await page.getByText('No requests in this time.').waitFor()
    for (let index = 0; index < 12; index++) await platform.get('busy.localhost')
    await page.getByText('No requests in this time.').waitFor({ state: 'detached', timeout: 60_000 })
    await page.getByRole('figure', { name: 'Requests a second' }).waitFor()
    await page.getByText('12', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })
})
