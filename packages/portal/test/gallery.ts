/** Takes the pictures of docs/gallery; started by scripts/gallery.mjs. */
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { findChromium } from './chromium.ts'

const run = promisify(execFile)
const root = process.argv[2]!
const target = join(root, 'docs', 'gallery')
const readyTimeoutMs = 60_000
const settledMs = 600
/** Requests are counted in intervals of ten seconds. */
const countedMs = 14_000
const webpQuality = 66

/** Name of the picture, what it shows, and its path. */
const pages: [name: string, title: string, path: string][] = [
  ['sign-in', 'Sign in', '/sign-in'],
  ['home', 'Home', '/'],
  ['apps', 'Apps', '/apps'],
  ['app', 'An app', '/apps/default/hello-node?range=15m'],
  ['deployments', 'Its deployments', '/apps/default/hello-node/deployments'],
  ['deployment', 'A deployment and what it changed', '/apps/default/hello-node/deployments/hello-node-production-2'],
  ['failed-deployment', 'A deployment that failed', '/apps/default/hello-node/deployments/hello-node-production-3'],
  ['build', 'A build', '/apps/default/hello-node/builds/hello-node-build-1'],
  ['logs', 'Its log', '/apps/default/hello-node/logs'],
  ['processes', 'Processes', '/apps/default/worker-web/processes'],
  ['configuration', 'Configuration', '/apps/default/hello-node/configuration'],
  ['environments', 'Environments, side by side', '/apps/default/hello-node/environments'],
  ['waiting', 'A deployment that waits for somebody', '/apps/default/hello-node/deployments/hello-node-production-6'],
  ['approvals', 'What waits for approval', '/approvals'],
  ['freezes', 'Freezes', '/freezes'],
  ['app-policies', 'What policies say of an app', '/apps/default/hello-node/policies'],
  ['policies', 'Policies', '/policies'],
  ['exceptions', 'Exceptions', '/exceptions'],
  ['quotas', 'Quotas', '/quotas'],
  ['artifact', 'What is in an artifact', '/apps/default/worker-web/artifact'],
  ['advisories', 'Advisories', '/advisories'],
  ['secrets', 'Secrets', '/secrets'],
  ['previews', 'Previews', '/previews'],
  ['repositories', 'Repositories of configuration', '/repositories'],
  ['settings', 'Settings of an app', '/apps/default/hello-node/settings'],
  ['scorecard', 'How ready an app is', '/apps/default/hello-node/scorecard'],
  ['create', 'Create from a template', '/create'],
  ['questions', 'The questions of a template', '/create/default/node-service'],
  ['catalogue', 'The catalogue', '/catalog'],
  ['entity', 'What an app is connected with', '/catalog/component/default/hello-node?depth=2'],
  ['scorecards', 'A scorecard', '/scorecards/production-readiness'],
  ['teams', 'Teams', '/teams'],
  ['team', 'A team', '/teams/default'],
  ['people', 'People', '/people'],
  ['access', 'Roles and who can', '/access'],
  ['sign-on', 'Single sign-on', '/sign-on'],
  ['tokens', 'Tokens and sessions', '/tokens'],
  ['audit', 'Audit', '/audit'],
  ['platform', 'Platform', '/platform'],
  ['kinds', 'Every kind of resource', '/kinds'],
  ['kind', 'Resources of a kind', '/kinds/environments'],
  ['pieces', 'The pieces that pages are made of', '/gallery'],
]

interface Started {
  url: string
  routerPort: number
  cli: (args: string[], cwd?: string) => Promise<string>
  stop: () => Promise<void>
}

async function startPlatform(home: string): Promise<Started> {
  const environment = { ...process.env, PAVIOR_HOME: home, NO_COLOR: '1' }
  const up = spawn(process.execPath, [join(root, 'bin/pavior'), 'up', '--port', '0', '--router-port', '0', '--no-example'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      up.kill('SIGINT')
      reject(new Error(`not ready in time:\n${output}`))
    }, readyTimeoutMs)
    up.on('exit', () => reject(new Error(`ended before it was ready:\n${output}`)))
    const hear = (chunk: Buffer): void => {
      output += chunk.toString()
      if (!/^ {2}Next {5}/m.test(output)) return
      clearTimeout(timer)
      resolve()
    }
    up.stdout.on('data', hear)
    up.stderr.on('data', hear)
  })
  const cli = async (args: string[], cwd = root): Promise<string> => (await run(process.execPath, [join(root, 'bin/pavior'), ...args], { cwd, env: environment })).stdout
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      up.on('exit', () => resolve())
      up.kill('SIGINT')
    })
  return { url: /portal\s+(http\S+)/.exec(output)![1]!, routerPort: Number(/apps\s+http:\/\/<app>\.localhost:(\d+)/.exec(output)![1]!), cli, stop }
}

/** What a person would have done on their first day: three apps, a change, a mistake, a variable, a colleague, a way to production. */
async function liveADay({ cli, routerPort, url }: Started, work: string): Promise<void> {
  const app = join(work, 'hello-node')
  await cp(join(root, 'examples/hello-node'), app, { recursive: true })
  await cli(['deploy'], app)
  for (const example of ['worker-web', 'static']) await cli(['deploy'], join(root, 'examples', example))
  const server = join(app, 'server.js')
  const first = await readFile(server, 'utf8')
  await writeFile(server, first.replace('Hello', 'Good morning'))
  await cli(['deploy'], app)
  await writeFile(server, first.replace('.listen(', '.lisen('))
  await cli(['deploy'], app).catch(() => {})
  await cli(['config', 'set', 'LOG_LEVEL=debug', 'STRIPE_KEY=not-a-real-key', '--app', 'hello-node'], app)
  const { token } = JSON.parse(await readFile(join(work, 'home', 'cli.json'), 'utf8')) as { token: string }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  await fetch(`${url}/v1/teams/default/invitations`, { method: 'POST', headers, body: JSON.stringify({ name: 'ada', displayName: 'Ada Lovelace', role: 'developer' }) })
  // A way to production: staging before it, somebody else's approval, and weekends left alone.
  const post = (path: string, body: object): Promise<unknown> => fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const team = '/apis/pavior.dev/v1/namespaces/default'
  await post(`${team}/environments`, { metadata: { name: 'staging' }, spec: { tier: 'staging' } })
  await fetch(`${url}${team}/environments/production`, { method: 'PATCH', headers: { ...headers, 'content-type': 'application/merge-patch+json' }, body: JSON.stringify({ spec: { after: 'staging', protection: { approvals: { count: 1 } } } }) })
  await post(`${team}/freezes`, { metadata: { name: 'weekend' }, spec: { reason: 'Nobody is there on Fridays after four', tiers: ['production'], weekly: { days: ['fri'], from: '16:00', to: '09:00', timeZone: 'Europe/Berlin' } } })
  await writeFile(server, first.replace('Hello', 'Good evening'))
  await cli(['deploy', '--environment', 'staging'], app)
  await cli(['promote', '--app', 'hello-node', '--from', 'staging', '--to', 'production', '--no-wait'])
  await cli(['secrets', 'set', 'SESSION_KEY', '--app', 'worker-web', '--generate', '--no-wait'])
  await cli(['exception', 'request', 'production-two-instances', '--app', 'hello-node', '--reason', 'It is an example, and nobody waits for it.', '--days', '30'])
  for (let index = 0; index < 300; index++) await visit(routerPort, 'hello-node.localhost')
  await new Promise((resolve) => setTimeout(resolve, countedMs))
}

/** One request through the router; `fetch` would not let us name the host. */
function visit(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { host } }, (response) => response.resume().on('end', () => resolve())).on('error', reject)
  })
}

type State = Awaited<ReturnType<BrowserContext['storageState']>>

async function signIn(browser: Browser, { cli }: Started): Promise<State> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto((JSON.parse(await cli(['users', 'login-link', 'admin', '--json'])) as { url: string }).url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((current) => current.pathname === '/')
  const state = await context.storageState()
  await context.close()
  return state
}

async function takePictures(browser: Browser, platform: Started, scheme: 'light' | 'dark', state: State): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: scheme, reducedMotion: 'reduce', locale: 'en-US', storageState: state })
  const page = await context.newPage()
  const debug = await context.newCDPSession(page)
  for (const [name, , path] of pages) {
    if (name === 'sign-in') await context.clearCookies()
    await page.goto(platform.url + path)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    await page.locator('[aria-busy=true]').waitFor({ state: 'detached' })
    await page.waitForTimeout(settledMs)
    const { data } = await debug.send('Page.captureScreenshot', { format: 'webp', quality: webpQuality })
    const picture = Buffer.from(data, 'base64')
    await writeFile(join(target, `${name}-${scheme}.webp`), picture)
    process.stdout.write(`${name}-${scheme}.webp  ${Math.ceil(picture.length / 1024)} kB\n`)
    if (name === 'sign-in') await context.addCookies(state.cookies)
  }
  await context.close()
}

function index(): string {
  const sections = pages.map(([name, title]) => `## ${title}\n\n| light | dark |\n|---|---|\n| ![${title}, light](${name}-light.webp) | ![${title}, dark](${name}-dark.webp) |\n`)
  return `# Pictures of the portal\n\nMade by \`node scripts/gallery.mjs\` from a real platform with the examples deployed.\n\n${sections.join('\n')}`
}

const work = await mkdtemp(join(tmpdir(), 'pavior-gallery-'))
const platform = await startPlatform(join(work, 'home'))
try {
  await liveADay(platform, work)
  await mkdir(target, { recursive: true })
  for (const old of await readdir(target)) if (old.endsWith('.webp')) await rm(join(target, old))
  const found = await findChromium()
  if (!found) throw new Error('There is no Chromium. Install one, or name it in PAVIOR_CHROMIUM.')
  const browser = await chromium.launch({ executablePath: found.path, args: found.args })
  const state = await signIn(browser, platform)
  for (const scheme of ['light', 'dark'] as const) await takePictures(browser, platform, scheme, state)
  await browser.close()
  await writeFile(join(target, 'README.md'), index())
} finally {
  await platform.stop()
  await rm(work, { recursive: true, force: true })
}
