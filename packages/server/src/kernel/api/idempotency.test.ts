import { describe, expect, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../test/api.ts'

const merge = { type: 'application/merge-patch+json' }

describe('Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'k-1' }

  test('the same request is answered again without being done again; another is refused', async () => {
    const { send } = await testApi()
    const first = await send('POST', appsPath, { metadata: { generateName: 'run-' } }, { headers })
    const second = await send('POST', appsPath, { metadata: { generateName: 'run-' } }, { headers })
    expect([second.status, second.text, second.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true'])
    expect((await send('GET', appsPath)).body.items).toHaveLength(1)
    const other = await send('POST', appsPath, { metadata: { generateName: 'other-' } }, { headers })
    expect([other.status, other.body.details.pavior.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
    // Somebody else's key is another key.
    expect((await send('POST', appsPath, { metadata: { generateName: 'other-' } }, { headers, token: 'dev' })).status).toBe(201)
  })

  test('of two at once only one runs', async () => {
    const { send } = await testApi()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send('POST', appsPath, { metadata: { generateName: 'run-' } }, { headers })),
    )
    expect((await send('GET', appsPath)).body.items).toHaveLength(1)
    for (const { status, headers: answered } of answers) {
      expect([201, 409]).toContain(status)
      if (status === 409) expect(answered.get('retry-after')).toBe('1')
    }
  })

  test('what failed may be tried again with the same key', async () => {
    const { send } = await testApi()
    expect((await send('PATCH', `${appsPath}/shop`, { spec: {} }, { ...merge, headers })).status).toBe(404)
    await send('POST', appsPath, appBody('shop'))
    expect((await send('PATCH', `${appsPath}/shop`, { spec: {} }, { ...merge, headers })).status).toBe(200)
    expect((await send('POST', appsPath, appBody('x'), { headers: { 'idempotency-key': 'a b' } })).status).toBe(400)
  })

  test('a claim whose server died is given away after its time', async () => {
    const { send, database } = await testApi()
    await send('POST', appsPath, appBody('shop'), { headers })
    await database.query("update idempotency set status = null, body = null, at = now() - interval '1 hour'")
    expect((await send('POST', appsPath, appBody('shop'), { headers })).status).toBe(409)
    await send('DELETE', `${appsPath}/shop`)
    expect((await send('POST', appsPath, appBody('shop'), { headers })).status).toBe(201)
  })

  test('bodies that pass through as they are cannot be told apart, so a key is refused', async () => {
    const { send } = await testApi({
      routes: [
        (app) => {
          app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
          app.post('/v1/upload', async () => ({ done: true }))
        },
      ],
    })
    expect((await send('POST', '/v1/upload', 'hello', { type: 'application/octet-stream', headers })).status).toBe(400)
  })
})
