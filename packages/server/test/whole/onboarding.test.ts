import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

async function as(token: string, path: string): Promise<{ status: number; body: any }> {
  const response = await fetch(new URL(path, platform.url), { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}

describe('the first days', () => {
  test('tick themselves off by what a person really does', async () => {
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'ada' }, spec: {} })
    await platform.api('PATCH', '/apis/pavior.dev/v1/teams/default', { spec: { members: [{ user: 'admin', role: 'admin' }, { user: 'ada', role: 'developer' }] } }, { 'content-type': 'application/merge-patch+json' })
    const { url } = await platform.json<{ url: string }>(['users', 'login-link', 'ada'])
    const login = await fetch(new URL('/v1/login', platform.url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: new URL(url).searchParams.get('key') }) })
    const { token } = (await login.json()) as { token: string }
    const doneSteps = async (): Promise<string[]> => (await as(token, '/v1/onboarding')).body.steps.filter(({ doneAt }: any) => doneAt).map(({ milestone }: any) => milestone)
    await until('the use of the token is noted', async () => (await doneSteps()).includes('connected'))
    expect(await doneSteps()).toEqual(['connected'])

    const directory = await appDirectory('hers', webApp('hers'))
    platform.environment.PAVIOR_URL = platform.url
    platform.environment.PAVIOR_TOKEN = token
    await platform.json(['deploy'], { directory })
    await platform.json(['config', 'set', 'GREETING=hello', '--app', 'hers'])
    delete platform.environment.PAVIOR_TOKEN
    await until('her deploy is noted', async () => (await doneSteps()).includes('deployed'))
    const { body } = await as(token, '/v1/onboarding')
    expect(body.persona).toBe('developer')
    expect(await doneSteps()).toEqual(['connected', 'built', 'deployed', 'changed'])
    expect(body.secondsToFirstDeploy).toBeGreaterThanOrEqual(0)
    expect((await as(token, '/v1/onboarding/summary')).status).toBe(403)
  })

  test('are summed up for who runs the platform', async () => {
    const { body } = await platform.api('GET', '/v1/onboarding/summary')
    expect(body).toMatchObject({ people: 2, reached: { invited: 2, built: 1, deployed: 1, 'invited-somebody': 1 } })
    expect(body.medianSecondsToFirstDeploy).toBeGreaterThanOrEqual(0)
  })
})
