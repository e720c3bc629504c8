import fc from 'fast-check'
import { expect, test } from 'vitest'
import { overrunsOf, overrunText, runningOf, type App } from './plan.ts'

const app = (spec: App['spec']): App => ({ apiVersion: '', kind: 'App', metadata: { name: 'shop', namespace: 'default', uid: '', resourceVersion: '', generation: 1, creationTimestamp: '' }, spec })

test('what runs is counted by process, with the settings of people before those of the manifest', () => {
  const processes = { web: { command: 'a', memory: '256Mi', cpu: 0.5 }, worker: { command: 'b', replicas: 2 }, release: { command: 'c' } }
  expect(runningOf([{ app: app({}), environment: 'production', processes }])).toEqual({ instances: 3, cpu: 2.5, memoryMib: 256 + 1024 })
  expect(runningOf([{ app: app({ scale: { production: { web: 4 } }, processes: { worker: { replicas: 0 } } }), environment: 'production', processes }])).toEqual({ instances: 4, cpu: 2, memoryMib: 1024 })
})

test('only what grew and is over its limit is refused', () => {
  expect(overrunsOf({ instances: 2, cpu: 1 }, { instances: 1, cpu: 3 }, { instances: 3, cpu: 3 })).toEqual([{ name: 'instances', used: 3, limit: 2 }])
  expect(overrunText('shop', { name: 'memoryMib', used: 1024, limit: 512 })).toBe('Team shop would use 1024 of its 512 MiB of memory.')
})

test('using less is never refused, and within the limits nothing is', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (limit, before, after) => {
      const refused = overrunsOf({ apps: limit }, { apps: before }, { apps: after }).length > 0
      expect(refused).toBe(after > limit && after > before)
    }),
  )
})
