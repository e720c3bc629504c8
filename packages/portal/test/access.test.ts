/** Rights, second factors, single sign-on and the command line in the portal, with a real identity provider. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientId, clientSecret, realIssuer, type RealIssuer } from '../../server/test/whole/issuer.ts'
import { newPlatform, root, type Platform } from '../../server/test/whole/platform.ts'
import { codeNow } from '../../server/test/whole/totp.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn, visit } from './browser.ts'

const timeoutMs = 120_000
const group = '/apis/pavior.dev/v1'

describe.skipIf(noBrowser)('access in the portal', { timeout: timeoutMs }, () => {
  let platform: Platform
  let issuer: RealIssuer
  beforeAll(async () => {
    platform = await newPlatform()
    issuer = await realIssuer(`${platform.url}/v1/sso/callback`, `${platform.url}/sign-in`)
    issuer.accounts.ada = { email: 'ada@example.com', email_verified: true, preferred_username: 'ada', name: 'Ada Lovelace' }
    await platform.api('POST', `${group}/users`, { metadata: { name: 'grace' }, spec: { displayName: 'Grace Hopper' } })
    await platform.api('PUT', '/v1/teams/default/members/grace', { role: 'developer' })
  }, timeoutMs)
  afterAll(() => issuer?.stop())

  test('a provider is added and tested, and whoever it signs in comes in with its button, and leaves there too', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/sign-on`)
    await page.getByRole('button', { name: 'Add a provider' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('corporate')
    await dialog.getByLabel('Shown as').fill('Example Corp')
    await dialog.getByLabel('Issuer').fill(issuer.url)
    await dialog.getByLabel('Client id').fill(clientId)
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('none; the client has to be a public one').waitFor()
    await page.getByRole('button', { name: 'Set the client secret of corporate' }).click()
    await dialog.getByRole('textbox', { name: 'Client secret' }).fill(clientSecret)
    await dialog.getByRole('button', { name: 'Keep it' }).click()
    await page.getByText('Answers').waitFor()
    await page.getByRole('cell', { name: 'set', exact: true }).waitFor()
    expect(await seriousViolations(page)).toEqual([])

    const ada = await visit()
    await ada.page.goto(`${platform.url}/apps`)
    await ada.page.getByRole('link', { name: 'Sign in with Example Corp' }).click()
    await ada.page.locator('input[name=login]').fill('ada')
    await ada.page.locator('input[name=password]').fill('any')
    await ada.page.locator('button[type=submit]').click()
    await ada.page.locator('button[type=submit]').click()
    await ada.page.waitForURL(`${platform.url}/apps`)
    await ada.page.getByText('Account of ada').first().waitFor({ state: 'attached' })
    await ada.page.getByRole('button', { name: 'Account of ada' }).click()
    await ada.page.getByRole('menuitem', { name: 'Sign out' }).click()
    await ada.page.waitForURL((url) => url.href.startsWith(issuer.url))
    expect([...complaints]).toEqual([])
  })

  test('who may is answered with the reason, a role is given and taken back, and one is taken for a while', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/access?verb=create&kind=Deployment&team=default`)
    await page.getByText('Grace Hopper (user:grace)').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Give a role' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('grace')
    await dialog.getByLabel('Why').fill('rota of November')
    await dialog.getByRole('button', { name: 'Give the role' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('tab', { name: 'Given roles' }).click()
    await page.getByText('rota of November').waitFor()
    await page.getByRole('button', { name: /Take back on-call-grace-/ }).click()
    await dialog.getByRole('button', { name: 'Take back' }).click()
    await page.getByText('No role was given').waitFor()

    const grace = await signedIn(platform, 'grace')
    await grace.page.goto(`${platform.url}/access`)
    await grace.page.getByRole('button', { name: 'Take a role for a while' }).click()
    const ask = grace.page.getByRole('dialog')
    await ask.getByLabel('Why').fill('checkout is down')
    await ask.getByRole('button', { name: 'Take the role' }).click()
    await grace.page.getByText(/You are team-owner in default for (30:00|29:\d\d) min/).waitFor()
    // The administrator sees it too, without asking.
    await page.getByText(/grace is team-owner in default for/).waitFor()
    await grace.page.getByRole('button', { name: 'End the role of grace' }).click()
    await grace.page.getByText(/You are team-owner/).waitFor({ state: 'detached' })
    expect([...complaints, ...grace.complaints]).toEqual([])
  })

  test('a second factor is set up, and asked for at the next sign-in', async () => {
    await platform.api('PUT', '/v1/users/grace/password', { password: 'correct horse battery' })
    const { page, complaints } = await signedIn(platform, 'grace')
    await page.goto(`${platform.url}/tokens`)
    await page.getByRole('button', { name: 'Set up' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await dialog.getByRole('img', { name: 'The key as a QR code' }).waitFor()
    const secret = await dialog.locator('code').innerText()
    await dialog.getByLabel('Code').fill(codeNow(secret))
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await dialog.getByText('Keep these recovery codes').waitFor()
    const recovery = await dialog.locator('code').first().innerText()
    expect(await seriousViolations(page)).toEqual([])
    await dialog.getByRole('button', { name: 'I have them' }).click()
    await page.getByText('Recovery codes left: 10.').waitFor()

    const again = await visit()
    await again.page.goto(`${platform.url}/sign-in`)
    await again.page.getByLabel('Name').fill('grace')
    await again.page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery')
    await again.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await again.page.getByLabel('Code').fill(recovery)
    await again.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await again.page.getByRole('heading', { name: 'Hello grace' }).waitFor()
    expect([...complaints, ...again.complaints]).toEqual([])
  })

  test('the command line signs in through the portal, on this machine and with a code on another', async () => {
    const { page, complaints } = await signedIn(platform)
    const config = await mkdtemp(join(tmpdir(), 'pavior-login-'))
    try {
      const login = (...flags: string[]) => {
        const child = spawn(process.execPath, [join(root, 'bin/pavior'), 'login', platform.url, ...flags], { env: { ...platform.environment, PAVIOR_HOME: undefined, XDG_CONFIG_HOME: config }, stdio: ['ignore', 'pipe', 'pipe'] })
        const output = new Promise<string>((resolve) => child.stderr.setEncoding('utf8').on('data', (text: string) => /https?:\/\/\S+/.test(text) && resolve(text)))
        const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
        return { output, ended }
      }
      const loopback = login('--no-open')
      await page.goto(/http\S+/.exec(await loopback.output)![0])
      await page.getByRole('button', { name: 'Let it act as admin' }).click()
      await page.getByText('The command line is signed in').waitFor()
      expect(await loopback.ended).toBe(0)
      const device = login('--device')
      const [, userCode] = /code ([A-Z]{4}-[A-Z]{4})/.exec(await device.output)!
      await page.goto(`${platform.url}/device`)
      await page.getByLabel('Code').fill(userCode!)
      await page.getByRole('button', { name: 'Go on' }).click()
      expect(await seriousViolations(page)).toEqual([])
      await page.getByRole('button', { name: 'Let it act as admin' }).click()
      expect(await device.ended).toBe(0)
      const { token } = JSON.parse(await readFile(join(config, 'pavior', 'login.json'), 'utf8')) as { token: string }
      const whoami = async (): Promise<number> => (await fetch(`${platform.url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })).status
      expect(await whoami()).toBe(200)
      const logout = spawn(process.execPath, [join(root, 'bin/pavior'), 'logout'], { env: { ...platform.environment, PAVIOR_HOME: undefined, XDG_CONFIG_HOME: config }, stdio: 'ignore' })
      expect(await new Promise((resolve) => logout.on('exit', resolve))).toBe(0)
      expect(await whoami()).toBe(401)
    } finally {
      await rm(config, { recursive: true, force: true })
    }
    expect(complaints).toEqual([])
  })
})
