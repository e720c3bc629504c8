import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clonedFrom, countUse, planLife, previewName, previewSpecOf, type PreviewObserved } from './plan.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

test.each([
  ['search-box', /^search-box-[0-9a-f]{5}$/],
  ['feature/Login Form!', /^feature-login-[0-9a-f]{5}$/],
  ['../../etc/passwd', /^etc-passwd-[0-9a-f]{5}$/],
  ['123-fix', /^fix-[0-9a-f]{5}$/],
  ['日本語', /^branch-[0-9a-f]{5}$/],
  ['x'.repeat(200), /^x{14}-[0-9a-f]{5}$/],
])('the branch %s becomes a name that a host can have', (branch, name) => {
  expect(previewName('shop', branch, hash)).toMatch(name)
})

test('every branch of every app has a name of its own that is a label of at most 20 characters', () => {
  expect(previewName('shop', 'a/b', hash)).not.toBe(previewName('shop', 'a-b', hash))
  expect(previewName('shop', 'a', hash)).not.toBe(previewName('cart', 'a', hash))
  fc.assert(fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 255 }), (branch) => {
    expect(previewName('shop', branch, hash)).toMatch(/^[a-z]([-a-z0-9]{0,18}[a-z0-9])$/)
  }))
})

test('configuration comes from the environment before production', () => {
  const environment = (name: string, tier: 'production' | 'staging', after?: string) => ({ metadata: { name } as never, spec: { tier, ...(after ? { after } : {}) } })
  expect(clonedFrom(undefined, [environment('production', 'production', 'staging')], 'live')).toBe('staging')
  expect(clonedFrom(undefined, [environment('production', 'production')], 'live')).toBe('live')
  expect(clonedFrom('dev', [environment('production', 'production', 'staging')], 'live')).toBe('dev')
})

test('a preview takes the manifest of its branch and one instance of what is not switched off', () => {
  const spec = previewSpecOf({ config: { p: { A: '1' } } }, { processes: { web: { replicas: 5 }, worker: { replicas: 0 }, cron: {} } })
  expect(spec).toEqual({ config: { p: { A: '1' } }, processes: { web: { replicas: 1 }, worker: { replicas: 0 }, cron: { replicas: 1 } } })
})

const now = new Date('2026-03-01T12:00:00Z')
const at = (hoursAgo: number): string => new Date(now.getTime() - hoursAgo * 3600_000).toISOString()
const observed = (over: Partial<PreviewObserved>): PreviewObserved => ({
  spec: { app: 'shop', branch: 'x', ttlHours: 72 }, status: {}, createdAt: at(100), requests: 0, deployedAt: undefined, countsKnown: true, ...over,
})

test('it ends when nothing happened for its time, and never while the counts are not known', () => {
  expect(planLife(observed({}), now)).toMatchObject({ expired: true, activeAt: at(100) })
  expect(planLife(observed({ countsKnown: false }), now).expired).toBe(false)
  expect(planLife(observed({ requests: 1 }), now)).toMatchObject({ expired: false, activeAt: now.toISOString() })
  expect(planLife(observed({ deployedAt: at(71) }), now).expired).toBe(false)
  expect(planLife(observed({ spec: { app: 'shop', branch: 'x', ttlHours: 72, keepUntil: at(-1) } }), now)).toMatchObject({ expired: false, expiresAt: at(-1) })
})

test('activity only ever lengthens its life, by at most its time', () => {
  const hours = fc.integer({ min: 0, max: 500 })
  fc.assert(
    fc.property(hours, fc.option(hours), fc.option(hours), fc.nat(3), fc.integer({ min: 1, max: 200 }), (created, pushed, deployed, requests, ttlHours) => {
      const base = { spec: { app: 'shop', branch: 'x', ttlHours }, createdAt: at(created) }
      const idle = planLife(observed(base), now)
      const used = planLife(observed({ ...base, requests, status: { ...(pushed === null ? {} : { pushedAt: at(pushed) }) }, deployedAt: deployed === null ? undefined : at(deployed) }), now)
      expect(Date.parse(used.expiresAt)).toBeGreaterThanOrEqual(Date.parse(idle.expiresAt))
      expect(Date.parse(used.expiresAt) - now.getTime()).toBeLessThanOrEqual(ttlHours * 3600_000)
    }),
  )
})

test('what instances used is added once, and stays when they are gone', () => {
  const use = { awakeSeconds: 10, asleepSeconds: 5, awakeByteSeconds: 1024 ** 3, asleepByteSeconds: 0 }
  const first = countUse({}, [{ id: 'a', cpuSeconds: 1, use }])
  expect(first.use).toEqual({ cpuSeconds: 1, awakeSeconds: 10, asleepSeconds: 5, awakeGibSeconds: 1, asleepGibSeconds: 0 })
  expect(countUse(first, [{ id: 'a', cpuSeconds: 1, use }]).use).toEqual(first.use)
  const later = countUse(first, [{ id: 'b', cpuSeconds: 2, use: { ...use, awakeSeconds: 1 } }])
  expect(later.use).toMatchObject({ cpuSeconds: 3, awakeSeconds: 11 })
  expect(Object.keys(later.counted)).toEqual(['b'])
  expect(countUse(later, []).use).toEqual(later.use)
})
