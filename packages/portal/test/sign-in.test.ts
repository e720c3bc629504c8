import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, type Platform } from '../../server/test/whole/platform.ts'
import { noBrowser, signedIn, visit } from './browser.ts'

describe.skipIf(noBrowser)('sign-in', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  })

  test('a login link signs in once, and whoever is not signed in comes back to where they wanted', async () => {
    const { page, complaints } = await visit()
    await page.goto(`${platform.url}/apps?team=default`)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    const { url } = await platform.json<{ url: string }>(['users', 'login-link', 'admin'])
    await page.goto(url)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation').waitFor()
    await page.goto(url)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('was used before').waitFor()
    expect(complaints).toEqual([])
  })

  test('a password signs in, a wrong one is refused, and the page wanted before is shown', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'ada' }, spec: {} })
    const set = await platform.api('PUT', '/v1/users/ada/password', { password: 'correct horse battery' })
    expect(set.status).toBe(200)
    const { page, complaints } = await visit()
    await page.goto(`${platform.url}/apps`)
    await page.getByLabel('Name').fill('ada')
    await page.getByRole('textbox', { name: 'Password' }).fill('wrong horse battery')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The name or the password is not right.').waitFor()
    await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL((current) => current.pathname === '/apps')
    expect(complaints).toEqual([])
  })

  test('the cookie cannot be read by scripts, and no page may be framed or run foreign scripts', async () => {
    const { page, context } = await signedIn(platform)
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ name: 'pavior_session', httpOnly: true, sameSite: 'Lax' })
    expect(await page.evaluate('document.cookie')).toBe('')
    const policy = (await page.goto(platform.url))!.headers()['content-security-policy']!
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("frame-ancestors 'none'")
  })
})
