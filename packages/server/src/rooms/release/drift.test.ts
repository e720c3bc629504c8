import { expect, test } from 'vitest'
import type { ReleaseSpec } from '@pavior/contract'
import type { InstanceSet, Route } from './context.ts'
import { driftOf, repositoryDrift, type DriftInput } from './drift.ts'
import { configDigest, wantedSets } from './snapshot.ts'

const release: ReleaseSpec = { app: 'shop', version: 3, artifact: `sha256:${'a'.repeat(64)}`, environment: 'production', env: { TOKEN: 'secret' }, processes: { web: { command: 'node x', health: { path: '/up' } }, worker: { command: 'node y', replicas: 2 } } }
const metadata = (name: string) => ({ name, uid: name, generation: 1, resourceVersion: '', creationTimestamp: '' })

function input(over: Partial<DriftInput> = {}): DriftInput {
  const spec = over.spec ?? {}
  const wanted = wantedSets({ team: 'default', app: 'shop', environment: 'production', release, scale: spec.scale?.production ?? {} })
  const sets = wanted.map(({ process, spec: one }) => ({ metadata: metadata(`d-${process}`), spec: one })) as InstanceSet[]
  const routes = [{ metadata: metadata('shop-production'), spec: { hosts: ['shop.localhost'], backends: [{ instanceSet: 'd-web', weight: 100 }] }, status: { observedGeneration: 1 } }] as unknown as Route[]
  return {
    team: 'default', app: 'shop', environment: 'production', spec, declared: undefined, release, configAtDeployment: configDigest(spec, 'production'), preview: false,
    setName: (process) => `d-${process}`, sets, routes,
    wanted: [{ name: 'shop-production', route: { suffix: '', hosts: ['shop.localhost'], path: '/' } }],
    instances: sets.flatMap(({ metadata: { uid }, spec: { replicas } }) => Array.from({ length: replicas }, (_, index) => ({ id: `${uid}-${index}`, set: uid, state: 'healthy' as const, restarts: 0, crashLoop: false }))),
    ...over,
  }
}

test('nothing differs where everything runs as declared', () => {
  expect(driftOf(input())).toEqual([])
  expect(driftOf(input({ spec: { scale: { production: { web: 4 } } } }))).toEqual([])
})

test('instances, settings, routes and configuration that differ are told, and no value of a variable', () => {
  const base = input()
  const [web, worker] = base.sets as [InstanceSet, InstanceSet]
  const found = driftOf({
    ...base,
    sets: [{ ...web, spec: { ...web.spec, replicas: 2, env: { ...web.spec.env, TOKEN: 'other', MORE: 'x' } } }],
    routes: [{ ...base.routes[0]!, spec: { ...base.routes[0]!.spec, backends: [{ instanceSet: 'd-web', weight: 50 }, { instanceSet: 'old', weight: 50 }] }, status: { observedGeneration: 0 } }],
    configAtDeployment: 'before',
  })
  expect(found.map(({ what, name, field }) => `${what} ${name} ${field}`)).toEqual([
    'release configuration config', 'set web replicas', 'set web env.MORE', 'set web env.TOKEN', 'set worker instances', 'instances web healthy', 'route shop-production weights', 'route shop-production router',
  ])
  expect(JSON.stringify(found)).not.toMatch(/secret|other/)
  expect(driftOf({ ...base, sets: [web, worker, { ...web, metadata: metadata('gone-web') } as InstanceSet] }).map(({ declared }) => declared)).toContain('none')
})

test('what a repository declares of the app is told with its file', () => {
  expect(repositoryDrift('config', [{ kind: 'App', name: 'shop', file: 'shop.yaml', fields: ['spec.env.A'] }, { kind: 'App', name: 'cart', file: 'x', fields: ['y'] }], 'shop')).toEqual([{ what: 'repository', name: 'config: shop.yaml', field: 'spec.env.A', declared: '…', running: '…' }])
})
