import type { Resource } from '@pavior/contract'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { Resources } from '../../../kernel/resources/index.ts'
import { createOutcomes } from './outcomes.ts'

const at = '2026-01-02T10:00:00Z'

function build(phase: string, finishedAt?: string): Resource {
  return { apiVersion: 'pavior.dev/v1', kind: 'Build', metadata: { name: 'shop-1', namespace: 'web', uid: 'u', creationTimestamp: at, resourceVersion: '1' }, spec: { app: 'shop' }, status: { phase, ...(finishedAt ? { finishedAt } : {}) } } as never
}

test('an end is counted when it comes, with how long it took; what had ended before is not counted again', async () => {
  const registry = new Registry()
  const ended = build('Succeeded', '2026-01-02T10:00:07Z')
  const resources = { get: async (_: unknown, { kind, namespace, name }: { kind: string; namespace: string; name: string }) => (kind === 'Build' && namespace === 'web' && name === 'shop-1' ? ended : undefined) } as unknown as Resources
  const { interests, reconcile } = createOutcomes({ resources, registry })
  const keys = (object: Resource, previous: Resource | undefined): string[] => interests.filter(({ kind }) => kind === object.kind).flatMap((one) => one.keys(object, previous))
  expect(keys(build('Building'), build('Queued'))).toEqual([])
  expect(keys(ended, ended)).toEqual([])
  expect(keys(ended, undefined)).toEqual([])
  expect(keys(ended, build('Building'))).toEqual(['Build/web/shop-1'])

  await reconcile('Build/web/shop-1', AbortSignal.timeout(1000))
  await reconcile('Build/web/gone', AbortSignal.timeout(1000))
  await reconcile('Deployment/web/gone', AbortSignal.timeout(1000))
  const text = await registry.metrics()
  expect(text).toContain('pavior_builds_total{team="web",app="shop",environment="",outcome="Succeeded"} 1')
  expect(text).toContain('pavior_build_duration_seconds_bucket{le="10",outcome="Succeeded"} 1')
  expect(text).toContain('pavior_build_duration_seconds_bucket{le="5",outcome="Succeeded"} 0')
  expect(text).toContain('pavior_deployment_duration_seconds_count{outcome="RolledBack"} 0')
})
