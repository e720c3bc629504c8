import { once } from 'node:events'
import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
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
    expect(warned.headers.get('warning')).toBe('299 - "unknown field \\"sepc\\"", 299 - "unknown field \\"metadata.lables\\"", 299 - "unknown field \\"spec.descripton\\""')
    expect(warned.body.spec).toEqual({})
    expect(JSON.stringify(warned.body.metadata.managedFields ?? [])).not.toContain('descripton')
    const ignored = await send('PATCH', `${appsPath}/shop?fieldValidation=Ignore`, { spec: { nope: 1, description: 'a' } }, merge)
    expect([ignored.status, ignored.headers.get('warning'), ignored.body.spec]).toEqual([200, null, { description: 'a' }])
  })

  test('are owned by the manager that is named, or by what the User-Agent says', async () => {
    const { send } = await testApi()
    const created = await send('POST', appsPath, appBody('shop', { description: 'a' }), { headers: { 'user-agent': 'terraform/1.9 (linux)' } })
    expect(created.body.metadata.managedFields).toMatchObject([{ manager: 'terraform', operation: 'Update', fieldsV1: { 'f:spec': { 'f:description': {} } } }])
    const applied = await send('PATCH', `${appsPath}/shop?fieldManager=gitops&force=true`, 'metadata:\n  labels: {a: b}\nspec:\n  description: b\n', { type: 'application/apply-patch+yaml' })
    expect(applied.body.metadata.managedFields.map(({ manager }: { manager: string }) => manager)).toEqual(['gitops'])
    const version = applied.body.metadata.resourceVersion
    const again = await send('PATCH', `${appsPath}/shop?fieldManager=gitops`, 'metadata:\n  labels: {a: b}\nspec:\n  description: b\n', { type: 'application/apply-patch+yaml' })
    expect(again.body.metadata.resourceVersion).toBe(version)
    const conflict = await send('PATCH', `${appsPath}/shop?fieldManager=other`, { spec: { description: 'c' } }, { type: 'application/apply-patch+yaml' })
    expect([conflict.status, conflict.body.details.causes]).toEqual([409, [{ reason: 'FieldManagerConflict', message: 'conflict with "gitops"', field: '.spec.description' }]])
    const second = await send('PATCH', `${appsPath}/shop?fieldManager=other`, { spec: { description: 'b' } }, { type: 'application/apply-patch+yaml' })
    expect(second.body.metadata.managedFields).toHaveLength(2)
    expect((await send('PATCH', `${appsPath}/new?fieldManager=x`, { spec: {} }, { type: 'application/apply-patch+yaml' })).status).toBe(201)
    expect((await send('PATCH', `${appsPath}/new`, { spec: {} }, { type: 'application/apply-patch+yaml' })).status).toBe(400)
  })

  test('the status has an endpoint of its own', async () => {
    const { send } = await testApi()
    await send('POST', appsPath, { ...appBody('shop'), status: { observedGeneration: 9 } })
    expect((await send('GET', `${appsPath}/shop/status`)).body.status).toBeUndefined()
    const set = await send('PATCH', `${appsPath}/shop/status`, { spec: { description: 'ignored' }, status: { observedGeneration: 1 } }, merge)
    expect(set.body).toMatchObject({ spec: {}, status: { observedGeneration: 1 } })
    const kept = await send('PUT', `${appsPath}/shop`, { ...set.body, status: undefined, spec: { description: 'a' } })
    expect(kept.body).toMatchObject({ spec: { description: 'a' }, status: { observedGeneration: 1 } })
    expect((await send('PATCH', `${appsPath}/shop/status`, { status: { nope: 1 } }, merge)).status).toBe(422)
  })

  test('generated names, YAML bodies, and what the path already says', async () => {
    const { send } = await testApi()
    const generated = await send('POST', appsPath, { metadata: { generateName: 'run-' }, spec: {} })
    expect(generated.body.metadata.name).toMatch(/^run-\w+$/)
    const yaml = await send('POST', appsPath, 'kind: App\nmetadata: {name: shop}\nspec:\n  env: &e {A: "1"}\n  build: {env: *e}\n', { type: 'application/yaml' })
    expect(yaml.body.spec).toEqual({ env: { A: '1' }, build: { env: { A: '1' } } })
    for (const body of [{ kind: 'Build', metadata: { name: 'a' } }, { apiVersion: 'v2', metadata: { name: 'a' } }, { metadata: { name: 'a', namespace: 'green' } }, [], 'text', null]) {
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
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('POST', appsPath, { metadata: { generateName: 'run-' } }, { headers })))
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
})

describe('limits', () => {
  test('bodies that are too large, too deep or not what they say', async () => {
    const { send } = await testApi({ limits: { bodyBytes: 20_000, yamlBytes: 10_000 } })
    const refused = async (body: string, type = 'application/json'): Promise<unknown[]> => {
      const { status, body: answer } = await send('POST', appsPath, body, { type })
      return [status, answer.reason]
    }
    expect(await refused(JSON.stringify(appBody('x', { description: 'x'.repeat(30_000) })))).toEqual([413, 'RequestEntityTooLarge'])
    expect(await refused(`description: ${'x'.repeat(15_000)}`, 'application/yaml')).toEqual([413, 'RequestEntityTooLarge'])
    expect(await refused('{"a":'.repeat(200) + '1' + '}'.repeat(200))).toEqual([400, 'BadRequest'])
    expect(await refused('['.repeat(5000), 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused(Array.from({ length: 90 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('a: &a [x,x,x,x]\n' + Array.from({ length: 12 }, (_, index) => `b${index}: &b${index} [${Array(9).fill(index === 0 ? '*a' : `*b${index - 1}`).join(',')}]`).join('\n'), 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('a: 1\na: 2', 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('{"metadata":')).toEqual([400, 'BadRequest'])
    expect(await refused('{"metadata":{"name":"x"},"spec":{"env":{"__proto__":"x"}}}')).toEqual([400, 'BadRequest'])
    expect(await refused('spec:\n  env:\n    __proto__: {a: b}\n', 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('x', 'application/octet-stream')).toEqual([415, 'UnsupportedMediaType'])
  })

  test('requests over time, with the wait told', async () => {
    const { send } = await testApi({ limits: { requestsPerSecond: 1, requestBurst: 3 } })
    const answers = []
    for (let index = 0; index < 5; index++) answers.push(await send('GET', appsPath))
    const refused = answers.at(-1)!
    expect([refused.status, refused.body.reason, refused.headers.get('retry-after'), refused.body.details.retryAfterSeconds]).toEqual([429, 'TooManyRequests', '1', 1])
    expect((await send('GET', appsPath, undefined, { token: 'dev' })).status).toBe(200)
    expect((await send('GET', '/healthz', undefined, { token: null })).status).toBe(200)
  })

  test('guessed tokens', async () => {
    const { send } = await testApi({ limits: { failedSignInBurst: 2, failedSignInsPerSecond: 0.001 } })
    const guess = async (token: string | null): Promise<number> => (await send('GET', appsPath, undefined, { token })).status
    expect([await guess('a'), await guess('b'), await guess('c'), await guess(null), await guess('root')]).toEqual([401, 401, 429, 401, 200])
  })

  test('watches at the same time', async () => {
    const { send, url, seen } = await testApi({ limits: { concurrentWatches: 1 } })
    const controller = new AbortController()
    onTestFinished(() => controller.abort())
    const begun = seen(/watch/)
    const open = await fetch(`${url}${appsPath}?watch=1`, { headers: { authorization: 'Bearer root' }, signal: controller.signal })
    await begun
    expect(open.status).toBe(200)
    expect((await send('GET', `${appsPath}?watch=1`)).status).toBe(429)
    expect((await send('GET', appsPath)).status).toBe(200)
  })

  test('slow headers are cut off', async () => {
    const { app } = await testApi({ limits: { headersTimeoutMs: 200 } })
    const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost')
    socket.resume()
    await once(socket, 'close')
  }, 60_000)
})

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
      details: { name: 'nope', group: 'pavior.dev', kind: 'App', pavior: expect.objectContaining({ code: 'NOT_FOUND', fix: expect.any(String) }) },
      code: 404,
    })
    const stranger = await send('GET', appsPath, undefined, { token: null })
    expect([stranger.status, stranger.body.reason, stranger.headers.get('www-authenticate')]).toEqual([401, 'Unauthorized', 'Bearer realm="pavior"'])
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
      routes: [(app) => void app.get('/v1/broken', () => { throw new Error('the secret is 42') })],
    })
    const broken = await send('GET', '/v1/broken', undefined, { headers: { 'x-request-id': 'my-request' } })
    expect([broken.status, broken.body.details.pavior.code, broken.headers.get('x-request-id')]).toEqual([500, 'INTERNAL', 'my-request'])
    expect(broken.text).not.toContain('42')
    expect(broken.text).toContain('my-request')
    const entry = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'a request failed')
    expect(entry).toMatchObject({ requestId: 'my-request', err: { message: 'the secret is 42', stack: expect.stringContaining('api.test.ts') } })
    expect((await send('GET', '/version', undefined, { headers: { 'x-request-id': 'bad id\u00e9' } })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
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
    expect(table.body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', rows: [{ object: { kind: 'App', spec: { declaredBy: 'Procfile' } } }] })
    expect((await get(`${appsPath}/shop?includeObject=None`, 'application/json;as=Table;v=v1beta1;g=meta.k8s.io')).body.rows[0].object).toBeUndefined()
    expect((await get(appsPath, 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')).body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 'shop' } }] })
    expect((await get(`${appsPath}/shop`, 'application/yaml')).text).toContain('declaredBy: Procfile\n')
    expect((await get(`${appsPath}/shop`, 'application/vnd.kubernetes.protobuf')).body.kind).toBe('App')
    expect((await get(`${appsPath}/shop`, 'text/html')).status).toBe(406)
    expect((await send('GET', `${appsPath}/shop?pretty=true`)).text).toContain('\n  "kind": "App"')
  })

  test('pages', async () => {
    const { send } = await testApi()
    for (const name of ['a', 'b', 'c']) await send('POST', appsPath, appBody(name))
    const first = await send('GET', `${appsPath}?limit=2`)
    expect(first.body.items).toHaveLength(2)
    const second = await send('GET', `${appsPath}?limit=2&continue=${first.body.metadata.continue}`)
    expect(second.body).toMatchObject({ metadata: { resourceVersion: first.body.metadata.resourceVersion }, items: [{ metadata: { name: 'c' } }] })
    expect(second.body.metadata.continue).toBeUndefined()
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
    const { send } = await testApi({ ready: () => ({ checks: [{ name: 'database', problem: undefined }, { name: 'agent', problem: 'It does not answer.' }] }) })
    const open = { token: null }
    expect((await send('GET', '/healthz', undefined, open)).text).toBe('ok')
    expect((await send('GET', '/livez?verbose', undefined, open)).text).toBe('[+]process ok\nlivez check passed\n')
    const ready = await send('GET', '/readyz', undefined, open)
    expect([ready.status, ready.text]).toEqual([503, '[+]database ok\n[-]agent failed: It does not answer.\nreadyz check failed\n'])
    expect((await send('GET', '/version', undefined, open)).body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.0\+pavior/), pavior: '0.1.0' })
    await send('GET', appsPath)
    expect((await send('GET', '/metrics', undefined, open)).text).toContain(`http_server_request_duration_seconds_count{method="GET",route="/apis/pavior.dev/v1/namespaces/:namespace/apps",status="2xx"} 1`)
  })

  test('remarks on resources are read by those who may read the team', async () => {
    const { send, recorder, resources } = await testApi()
    await send('POST', appsPath, appBody('shop'))
    const shop = await resources.mustGet<never>((await import('../actor.ts')).systemActor('test'), { kind: 'App', namespace: 'blue', name: 'shop' })
    await recorder.record(shop, 'Normal', 'Built', 'Built in 2 s.', 'delivery')
    const path = '/api/v1/namespaces/blue/events'
    expect((await send('GET', path, undefined, { token: 'view' })).body.items).toMatchObject([{ reason: 'Built', involvedObject: { name: 'shop', namespace: 'blue' }, count: 1 }])
    expect((await send('GET', path, undefined, { token: 'other' })).status).toBe(403)
    expect((await send('GET', '/api/v1/events', undefined, { token: 'other' })).body.items).toEqual([])
    expect((await send('GET', `${path}?fieldSelector=involvedObject.name%3Dwiki`)).body.items).toEqual([])
    expect((await send('GET', `${path}?fieldSelector=involvedObject.name%3Dshop%2Ctype%3DWarning`)).body.items).toEqual([])
    expect((await send('GET', '/apis/events.k8s.io/v1/namespaces/blue/events?fieldSelector=regarding.name%3Dshop')).body.items).toMatchObject([{ note: 'Built in 2 s.', regarding: { kind: 'App' } }])
  })

  test('reviews tell what the actor may do, and who it is', async () => {
    const { send } = await testApi()
    const may = async (token: string, attributes: object): Promise<boolean> =>
      (await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: attributes } }, { token })).body.status.allowed
    const create = { namespace: 'blue', verb: 'create', group: 'pavior.dev', resource: 'apps' }
    expect([await may('dev', create), await may('view', create), await may('root', { ...create, namespace: '' }), await may('dev', { ...create, namespace: '' })]).toEqual([true, false, true, false])
    expect([await may('view', { ...create, verb: '*' }), await may('dev', { ...create, verb: 'deletecollection' }), await may('root', { ...create, verb: 'fly' }), await may('root', { ...create, resource: 'ships' })]).toEqual([false, true, false, false])
    const rules = await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: 'blue' } }, { token: 'view' })
    expect(rules.body.status.resourceRules).toContainEqual({ verbs: ['get', 'list', 'watch'], apiGroups: ['pavior.dev'], resources: ['apps', 'apps/status'] })
    const who = await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token: 'dev' })
    expect(who.body.status.userInfo).toEqual({ username: 'user:dev', groups: ['system:authenticated', 'pavior:users', 'team:blue:developer'] })
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

describe('closing', () => {
  test('a request in flight is answered, and what takes too long is cut off', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { app, send, url, seen } = await testApi({
      limits: { drainTimeoutMs: 300 },
      routes: [
        (scope) => void scope.get('/v1/slow', async () => held.then(() => ({ done: true }))),
        (scope) => void scope.get('/v1/endless', () => new Promise(() => {})),
      ],
    })
    const begun = seen(/slow/)
    const slow = send('GET', '/v1/slow')
    await begun
    const stuck = seen(/endless/)
    const endless = fetch(`${url}/v1/endless`, { headers: { authorization: 'Bearer root' } }).then(() => 'answered', () => 'cut off')
    await stuck
    const closed = app.close()
    release()
    expect((await slow).body).toEqual({ done: true })
    expect(await endless).toBe('cut off')
    await closed
  })
})
