import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../test/api.ts'

describe('answers', () => {
  test('every refusal is a Status with the whole error inside', async () => {
    const { send } = await testApi()
    const missing = await send('GET', `${appsPath}/nope`)
    expect(missing.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'apps.pavior.dev "nope" not found',
      reason: 'NotFound',
      details: {
        name: 'nope',
        group: 'pavior.dev',
        kind: 'App',
        pavior: expect.objectContaining({ code: 'NOT_FOUND', fix: expect.any(String) }),
      },
      code: 404,
    })
    const stranger = await send('GET', appsPath, undefined, { token: null })
    expect([stranger.status, stranger.body.reason, stranger.headers.get('www-authenticate')]).toEqual([
      401,
      'Unauthorized',
      'Bearer realm="pavior"',
    ])
    const nowhere = await send('GET', '/nowhere')
    expect([nowhere.status, nowhere.body.kind]).toEqual([404, 'Status'])
    expect((await send('GET', `${appsPath}?labelSelector=a%3D%3D%3Db`)).status).toBe(400)
    expect((await send('GET', `${appsPath}?fieldSelector=spec.env%3Db`)).status).toBe(400)
    expect((await send('GET', `${appsPath}?limit=-1`)).status).toBe(400)
    expect((await send('GET', `${appsPath}?continue=nonsense`)).body.code).toBe(410)
  })

  test('faults of ours are logged with their stack and shown without', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }))
    const { send } = await testApi({
      log,
      routes: [
        (app) =>
          void app.get('/v1/broken', () => {
            throw new Error('the secret is 42')
          }),
      ],
    })
    const broken = await send('GET', '/v1/broken', undefined, { headers: { 'x-request-id': 'my-request' } })
    expect([broken.status, broken.body.details.pavior.code, broken.headers.get('x-request-id')]).toEqual([500, 'INTERNAL', 'my-request'])
    expect(broken.text).not.toContain('42')
    expect(broken.text).toContain('my-request')
    const entry = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'a request failed')
    expect(entry).toMatchObject({
      requestId: 'my-request',
      err: { message: 'the secret is 42', stack: expect.stringContaining('answers.test.ts') },
    })
    expect((await send('GET', '/version', undefined, { headers: { 'x-request-id': 'bad id\u00e9' } })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    )
  })

  test('the access log names actor and path, and holds no secret', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }))
    const { send } = await testApi({ log })
    await send('POST', `${appsPath}?key=hidden`, appBody('shop', { env: { PASSWORD: 'hidden' } }))
    const entry = lines.map((line) => JSON.parse(line)).find(({ method }) => method === 'POST')
    expect(entry).toMatchObject({ path: appsPath, status: 201, actor: 'user:root', ms: expect.any(Number), requestId: expect.any(String) })
    expect(lines.join('')).not.toMatch(/hidden|Bearer/)
  })

  test('in the form and encoding that is asked for', async () => {
    const { send } = await testApi()
    await send('POST', appsPath, appBody('shop', { declaredBy: 'Procfile' }))
    const get = (path: string, accept: string) => send('GET', path, undefined, { headers: { accept } })
    const table = await get(`${appsPath}?includeObject=Object`, 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json')
    expect(table.body).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      rows: [{ object: { kind: 'App', spec: { declaredBy: 'Procfile' } } }],
    })
    expect(
      (await get(`${appsPath}/shop?includeObject=None`, 'application/json;as=Table;v=v1beta1;g=meta.k8s.io')).body.rows[0].object,
    ).toBeUndefined()
    expect((await get(appsPath, 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')).body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ metadata: { name: 'shop' } }],
    })
    expect((await get(`${appsPath}/shop`, 'application/yaml')).text).toContain('declaredBy: Procfile\n')
    expect((await get(`${appsPath}/shop`, 'application/vnd.kubernetes.protobuf')).body.kind).toBe('App')
    expect((await get(`${appsPath}/shop`, 'text/html')).status).toBe(406)
    expect((await send('GET', `${appsPath}/shop?pretty=true`)).text).toContain('\n  "kind": "App"')
  })

  test('pages', async () => {
    const { send } = await testApi()
    for (const name of ['a', 'b', 'c']) await send('POST', appsPath, appBody(name))
    const first = await send('GET', `${appsPath}?limit=2&count=true`)
    expect(first.body.items).toHaveLength(2)
    expect(first.body.metadata.remainingItemCount).toBe(1)
    // Counting costs more than the page, so only who asks pays for it; what is selected is not counted, as in Kubernetes.
    for (const search of ['limit=2', 'limit=2&count=true&fieldSelector=metadata.name!%3Dx']) expect((await send('GET', `${appsPath}?${search}`)).body.metadata).not.toHaveProperty('remainingItemCount')
    const second = await send('GET', `${appsPath}?limit=2&continue=${first.body.metadata.continue}`)
    expect(second.body).toMatchObject({
      metadata: { resourceVersion: first.body.metadata.resourceVersion },
      items: [{ metadata: { name: 'c' } }],
    })
    expect(second.body.metadata.continue).toBeUndefined()
    expect(second.body.metadata).not.toHaveProperty('remainingItemCount')
  })

  test('HEAD, OPTIONS and methods that are not there', async () => {
    const { send } = await testApi()
    await send('POST', appsPath, appBody('shop'))
    const head = await send('HEAD', `${appsPath}/shop`)
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await send('HEAD', `${appsPath}?watch=true`)).status).toBe(200)
    const options = await send('OPTIONS', `${appsPath}/shop`)
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS'])
    const refused = await send('POST', '/apis/pavior.dev/v1/apps', appBody('x'))
    expect([refused.status, refused.body.reason, refused.headers.get('allow')]).toEqual([405, 'MethodNotAllowed', 'GET, HEAD, OPTIONS'])
  })
})

describe('beside the resources', () => {
  test('health, readiness, version and metrics need no token', async () => {
    const { send } = await testApi({
      ready: () => ({
        checks: [
          { name: 'database', problem: undefined },
          { name: 'agent', problem: 'It does not answer.' },
        ],
      }),
    })
    const open = { token: null }
    expect((await send('GET', '/healthz', undefined, open)).text).toBe('ok')
    expect((await send('GET', '/livez?verbose', undefined, open)).text).toBe('[+]process ok\nlivez check passed\n')
    const ready = await send('GET', '/readyz', undefined, open)
    expect([ready.status, ready.text]).toEqual([503, '[+]database ok\n[-]agent failed: It does not answer.\nreadyz check failed\n'])
    expect((await send('GET', '/version', undefined, open)).body).toMatchObject({
      major: '1',
      gitVersion: expect.stringMatching(/^v1\.\d+\.0\+pavior/),
      pavior: '0.1.0',
    })
    await send('GET', appsPath)
    expect((await send('GET', '/metrics', undefined, open)).text).toContain(
      `http_server_request_duration_seconds_count{method="GET",route="/apis/pavior.dev/v1/namespaces/:namespace/apps",status="2xx"} 1`,
    )
  })

  test('remarks on resources are read by those who may read the team', async () => {
    const { send, recorder, resources } = await testApi()
    await send('POST', appsPath, appBody('shop'))
    const shop = await resources.mustGet<never>((await import('../actor.ts')).systemActor('test'), {
      kind: 'App',
      namespace: 'blue',
      name: 'shop',
    })
    await recorder.record(shop, 'Normal', 'Built', 'Built in 2 s.', 'delivery')
    const path = '/api/v1/namespaces/blue/events'
    expect((await send('GET', path, undefined, { token: 'view' })).body.items).toMatchObject([
      { reason: 'Built', involvedObject: { name: 'shop', namespace: 'blue' }, count: 1 },
    ])
    expect((await send('GET', path, undefined, { token: 'other' })).status).toBe(403)
    expect((await send('GET', '/api/v1/events', undefined, { token: 'other' })).body.items).toEqual([])
    expect((await send('GET', `${path}?fieldSelector=involvedObject.name%3Dwiki`)).body.items).toEqual([])
    expect((await send('GET', `${path}?fieldSelector=involvedObject.name%3Dshop%2Ctype%3DWarning`)).body.items).toEqual([])
    expect(
      (await send('GET', '/apis/events.k8s.io/v1/namespaces/blue/events?fieldSelector=regarding.name%3Dshop')).body.items,
    ).toMatchObject([{ note: 'Built in 2 s.', regarding: { kind: 'App' } }])
  })

  test('reviews tell what the actor may do, and who it is', async () => {
    const { send } = await testApi()
    const may = async (token: string, attributes: object): Promise<boolean> =>
      (
        await send(
          'POST',
          '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          { kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: attributes } },
          { token },
        )
      ).body.status.allowed
    const create = { namespace: 'blue', verb: 'create', group: 'pavior.dev', resource: 'apps' }
    expect([
      await may('dev', create),
      await may('view', create),
      await may('root', { ...create, namespace: '' }),
      await may('dev', { ...create, namespace: '' }),
    ]).toEqual([true, false, true, false])
    expect([
      await may('view', { ...create, verb: '*' }),
      await may('dev', { ...create, verb: 'deletecollection' }),
      await may('root', { ...create, verb: 'fly' }),
      await may('root', { ...create, resource: 'ships' }),
    ]).toEqual([false, true, false, false])
    const rules = await send(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      { spec: { namespace: 'blue' } },
      { token: 'view' },
    )
    expect(rules.body.status.resourceRules).toContainEqual({
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['pavior.dev'],
      resources: ['apps', 'apps/status'],
    })
    const who = await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token: 'dev' })
    expect(who.body.status.userInfo).toEqual({
      username: 'user:dev',
      groups: ['system:authenticated', 'pavior:users', 'team:blue:developer'],
    })
  })

  test('rooms bring parsers of their own', async () => {
    const { send } = await testApi({
      routes: [
        (app) => {
          app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
          app.post('/v1/upload', async ({ body, actor }) => ({ size: (body as Buffer).length, actor: actor.name }))
        },
        (app) => void app.get('/v1/open', { config: { public: true } }, async () => ({ open: true })),
      ],
    })
    expect((await send('POST', '/v1/upload', 'hello', { type: 'application/octet-stream' })).body).toEqual({ size: 5, actor: 'user:root' })
    expect((await send('GET', '/v1/open', undefined, { token: null })).body).toEqual({ open: true })
    expect((await send('POST', '/v1/upload', 'hello', { type: 'application/octet-stream', token: null })).status).toBe(401)
  })
})
