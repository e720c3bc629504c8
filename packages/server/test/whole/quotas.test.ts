/** Quotas of a team, as its people meet them: used and limit are said, two at once do not both pass, and less is always possible. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

const apps = '/apis/pavior.dev/v1/namespaces/default/apps'
const makeApp = (name: string) => platform.api('POST', apps, { metadata: { name }, spec: {} })
const scale = (replicas: number) => platform.api('PATCH', `${apps}/shop`, { spec: { scale: { production: { web: replicas } } } }, { 'content-type': 'application/merge-patch+json' })

async function limit(...limits: string[]): Promise<void> {
  await platform.json(['quota', 'set', 'default', ...limits])
  const wanted = Object.fromEntries(limits.map((each) => each.split('=')))
  await until('the limits are known', async () => {
    const { limits: found } = await platform.json(['quota', 'show'])
    return Object.entries(wanted).every(([name, value]) => String(found[name] ?? 'none') === value)
  })
}

describe('a quota', () => {
  test('is not there until it is set', async () => {
    const directory = await appDirectory('shop', webApp('hello'))
    expect((await platform.cli(['deploy'], { directory })).code).toBe(0)
    await until('it counts', async () => (await platform.json(['quota', 'show'])).used.instances === 1)
    expect(await platform.json(['quota', 'show'])).toEqual({ team: 'default', limits: {}, used: { apps: 1, environments: 1, instances: 1, cpu: 1, memoryMib: 512, buildsPerDay: 1 } })
  })

  test('of instances is asked where they are scaled; whoever is over it may use less', async () => {
    await limit('instances=2', 'apps=4')
    await until('three are refused', async () => (await scale(3)).status === 403)
    const refused = await scale(3)
    expect(refused.body.details.pavior).toMatchObject({ code: 'QUOTA_EXCEEDED', message: 'Team default would use 3 of its 2 instances.', state: 'Nothing was changed.' })
    expect((await scale(2)).status).toBe(200)
    await limit('instances=1')
    await until('no more are taken', async () => (await scale(3)).status === 403)
    expect((await scale(1)).status).toBe(200)
  })

  test('of instances refuses a deploy with the same words, and what served goes on serving', async () => {
    const directory = await appDirectory('second', webApp('second'))
    const { code, stderr } = await platform.cli(['deploy'], { directory })
    expect([code, stderr]).toEqual([3, expect.stringContaining('QUOTA_EXCEEDED   Team default would use 2 of its 1 instances.')])
    expect((await platform.get('shop.localhost')).body).toBe('hello')
  })

  test('of apps holds when many are made at once', async () => {
    const { used } = await platform.json(['quota', 'show'])
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => makeApp(`many-${index}`)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4 - used.apps)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(12 - (4 - used.apps))
    expect((await platform.json(['quota', 'show'])).used.apps).toBe(4)
  })

  test('of builds a day refuses the next one', async () => {
    await limit('buildsPerDay=2')
    const directory = await appDirectory('shop', webApp('again'))
    const refused = async (): Promise<string> => (await platform.cli(['deploy'], { directory })).stderr
    await until('it is refused', async () => (await refused()).includes('QUOTA_EXCEEDED   Team default would use 3 of its 2 builds a day.'))
  })
})
