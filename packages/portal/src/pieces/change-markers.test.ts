import { expect, test } from 'vitest'
import type { Deployment } from '../frame/apps.ts'
import { deploymentMarkers, incidentMarkers, inTime } from './change-markers.ts'

const at = '2026-01-01T00:00:00Z'
const seconds = Date.parse(at) / 1000

test('deployments that ended are marked, and incidents last until users are well again', () => {
  const deployment = (release: number, phase: string, finishedAt?: string): Deployment => ({ spec: { app: 'shop', release }, status: { phase, finishedAt } }) as unknown as Deployment
  expect(deploymentMarkers([deployment(1, 'Succeeded', at), deployment(2, 'RolledBack', at), deployment(3, 'Starting'), deployment(4, 'Canceled', at)], true)).toEqual([
    { at: seconds, label: 'shop v1', tone: 'good' },
    { at: seconds, label: 'shop v2', tone: 'bad' },
  ])
  const incident = (status: object): never => ({ metadata: { name: 'inc-1', creationTimestamp: at }, spec: { severity: 'sev2' }, status }) as never
  expect(incidentMarkers([incident({}), incident({ startedAt: at, mitigatedAt: '2026-01-01T00:01:00Z' })], seconds + 500)).toEqual([
    { at: seconds, until: seconds + 500, label: 'inc-1 sev2', tone: 'bad' },
    { at: seconds, until: seconds + 60, label: 'inc-1 sev2', tone: 'bad' },
  ])
  expect(inTime([{ at: 2, label: 'b', tone: 'good' }, { at: 1, label: 'a', tone: 'good' }]).map(({ label }) => label)).toEqual(['a', 'b'])
})
