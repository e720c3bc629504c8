import { expect, test } from 'vitest'
import { isMine, justEnded, toldAbout, type Deployment } from './ended.ts'

const deployment = (uid: string, phase: string, finishedAt?: string, namespace = 'default'): Deployment =>
  ({ metadata: { uid, namespace }, spec: {}, status: { phase, ...(finishedAt ? { finishedAt } : {}) } }) as unknown as Deployment

const all = [
  deployment('old failure', 'Failed', '2026-01-01T00:00:00Z'),
  deployment('new success', 'Succeeded', '2026-01-03T00:00:00Z'),
  deployment('new failure', 'Failed', '2026-01-02T00:00:00Z'),
  deployment('going on', 'Starting'),
  deployment('replaced', 'Superseded', '2026-01-03T00:00:00Z'),
]

test('unread failures come first, then the newest; what goes on or was replaced is no news', () => {
  const { shown, unread } = toldAbout(all, '2026-01-01T12:00:00Z')
  expect(shown.map(({ metadata }) => metadata.uid)).toEqual(['new failure', 'new success', 'old failure'])
  expect(unread).toBe(2)
})

test('what ended between two looks is told once', () => {
  expect(justEnded(new Set(['old failure', 'new success']), all).map(({ metadata }) => metadata.uid)).toEqual(['new failure'])
})

test('mine are those of my teams; an administrator without a team looks at all', () => {
  expect(isMine(deployment('a', 'Failed', undefined, 'shop'), { admin: true, roles: {} })).toBe(true)
  expect(isMine(deployment('a', 'Failed', undefined, 'shop'), { admin: true, roles: { default: 'admin' } })).toBe(false)
  expect(isMine(deployment('a', 'Failed', undefined, 'shop'), { admin: false, roles: {} })).toBe(false)
})
