/** Everything that issue and design promise to kubectl users, with the real thing. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { systemActor } from '../src/kernel/actor.ts'
import { makeCertificate } from '../src/kernel/api/index.ts'
import { testApi, type TestApi } from './api.ts'
import { findKubectls, kubectlAgainst, type Kubectl, type Ran } from './kubectl.ts'

const kubectls = findKubectls()
if (kubectls.length === 0) console.log('SKIPPED: kubectl tests, because there is no kubectl on PATH and PAVIOR_TEST_KUBECTL is not set')

const app = (spec: object, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name: 'shop', ...metadata }, spec })
const web = (replicas: unknown): object => ({ processes: { web: { command: 'node .', replicas } } })

function versionOf(binary: string): string {
  return (
    JSON.parse(execFileSync(binary, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })) as {
      clientVersion: { gitVersion: string }
    }
  ).clientVersion.gitVersion
}

function expectDone({ code, out, err }: Ran): string {
  expect({ code, err }).toEqual({ code: 0, err: expect.not.stringMatching(/error/i) })
  return out
}

const tls = await makeCertificate(['127.0.0.1', 'localhost'], new Date())

async function platform(binary: string): Promise<TestApi & { kubectl: Kubectl }> {
  const api = await testApi({ tls })
  return { ...api, kubectl: kubectlAgainst(binary, api.url, 'root', tls.cert) }
}

describe.skipIf(kubectls.length === 0).each(kubectls.map((binary) => ({ binary, version: kubectls.length > 0 ? versionOf(binary) : '' })))(
  'kubectl $version',
  { timeout: 120_000 },
  ({ binary }) => {
    test('create, apply, apply again, diff', async () => {
      const { kubectl } = await platform(binary)
      const { run } = kubectl
      expect(expectDone(await run(['create', '-f', '-'], app(web(1))))).toBe('app.pavior.dev/shop created\n')
      const twice = await run(['create', '-f', '-'], app(web(1)))
      expect(twice).toMatchObject({ code: 1, err: expect.stringContaining('AlreadyExists') })

      expect((await run(['apply', '-f', '-'], app(web(2)))).out).toBe('app.pavior.dev/shop configured\n')
      expect(expectDone(await run(['apply', '-f', '-'], app(web(2))))).toBe('app.pavior.dev/shop unchanged\n')
      const same = await run(['diff', '-f', '-'], app(web(2)))
      expect(same).toMatchObject({ code: 0, out: '' })
      const different = await run(['diff', '-f', '-'], app(web(3)))
      expect(different.code).toBe(1)
      expect(different.out).toMatch(/-\s+replicas: 2\n\+\s+replicas: 3/)
      // A dry run persists nothing.
      expect(expectDone(await run(['get', 'app', 'shop', '-o', 'jsonpath={.spec.processes.web.replicas}']))).toBe('2')
      expect(expectDone(await run(['apply', '--dry-run=server', '-f', '-'], app(web(4))))).toBe(
        'app.pavior.dev/shop configured (server dry run)\n',
      )
      expect(expectDone(await run(['get', 'app', 'shop', '-o', 'jsonpath={.spec.processes.web.replicas}']))).toBe('2')
    })

    test('apply --server-side: own fields, conflict, force', async () => {
      const { run } = (await platform(binary)).kubectl
      const apply = (manager: string, spec: object, ...more: string[]): Promise<Ran> =>
        run(['apply', '--server-side', '--field-manager', manager, ...more, '-f', '-'], app(spec))
      expect(expectDone(await apply('one', { description: 'a', env: { A: '1' } }))).toBe('app.pavior.dev/shop serverside-applied\n')
      expect(expectDone(await apply('one', { description: 'a', env: { A: '1' } }))).toBe('app.pavior.dev/shop serverside-applied\n')
      expect(expectDone(await apply('two', { env: { B: '2' } }))).toBe('app.pavior.dev/shop serverside-applied\n')
      const refused = await apply('two', { description: 'b', env: { B: '2' } })
      expect(refused.code).toBe(1)
      expect(refused.err).toContain('conflict with "one": .spec.description')
      expectDone(await apply('two', { description: 'b', env: { B: '2' } }, '--force-conflicts'))
      // What a manager leaves out goes, unless somebody else has it.
      expectDone(await apply('two', { description: 'b' }))
      const spec = JSON.parse(expectDone(await run(['get', 'app', 'shop', '-o', 'json']))).spec
      expect(spec).toEqual({ description: 'b', env: { A: '1' } })
    })

    test('client-side apply goes over to server-side apply', async () => {
      const { run } = (await platform(binary)).kubectl
      expectDone(await run(['apply', '-f', '-'], app({ description: 'a', env: { A: '1' } })))
      const moved = await run(['apply', '--server-side', '--force-conflicts', '-f', '-'], app({ description: 'b' }))
      expect(moved.code).toBe(0)
      expectDone(await run(['apply', '--server-side', '--force-conflicts', '-f', '-'], app({ description: 'c' })))
      expect(expectDone(await run(['get', 'app', 'shop', '-o', 'jsonpath={.spec.description}']))).toBe('c')
    })

    test('get in every form', async () => {
      const { kubectl, resources } = await platform(binary)
      const { run } = kubectl
      const root = systemActor('test')
      await resources.create(root, 'App', 'blue', {
        metadata: { name: 'shop', labels: { tier: 'web' } },
        spec: { declaredBy: 'Procfile', description: 'sells' },
      })
      await resources.create(root, 'App', 'blue', { metadata: { name: 'wiki' }, spec: { description: 'tells' } })
      await resources.create(root, 'App', 'green', { metadata: { name: 'blog' }, spec: {} })

      const table = expectDone(await run(['get', 'apps']))
      expect(table).toMatch(/^NAME +DECLARED +PROCESSES +AGE\nshop +Procfile +0 +\d+s\nwiki +0 +\d+s\n$/)
      expect(expectDone(await run(['get', 'apps', '-o', 'wide']))).toMatch(
        /^NAME +DECLARED +PROCESSES +DESCRIPTION +AGE|^NAME +DECLARED +PROCESSES +AGE +DESCRIPTION/,
      )
      expect(expectDone(await run(['get', 'app', 'shop', '-o', 'yaml']))).toContain('declaredBy: Procfile')
      expect(JSON.parse(expectDone(await run(['get', 'apps', '-o', 'json']))).items).toHaveLength(2)
      expect(expectDone(await run(['get', 'apps', '-o', 'name']))).toBe('app.pavior.dev/shop\napp.pavior.dev/wiki\n')
      expect(
        expectDone(await run(['get', 'apps', '-A', '--no-headers']))
          .trim()
          .split('\n')
          .map((line) => line.split(/ +/).slice(0, 2)),
      ).toEqual([
        ['blue', 'shop'],
        ['blue', 'wiki'],
        ['green', 'blog'],
      ])
      expect(expectDone(await run(['get', 'apps', '-l', 'tier=web', '-o', 'name']))).toBe('app.pavior.dev/shop\n')
      expect(expectDone(await run(['get', 'apps', '-l', 'tier notin (web)', '-o', 'name']))).toBe('app.pavior.dev/wiki\n')
      expect(expectDone(await run(['get', 'apps', '--field-selector', 'metadata.name=wiki', '-o', 'name']))).toBe('app.pavior.dev/wiki\n')
      expect(expectDone(await run(['get', 'apps', '--field-selector', 'spec.declaredBy=Procfile', '-o', 'name']))).toBe(
        'app.pavior.dev/shop\n',
      )
      expect(expectDone(await run(['get', 'apps', '--show-labels']))).toContain('tier=web')
      expect(expectDone(await run(['get', 'apps', '--chunk-size=1', '-o', 'name']))).toBe('app.pavior.dev/shop\napp.pavior.dev/wiki\n')
      expect(expectDone(await run(['get', 'ns', '--no-headers']))).toMatch(/^blue +Active +\d+s\ngreen +Active +\d+s\n$/)
      expect(expectDone(await run(['get', 'ns', 'blue', '-o', 'name']))).toBe('namespace/blue\n')
      expect(expectDone(await run(['get', 'all', '-o', 'name']))).toContain('app.pavior.dev/shop')
      expect(await run(['get', 'app', 'nope'])).toMatchObject({
        code: 1,
        err: 'Error from server (NotFound): apps.pavior.dev "nope" not found\n',
      })
      expect(await run(['get', 'nonsense'])).toMatchObject({ code: 1 })
      expect((await run(['get', 'apps', '-n', 'red'])).err).toContain('No resources found')
    })

    test('get --watch shows what happens', async () => {
      const { kubectl, resources } = await platform(binary)
      const root = systemActor('test')
      await resources.create(root, 'App', 'blue', { metadata: { name: 'shop' }, spec: { declaredBy: 'Procfile' } })
      const watching = kubectl.start(['get', 'apps', '--watch'])
      await watching.printed(/^NAME.*\nshop +Procfile/)
      await resources.create(root, 'App', 'blue', { metadata: { name: 'wiki' }, spec: { declaredBy: 'detection' } })
      const out = await watching.printed(/\nwiki +detection/)
      expect(out.match(/NAME/g)).toHaveLength(1)
      watching.stop()
      await watching.done
    })

    test('describe with events', async () => {
      const { kubectl, resources, recorder } = await platform(binary)
      const created = await resources.create(systemActor('test'), 'App', 'blue', {
        metadata: { name: 'shop' },
        spec: { description: 'sells' },
      })
      await recorder.record(created as never, 'Warning', 'BuildFailed', 'The build ended with exit code 2.', 'delivery')
      const out = expectDone(await kubectl.run(['describe', 'app', 'shop']))
      expect(out).toMatch(/Name:\s+shop/)
      expect(out).toMatch(/Description:\s+sells/)
      expect(out).toMatch(/Warning\s+BuildFailed\s+\S+\s+delivery\s+The build ended with exit code 2\./)
      expect(expectDone(await kubectl.run(['get', 'events', '--no-headers']))).toMatch(/Warning +BuildFailed +app\/shop +The build ended/)
    })

    test('wait for a condition, a value, a deletion', async () => {
      const { kubectl, resources, seen } = await platform(binary)
      const root = systemActor('test')
      const key = { kind: 'App', namespace: 'blue', name: 'shop' }
      await resources.create(root, 'App', 'blue', { metadata: { name: 'shop', finalizers: ['example.com/hold'] }, spec: {} })
      const late = await kubectl.run(['wait', 'app/shop', '--for=condition=Ready', '--timeout=1s'])
      expect(late).toMatchObject({ code: 1, err: expect.stringContaining('timed out') })

      const condition = kubectl.start(['wait', 'app/shop', '--for=condition=Ready', '--timeout=60s'])
      const ready = { type: 'Ready', status: 'True', reason: 'Serves', message: 'It serves.', lastTransitionTime: new Date().toISOString() }
      await resources.mutate(root, key, (current) => ({ ...current!, status: { conditions: [ready] } }) as never, { subresource: 'status' })
      expect(expectDone(await condition.done)).toBe('app.pavior.dev/shop condition met\n')

      if (!versionOf(binary).startsWith('v1.20')) {
        const value = kubectl.start(['wait', 'app/shop', '--for=jsonpath={.spec.description}=sells', '--timeout=60s'])
        await resources.mutate(root, key, (current) => ({ ...current!, spec: { description: 'sells' } }) as never)
        expect(expectDone(await value.done)).toBe('app.pavior.dev/shop condition met\n')
      }

      expectDone(await kubectl.run(['delete', 'app', 'shop', '--wait=false']))
      // kubectl 1.20 finds an error in waiting for what is gone already.
      const waits = seen(/^GET .*watch=true/)
      const gone = kubectl.start(['wait', 'app/shop', '--for=delete', '--timeout=60s'])
      await waits
      await resources.mutate(
        root,
        key,
        (current) => ({ ...current!, metadata: { ...(current as { metadata: object }).metadata, finalizers: [] } }) as never,
      )
      expectDone(await gone.done)
    })

    test('label, annotate, patch, replace', async () => {
      const { kubectl, resources } = await platform(binary)
      const { run } = kubectl
      expectDone(await run(['create', '-f', '-'], app(web(1))))
      expect(expectDone(await run(['label', 'app', 'shop', 'tier=web']))).toBe('app.pavior.dev/shop labeled\n')
      expect((await run(['label', 'app', 'shop', 'tier=db'])).code).toBe(1)
      expectDone(await run(['label', 'app', 'shop', 'tier=db', '--overwrite']))
      expect(expectDone(await run(['annotate', 'apps', '--all', 'note=hello there']))).toContain('shop annotated')
      expect(expectDone(await run(['patch', 'app', 'shop', '--type=merge', '-p', '{"spec":{"description":"sells"}}']))).toBe(
        'app.pavior.dev/shop patched\n',
      )
      expectDone(
        await run(['patch', 'app', 'shop', '--type=json', '-p', '[{"op":"replace","path":"/spec/processes/web/replicas","value":5}]']),
      )
      expect(
        await run(['patch', 'app', 'shop', '--type=json', '-p', '[{"op":"test","path":"/spec/description","value":"no"}]']),
      ).toMatchObject({ code: 1 })
      const current = await resources.mustGet(systemActor('test'), { kind: 'App', namespace: 'blue', name: 'shop' })
      expect(current).toMatchObject({
        metadata: { labels: { tier: 'db' }, annotations: { note: 'hello there' } },
        spec: { description: 'sells', processes: { web: { replicas: 5 } } },
      })

      const read = JSON.parse(expectDone(await run(['get', 'app', 'shop', '-o', 'json']))) as { spec: { description: string } }
      read.spec.description = 'replaced'
      expect(expectDone(await run(['replace', '-f', '-'], JSON.stringify(read)))).toBe('app.pavior.dev/shop replaced\n')
      expect(await run(['replace', '-f', '-'], JSON.stringify(read))).toMatchObject({ code: 1, err: expect.stringContaining('Conflict') })
      expectDone(await run(['label', 'app', 'shop', 'tier-']))
    })

    test('edit with an editor', async () => {
      const { kubectl, resources } = await platform(binary)
      expectDone(await kubectl.run(['create', '-f', '-'], app({ description: 'before' })))
      const edited = kubectl.start(['edit', 'app', 'shop'], undefined, { KUBE_EDITOR: 'sed -i s/before/after/' })
      expect(expectDone(await edited.done)).toBe('app.pavior.dev/shop edited\n')
      expect(await resources.mustGet(systemActor('test'), { kind: 'App', namespace: 'blue', name: 'shop' })).toMatchObject({
        spec: { description: 'after' },
      })
    })

    test('delete: by name, by label, in the foreground', async () => {
      const { kubectl, resources } = await platform(binary)
      const root = systemActor('test')
      const make = (name: string, metadata: object = {}) =>
        resources.create(root, 'App', 'blue', { metadata: { name, ...metadata }, spec: {} })
      const owner = (await make('owner')) as { metadata: { uid: string } }
      await make('owned', {
        ownerReferences: [{ apiVersion: 'pavior.dev/v1', kind: 'App', name: 'owner', uid: owner.metadata.uid, blockOwnerDeletion: true }],
      })
      for (const name of ['a', 'b']) await make(name, { labels: { group: 'x' } })
      await make('c')

      expect(expectDone(await kubectl.run(['delete', 'app', 'c']))).toContain('app.pavior.dev "c" deleted')
      expect(await kubectl.run(['delete', 'app', 'c'])).toMatchObject({ code: 1, err: expect.stringContaining('NotFound') })
      expectDone(await kubectl.run(['delete', 'app', 'c', '--ignore-not-found']))
      expectDone(await kubectl.run(['delete', 'apps', '-l', 'group=x']))
      expectDone(await kubectl.run(['delete', 'app', 'owner', '--cascade=foreground']))
      expect((await resources.list(root, 'App', 'blue')).items).toEqual([])
    })

    test('explain and api-resources', async () => {
      const { run } = (await platform(binary)).kubectl
      expect(expectDone(await run(['explain', 'app']))).toContain('A workload: where it comes from')
      const processes = expectDone(await run(['explain', 'app.spec.processes']))
      expect(processes).toMatch(/command\s+<string>/)
      expect(expectDone(await run(['explain', 'app.spec.processes.replicas']))).toContain('Instances to run.')
      expect(expectDone(await run(['explain', 'app', '--recursive']))).toContain('failureThreshold')
      expect(expectDone(await run(['explain', 'app.metadata.labels']))).toContain('Words to select by.')
      const listed = expectDone(await run(['api-resources', '--api-group=pavior.dev']))
      expect(listed).toMatch(/releases +rel +pavior\.dev\/v1 +true +Release/)
      expect(listed).toMatch(/teams +pavior\.dev\/v1 +false +Team/)
      expect(expectDone(await run(['api-versions']))).toContain('pavior.dev/v1\n')
      expect(expectDone(await run(['version', '-o', 'json']))).toContain('pavior')
    })

    test('auth can-i', async () => {
      const api = await testApi({ tls })
      const dev = kubectlAgainst(binary, api.url, 'dev', tls.cert)
      const view = kubectlAgainst(binary, api.url, 'view', tls.cert)
      expect(await dev.run(['auth', 'can-i', 'create', 'apps'])).toMatchObject({ code: 0, out: 'yes\n' })
      expect(await view.run(['auth', 'can-i', 'create', 'apps'])).toMatchObject({ code: 1, out: expect.stringMatching(/^no/) })
      expect(await view.run(['auth', 'can-i', 'list', 'apps'])).toMatchObject({ code: 0 })
      expect(await dev.run(['auth', 'can-i', 'get', 'apps', '-n', 'green'])).toMatchObject({ code: 1 })
      expect(expectDone(await view.run(['auth', 'can-i', '--list']))).toMatch(/apps\.pavior\.dev +\[\] +\[\] +\[get list watch\]/)
      const refused = await view.run(['create', '-f', '-'], app({}))
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('Forbidden') })
      const stranger = kubectlAgainst(binary, api.url, 'nobody', tls.cert)
      expect(await stranger.run(['get', 'apps'])).toMatchObject({ code: 1 })
    })

    test('what does not fit is refused, with the field named', async () => {
      const { kubectl, resources } = await platform(binary)
      for (const verb of ['create', 'apply']) {
        const unknown = await kubectl.run([verb, '-f', '-'], app({ descripton: 'typo' }))
        expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/unknown field "(spec\.)?descripton"/) })
        const wrong = await kubectl.run([verb, '-f', '-'], app(web('many')))
        expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/replicas.*(Invalid value|invalid type)/s) })
      }
      const serverSide = await kubectl.run(['apply', '--server-side', '--validate=false', '-f', '-'], app(web('many')))
      expect(serverSide).toMatchObject({
        code: 1,
        err: expect.stringContaining('spec.processes.web.replicas: Invalid value: "string": must be integer'),
      })
      const notLocally = await kubectl.run(['apply', '--validate=false', '-f', '-'], app(web('many')))
      expect(notLocally).toMatchObject({ code: 1, err: expect.stringContaining('must be integer') })
      const name = await kubectl.run(['create', '-f', '-'], app({}, { name: 'Shop' }))
      expect(name).toMatchObject({ code: 1, err: expect.stringContaining('metadata.name') })
      expect((await resources.list(systemActor('test'), 'App', 'blue')).items).toEqual([])
    })
  },
)
