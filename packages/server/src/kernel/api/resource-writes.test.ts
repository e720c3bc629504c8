import { describe, expect, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../test/api.ts'

const merge = { type: 'application/merge-patch+json' }

describe('writes', () => {
  test('a dry run answers and changes nothing', async () => {
    const { send } = await testApi()
    const dry = await send('POST', `${appsPath}?dryRun=All`, appBody('shop'))
    expect([dry.status, dry.body.metadata.name]).toEqual([201, 'shop'])
    expect((await send('GET', `${appsPath}/shop`)).status).toBe(404)
    await send('POST', appsPath, appBody('shop'))
    const patched = await send('PATCH', `${appsPath}/shop?dryRun=All`, { spec: { description: 'a' } }, merge)
    expect(patched.body.spec.description).toBe('a')
    await send('DELETE', `${appsPath}/shop`, { kind: 'DeleteOptions', dryRun: ['All'] })
    expect((await send('GET', `${appsPath}/shop`)).body.spec).toEqual({})
    expect((await send('POST', `${appsPath}?dryRun=Some`, appBody('wiki'))).status).toBe(400)
  })

  test('unknown fields: refused, warned of, or dropped', async () => {
    const { send } = await testApi()
    const body = { ...appBody('shop', { descripton: 'typo' }, { lables: {} }), sepc: {} }
    const strict = await send('POST', appsPath, body)
    expect([strict.status, strict.body.reason]).toEqual([422, 'Invalid'])
    const warned = await send('POST', `${appsPath}?fieldValidation=Warn&fieldManager=me`, body)
    expect(warned.status).toBe(201)
    expect(warned.headers.get('warning')).toBe(
      '299 - "unknown field \\"sepc\\"", 299 - "unknown field \\"metadata.lables\\"", 299 - "unknown field \\"spec.descripton\\""',
    )
    expect(warned.body.spec).toEqual({})
    expect(JSON.stringify(warned.body.metadata.managedFields ?? [])).not.toContain('descripton')
    const ignored = await send('PATCH', `${appsPath}/shop?fieldValidation=Ignore`, { spec: { nope: 1, description: 'a' } }, merge)
    expect([ignored.status, ignored.headers.get('warning'), ignored.body.spec]).toEqual([200, null, { description: 'a' }])
  })

  test('are owned by the manager that is named, or by what the User-Agent says', async () => {
    const { send } = await testApi()
    const created = await send('POST', appsPath, appBody('shop', { description: 'a' }), {
      headers: { 'user-agent': 'terraform/1.9 (linux)' },
    })
    expect(created.body.metadata.managedFields).toMatchObject([
      { manager: 'terraform', operation: 'Update', fieldsV1: { 'f:spec': { 'f:description': {} } } },
    ])
    const applied = await send(
      'PATCH',
      `${appsPath}/shop?fieldManager=gitops&force=true`,
      'metadata:\n  labels: {a: b}\nspec:\n  description: b\n',
      { type: 'application/apply-patch+yaml' },
    )
    expect(applied.body.metadata.managedFields.map(({ manager }: { manager: string }) => manager)).toEqual(['gitops'])
    const version = applied.body.metadata.resourceVersion
    const again = await send('PATCH', `${appsPath}/shop?fieldManager=gitops`, 'metadata:\n  labels: {a: b}\nspec:\n  description: b\n', {
      type: 'application/apply-patch+yaml',
    })
    expect(again.body.metadata.resourceVersion).toBe(version)
    const conflict = await send(
      'PATCH',
      `${appsPath}/shop?fieldManager=other`,
      { spec: { description: 'c' } },
      { type: 'application/apply-patch+yaml' },
    )
    expect([conflict.status, conflict.body.details.causes]).toEqual([
      409,
      [{ reason: 'FieldManagerConflict', message: 'conflict with "gitops"', field: '.spec.description' }],
    ])
    const second = await send(
      'PATCH',
      `${appsPath}/shop?fieldManager=other`,
      { spec: { description: 'b' } },
      { type: 'application/apply-patch+yaml' },
    )
    expect(second.body.metadata.managedFields).toHaveLength(2)
    expect((await send('PATCH', `${appsPath}/new?fieldManager=x`, { spec: {} }, { type: 'application/apply-patch+yaml' })).status).toBe(201)
    expect((await send('PATCH', `${appsPath}/new`, { spec: {} }, { type: 'application/apply-patch+yaml' })).status).toBe(400)
  })

  test('the status has an endpoint of its own', async () => {
    const { send } = await testApi()
    await send('POST', appsPath, { ...appBody('shop'), status: { observedGeneration: 9 } })
    expect((await send('GET', `${appsPath}/shop/status`)).body.status).toBeUndefined()
    const set = await send(
      'PATCH',
      `${appsPath}/shop/status`,
      { spec: { description: 'ignored' }, status: { observedGeneration: 1 } },
      merge,
    )
    expect(set.body).toMatchObject({ spec: {}, status: { observedGeneration: 1 } })
    const kept = await send('PUT', `${appsPath}/shop`, { ...set.body, status: undefined, spec: { description: 'a' } })
    expect(kept.body).toMatchObject({ spec: { description: 'a' }, status: { observedGeneration: 1 } })
    expect((await send('PATCH', `${appsPath}/shop/status`, { status: { nope: 1 } }, merge)).status).toBe(422)
  })

  test('generated names, YAML bodies, and what the path already says', async () => {
    const { send } = await testApi()
    const generated = await send('POST', appsPath, { metadata: { generateName: 'run-' }, spec: {} })
    expect(generated.body.metadata.name).toMatch(/^run-\w+$/)
    const yaml = await send('POST', appsPath, 'kind: App\nmetadata: {name: shop}\nspec:\n  env: &e {A: "1"}\n  build: {env: *e}\n', {
      type: 'application/yaml',
    })
    expect(yaml.body.spec).toEqual({ env: { A: '1' }, build: { env: { A: '1' } } })
    for (const body of [
      { kind: 'Build', metadata: { name: 'a' } },
      { apiVersion: 'v2', metadata: { name: 'a' } },
      { metadata: { name: 'a', namespace: 'green' } },
      [],
      'text',
      null,
    ]) {
      expect((await send('POST', appsPath, JSON.stringify(body))).status).toBe(400)
    }
    expect((await send('PUT', `${appsPath}/shop`, appBody('other'))).status).toBe(400)
    expect((await send('POST', appsPath, appBody('Shop'))).body.details.pavior.code).toBe('NAME_INVALID')
  })

  test('a collection is deleted by selector', async () => {
    const { send } = await testApi()
    for (const name of ['a', 'b', 'c']) await send('POST', appsPath, appBody(name, {}, { labels: { group: name === 'c' ? 'y' : 'x' } }))
    const deleted = await send('DELETE', `${appsPath}?labelSelector=group%3Dx`)
    expect(deleted.body).toMatchObject({ kind: 'AppList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] })
    expect((await send('GET', appsPath)).body.items).toHaveLength(1)
    const refused = await send('DELETE', appsPath, undefined, { token: 'view' })
    expect(refused.status).toBe(403)
  })

  test('deletion: preconditions, finalizers, policies', async () => {
    const { send } = await testApi()
    await send('POST', appsPath, appBody('shop', {}, { finalizers: ['example.com/hold'] }))
    expect((await send('DELETE', `${appsPath}/shop`, { preconditions: { uid: 'other' } })).status).toBe(409)
    expect((await send('DELETE', `${appsPath}/shop?propagationPolicy=Sideways`)).status).toBe(400)
    const held = await send('DELETE', `${appsPath}/shop`)
    expect(held.body).toMatchObject({ kind: 'App', metadata: { deletionTimestamp: expect.any(String) } })
    await send('PATCH', `${appsPath}/shop`, { metadata: { finalizers: null } }, merge)
    expect((await send('GET', `${appsPath}/shop`)).status).toBe(404)
  })
})
