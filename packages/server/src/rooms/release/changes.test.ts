import type { ReleaseSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { releaseChanges } from './changes.ts'

const release = (change: Partial<ReleaseSpec>): ReleaseSpec => ({ app: 'shop', version: 1, artifact: `sha256:${'1'.repeat(64)}`, environment: 'production', env: {}, processes: {}, ...change })

test('names what was added, changed and removed, and nothing else', () => {
  const from = release({ env: { SAME: '1', CHANGED: 'a', REMOVED: 'x' }, processes: { web: { command: 'node a.js', memory: '512Mi', health: { path: '/' } } } })
  const to = release({ env: { SAME: '1', CHANGED: 'b', ADDED: '' }, processes: { web: { command: 'node a.js', memory: '1Gi', health: { path: '/healthz' } } } })
  expect(releaseChanges(from, to)).toEqual({
    artifact: { before: from.artifact, after: to.artifact, same: true },
    configuration: [{ name: 'ADDED', after: '' }, { name: 'CHANGED', before: 'a', after: 'b' }, { name: 'REMOVED', before: 'x' }],
    secrets: [],
    processes: [{ name: 'web.health', before: '{"path":"/"}', after: '{"path":"/healthz"}' }, { name: 'web.memory', before: '512Mi', after: '1Gi' }],
  })
})
