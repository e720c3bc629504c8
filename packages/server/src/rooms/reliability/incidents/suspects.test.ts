import { describe, expect, test } from 'vitest'
import type { AuditRow } from '@pavior/contract'
import type { GameDay } from '../game-days/plan.ts'
import { suspectsOf, type SuspectContext } from './suspects.ts'
import { happenings } from './timeline.ts'
import type { Alert, Deployment, RunbookRun } from './types.ts'

const onsetMs = Date.parse('2026-03-02T03:00:00Z')
const at = (minutesBefore: number): string => new Date(onsetMs - minutesBefore * 60_000).toISOString()

function deployment(app: string, release: number, minutesBefore: number, more: { reason?: string; rollbackTo?: boolean; phase?: string; previous?: number; environment?: string } = {}): Deployment {
  const { reason = 'deploy', rollbackTo, phase = 'Succeeded', previous = release - 1, environment = 'production' } = more
  const name = `${app}-${environment}-${release}`
  return { apiVersion: 'pavior.dev/v1', kind: 'Deployment', metadata: { name, namespace: 'blue', uid: name, resourceVersion: '1', creationTimestamp: at(minutesBefore) }, spec: { app, environment, release, reason, ...(rollbackTo ? { rollbackTo } : {}) }, status: { phase, previousRelease: previous, startedAt: at(minutesBefore), finishedAt: at(minutesBefore - 1) } } as Deployment
}

const row = (kind: string, name: string, minutesBefore: number, verb = 'patch'): AuditRow => ({ id: `${kind}${name}${minutesBefore}`, time: at(minutesBefore), actor: 'user:ada', verb, kind, team: 'blue', name, resourceVersion: '1' })

const context: SuspectContext = { team: 'blue', app: 'shop', environment: 'production', calls: new Set(['store']), deployments: [], releases: [], changes: [], elsewhere: [], gameDays: [], errors: [], onsetMs, detectedMs: onsetMs + 120_000 }

describe('suspects', () => {
  test('a release before the onset from which all errors come is the first, with the command that takes it back', () => {
    const [first] = suspectsOf({ ...context, deployments: [deployment('shop', 12, 3)], errors: [{ release: 12, requests: 40, failed: 34 }, { release: 11, requests: 60, failed: 0 }] })
    expect(first).toMatchObject({ kind: 'Deployment', name: 'shop-production-12', likelihood: 1, undo: { command: 'pavior rollback v11 --app shop --environment production --team blue', to: 11 } })
    expect(first!.reasons).toEqual(['It is a change of shop itself.', 'It came 3 min before the trouble began.', '34 of 34 failed requests came from v12, and v11 answered well in the same time.'])
  })

  test('what came after the onset, fails no request, or was a rollback stands behind what a dependency did', () => {
    const found = suspectsOf({
      ...context,
      deployments: [deployment('shop', 13, -10), deployment('store', 4, 5), deployment('shop', 12, 30), deployment('shop', 11, 1, { rollbackTo: true }), deployment('blog', 2, 1), deployment('shop', 9, 2, { environment: 'staging' })],
      errors: [{ release: 11, requests: 100, failed: 50 }, { release: 12, requests: 100, failed: 0 }],
    })
    expect(found.map(({ name }) => name)).toEqual(['store-production-4', 'shop-production-12'])
    expect(found[1]!.reasons).toContain('None of the 50 failed requests came from v12.')
  })

  test('changes by hand count where no deployment tells of them; counts of the router may be a little late', () => {
    const found = suspectsOf({ ...context, deployments: [deployment('shop', 12, 4, { reason: 'configuration changed' })], changes: [row('App', 'shop', 4.5), row('App', 'store', 8), row('App', 'blog', 1), row('Secret', 'shop-key', 1), row('Secret', 'read', 1, 'read')] })
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['Deployment shop-production-12', 'Secret shop-key', 'App store'])
    const late = suspectsOf({ ...context, deployments: [deployment('shop', 12, -1)] })
    expect(late[0]!.likelihood).toBeGreaterThan(0.5)
  })

  test('one that was taken back already is not the first any more; only so many are told', () => {
    const [first, second] = suspectsOf({ ...context, deployments: [deployment('shop', 12, 3, { phase: 'RolledBack' }), deployment('shop', 13, 2)] })
    expect([first!.release, second!.release]).toEqual([13, 12])
    expect(second!.reasons).toContain('It was taken back already.')
    const [bad] = suspectsOf({ ...context, deployments: [deployment('shop', 12, 3), deployment('shop', 11, -5, { rollbackTo: true })] })
    expect([bad!.release, bad!.reasons.at(-1), bad!.undo]).toEqual([12, 'Another release serves in its place by now.', undefined])
    expect(suspectsOf({ ...context, deployments: Array.from({ length: 30 }, (_, index) => deployment('shop', index + 2, index)) })).toHaveLength(8)
  })
})

const gameDay = (over: Partial<GameDay['status']> = {}): GameDay => ({ metadata: { name: 'slow-day', namespace: 'blue', uid: 'g' }, spec: { hypothesis: 'It holds.', app: 'shop', environment: 'production', steps: [{ seconds: 60, kill: {} }] }, status: { state: 'Running', startedAt: at(2), startedBy: 'user:ana', steps: [{ name: '1 instance killed', state: 'Running', from: at(1), until: at(-1) }], ...over } }) as GameDay

test('a game day that was at work when the trouble began did it, and stopping it takes it back', () => {
  const found = suspectsOf({ ...context, gameDays: [gameDay()], deployments: [deployment('shop', 12, 30)] })
  expect(found[0]).toMatchObject({ kind: 'GameDay', name: 'slow-day', by: 'user:ana', likelihood: 0.95, undo: { command: 'pavior gameday stop slow-day --team blue' } })
  expect(suspectsOf({ ...context, gameDays: [gameDay({ finishedAt: at(-1) })] })[0]!.undo).toBeUndefined()
  expect(suspectsOf({ ...context, gameDays: [gameDay({ steps: [{ name: '1 instance killed', state: 'Done', from: at(30), until: at(29) }] })] })).toEqual([])
  const lines = happenings({ team: 'blue', apps: new Set(['shop']), environment: 'production', fromMs: onsetMs - 3600_000, untilMs: onsetMs + 600_000, alerts: [], deployments: [], releases: [], changes: [], freezes: [], elsewhere: [], runs: [], gameDays: [gameDay({ state: 'Stopped', finishedAt: at(0), stoppedBy: 'user:bob', message: 'It was stopped: bob stopped it.' })] })
  expect(lines.map(({ actor, text }) => `${actor} ${text}`)).toEqual(['user:ana ana began the game day slow-day: It holds.', 'system:incidents The game day slow-day injected a fault into shop: 1 instance killed.', 'user:bob The game day slow-day is over. It was stopped: bob stopped it.'])
})

test('a timeline has what happened in its time, in its order, each under a key that stays the same', () => {
  const alert = { apiVersion: 'pavior.dev/v1', kind: 'Alert', metadata: { name: 'a', namespace: 'blue', uid: 'a', resourceVersion: '1', creationTimestamp: at(0) }, spec: { severity: 'page', summary: 'It burns.', source: { kind: 'Slo', name: 's' }, app: 'shop' }, status: { state: 'Resolved', since: at(0), resolvedAt: at(-20), acknowledged: { by: 'user:bob', at: at(-2) } } } as Alert
  const run = { metadata: { name: 'r', uid: 'r' }, spec: { runbook: 'roll-back', title: 'Roll back', requestedBy: 'user:bob' }, status: { phase: 'Succeeded', message: 'It is back.', startedAt: at(-3), finishedAt: at(-5), steps: [{ name: 'approve', type: 'human', state: 'Done', by: 'user:ada', finishedAt: at(-4) }] } } as RunbookRun
  const what = { team: 'blue', apps: new Set(['shop']), environment: 'production', fromMs: onsetMs - 3600_000, untilMs: onsetMs + 600_000, alerts: [alert], deployments: [deployment('shop', 12, 3), deployment('blog', 1, 3), deployment('shop', 10, 90)], releases: [], changes: [row('Policy', 'no-latest', 30), row('App', 'blog', 5), row('Secret', 'old', 100), row('Quota', 'q', 2, 'read')], freezes: [], gameDays: [], elsewhere: [{ id: '7', source: '/flags', type: 'flag.changed', at: new Date(onsetMs - 60_000).toISOString(), team: 'blue', app: 'shop', environment: 'production', text: 'new-cart is on' }], runs: [run] }
  const lines = happenings(what)
  expect(lines.map(({ text }) => text)).toEqual([
    'ada changed the policy no-latest.',
    'v12 of shop began to go to production (deploy).',
    'v12 of shop serves production.', '/flags told of a change for shop: new-cart is on',
    'It burns.',
    'bob took the alert a.',
    'The runbook Roll back was begun.',
    'Roll back, approve: done.',
    'The runbook Roll back ended: It is back.',
    'It ended: It burns.',
  ])
  expect(happenings(what).map(({ dedupe }) => dedupe)).toEqual(lines.map(({ dedupe }) => dedupe))
  expect(new Set(lines.map(({ dedupe }) => dedupe)).size).toBe(lines.length)
})
