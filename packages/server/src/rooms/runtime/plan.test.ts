import type { InstanceStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { desiredRoutes, desiredSet, statusOf, withIdentity, type InstanceSet, type Route } from './plan.ts'

const metadata = { name: 'shop-1-web', namespace: 'blue', uid: 'u1', generation: 3, resourceVersion: '1', creationTimestamp: '' }
const set = (replicas: number): InstanceSet => ({
  apiVersion: 'pavior.dev/v1',
  kind: 'InstanceSet',
  metadata,
  spec: { app: 'shop', environment: 'production', release: 1, process: 'web', replicas, artifact: `sha256:${'a'.repeat(64)}`, command: ['serve'], env: {}, mounts: ['/opt/node'], listens: true, memoryBytes: 1, cpu: 1, pids: 1, startTimeoutMs: 1, stopGraceMs: 1, drainTimeoutMs: 1 },
})
const instance = fc.record({
  id: fc.stringMatching(/^[a-z]{4,8}$/),
  set: fc.constantFrom('u1', 'u2'),
  state: fc.constantFrom<InstanceStatus['state'][]>('starting', 'healthy', 'unhealthy', 'draining', 'stopping', 'backoff', 'stopped'),
  restarts: fc.nat(5),
  crashLoop: fc.boolean(),
})

describe('the status of a set', () => {
  test('counts its own instances only, and is ready exactly when enough are healthy', () => {
    fc.assert(
      fc.property(fc.uniqueArray(instance, { selector: ({ id }) => id }), fc.nat(4), (instances, replicas) => {
        const status = statusOf(set(replicas), instances, 'now')
        const own = instances.filter((each) => each.set === 'u1')
        const healthy = own.filter(({ state }) => state === 'healthy').length
        expect([status.replicas, status.ready, status.instances!.length]).toEqual([own.length, healthy, own.length])
        expect(status.conditions![0]!.status).toBe(healthy >= replicas ? 'True' : 'False')
        expect(status.crashLoop).toBe(own.some(({ crashLoop }) => crashLoop))
        expect(status.observedGeneration).toBe(3)
      }),
    )
  })

  test('is the same whatever the order in which the agent lists, so that nothing is written for nothing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(instance, { selector: ({ id }) => id }), (instances) => {
        expect(statusOf(set(1), instances.toReversed(), 'now')).toEqual(statusOf(set(1), instances, 'now'))
      }),
    )
  })

  test('names the problem of an instance', () => {
    const problem = { code: 'PORT_NOT_BOUND' as const, message: 'It listens on 3000 instead.', fix: 'Listen on PORT.' }
    const status = statusOf(set(1), [{ id: 'a', set: 'u1', state: 'starting', restarts: 0, crashLoop: false, problem }], 'now')
    expect(status.problem).toEqual(problem)
    expect(status.conditions![0]).toMatchObject({ status: 'False', reason: 'PORT_NOT_BOUND', message: 'It listens on 3000 instead.' })
  })
})

test('a desired set never lets an instance change its files', () => {
  const desired = desiredSet(set(2), (digest) => `/artifacts/${digest.slice(7, 10)}`)
  expect(desired).toMatchObject({ id: 'u1', replicas: 2, workload: { directory: '/artifacts/aaa', writable: false, mounts: [{ source: '/opt/node', target: '/opt/node', readOnly: true }] } })
})

test('a route leads only to sets that exist, once for each host', () => {
  const route: Route = {
    apiVersion: 'pavior.dev/v1',
    kind: 'Route',
    metadata: { ...metadata, name: 'shop', uid: 'r1' },
    spec: { app: 'shop', environment: 'production', hosts: ['a.localhost', 'b.localhost'], requestTimeoutMs: 1000, backends: [{ instanceSet: 'there', weight: 90 }, { instanceSet: 'gone', weight: 10 }] },
  }
  const routes = desiredRoutes(route, (_team, name) => (name === 'there' ? 'u1' : undefined))
  expect(routes.map(({ host, path, backends }) => [host, path, backends])).toEqual([['a.localhost', '/', [{ set: 'u1', weight: 90 }]], ['b.localhost', '/', [{ set: 'u1', weight: 90 }]]])
  expect(new Set(routes.map(({ id }) => id)).size).toBe(2)
})

test('an app has its credential beside its secrets, and what the agent keeps is left alone', () => {
  const credential = { PAVIOR_ID_TOKEN_URL: 'http://localhost', PAVIOR_ID_TOKEN_REQUEST_TOKEN: 'pvw_x' }
  expect(withIdentity(undefined, credential)).toEqual({ env: credential, files: {} })
  expect(withIdentity({ env: { KEY: 'value' }, files: { CERT: 'eA==' } }, credential)).toEqual({ env: { ...credential, KEY: 'value' }, files: { CERT: 'eA==' } })
  expect(withIdentity('kept', credential)).toBe('kept')
})
