import { describe, expect, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../test/api.ts'

describe('resources over HTTP', () => {
  test('are created, read, replaced, patched, listed and deleted', async () => {
    const { send } = await testApi()
    const created = await send('POST', appsPath, appBody('shop', { description: 'sells' }))
    expect(created.status).toBe(201)
    expect(created.body).toMatchObject({
      kind: 'App',
      apiVersion: 'pavior.dev/v1',
      metadata: { name: 'shop', namespace: 'blue', generation: 1 },
      spec: { description: 'sells' },
    })
    expect(created.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)

    const read = await send('GET', `${appsPath}/shop`)
    expect(read.body).toEqual(created.body)

    const replaced = await send('PUT', `${appsPath}/shop`, { ...read.body, spec: { description: 'sells much' } })
    expect(replaced.body.metadata.generation).toBe(2)
    const stale = await send('PUT', `${appsPath}/shop`, read.body)
    expect([stale.status, stale.body.reason, stale.body.details.pavior.code]).toEqual([409, 'Conflict', 'CONFLICT'])

    const merged = await send(
      'PATCH',
      `${appsPath}/shop`,
      { metadata: { labels: { tier: 'web' } }, spec: { description: null, env: { A: '1' } } },
      { type: 'application/merge-patch+json' },
    )
    expect(merged.body.spec).toEqual({ env: { A: '1' } })
    const patched = await send(
      'PATCH',
      `${appsPath}/shop`,
      [
        { op: 'test', path: '/spec/env/A', value: '1' },
        { op: 'add', path: '/spec/env/B', value: '2' },
      ],
      { type: 'application/json-patch+json' },
    )
    expect(patched.body.spec.env).toEqual({ A: '1', B: '2' })
    const failed = await send('PATCH', `${appsPath}/shop`, [{ op: 'test', path: '/spec/env/A', value: '9' }], {
      type: 'application/json-patch+json',
    })
    expect([failed.status, failed.body.reason]).toEqual([422, 'Invalid'])
    expect((await send('PATCH', `${appsPath}/shop`, {}, { type: 'application/strategic-merge-patch+json' })).status).toBe(415)

    const listed = await send('GET', `${appsPath}?labelSelector=tier%3Dweb`)
    expect(listed.body).toMatchObject({ kind: 'AppList', items: [{ metadata: { name: 'shop' } }] })
    const deleted = await send('DELETE', `${appsPath}/shop`)
    expect(deleted.body).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'shop' } })
    const gone = await send('GET', `${appsPath}/shop`)
    expect([gone.status, gone.body.reason, gone.body.details.name]).toEqual([404, 'NotFound', 'shop'])
  })
})
