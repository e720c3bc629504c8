/** Who may change who belongs to a team, and that an invitation never opens somebody else's account. */
import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, type Platform } from './platform.ts'

describe('members of a team', () => {
  let platform: Platform
  const asUser = async (user: string): Promise<Record<string, string>> => ({ authorization: `Bearer ${(await platform.api('POST', '/v1/tokens', { username: user, description: 'test' })).body.token as string}` })
  beforeAll(async () => {
    platform = await newPlatform()
  })

  test('an administrator of the team invites, a developer may not, and other teams stay closed', async () => {
    const invited = await platform.api('POST', '/v1/teams/default/invitations', { name: 'ada', role: 'admin' })
    expect(invited).toMatchObject({ status: 201, body: { user: 'ada', existed: false } })
    expect(invited.body.url).toContain('/welcome?key=')
    const ada = await asUser('ada')
    const bob = await platform.api('POST', '/v1/teams/default/invitations', { name: 'bob', role: 'developer' }, ada)
    expect(bob.status).toBe(201)
    expect((await platform.api('POST', '/v1/teams/default/invitations', { name: 'eve', role: 'admin' }, await asUser('bob'))).status).toBe(403)
    await platform.api('POST', '/apis/pavior.dev/v1/teams', { metadata: { name: 'payments' }, spec: {} })
    expect((await platform.api('PUT', '/v1/teams/payments/members/ada', { role: 'admin' }, ada)).status).toBe(403)
    const { items } = (await platform.api('GET', '/v1/audit?kind=Team&name=default&actor=user:ada')).body
    expect(items.length).toBeGreaterThan(0)
  })

  test('inviting who has an account adds them and gives no link into it', async () => {
    const ada = await asUser('ada')
    const again = await platform.api('POST', '/v1/teams/default/invitations', { name: 'admin', role: 'viewer' }, ada)
    expect(again).toMatchObject({ status: 201, body: { existed: true } })
    expect(again.body.url).toBeUndefined()
  })

  test('roles change and members leave; who is not there is named', async () => {
    expect((await platform.api('PUT', '/v1/teams/default/members/bob', { role: 'viewer' })).body.spec.members).toContainEqual({ user: 'bob', role: 'viewer' })
    expect((await platform.api('DELETE', '/v1/teams/default/members/bob')).body.spec.members).not.toContainEqual(expect.objectContaining({ user: 'bob' }))
    expect((await platform.api('DELETE', '/v1/teams/default/members/bob')).status).toBe(404)
    expect((await platform.api('PUT', '/v1/teams/nowhere/members/ada', { role: 'viewer' })).status).toBe(404)
    expect((await platform.api('PUT', '/v1/teams/default/members/ada', { role: 'emperor' })).status).toBe(400)
  })

  test('the platform is for its administrators', async () => {
    expect((await platform.api('GET', '/v1/platform', undefined, await asUser('ada'))).status).toBe(403)
    const { status, body } = await platform.api('GET', '/v1/platform')
    expect(status).toBe(200)
    expect(body.settings.find(({ name }: { name: string }) => name === 'defaultTeam')).toMatchObject({ value: 'default', origin: 'default' })
  })
})
