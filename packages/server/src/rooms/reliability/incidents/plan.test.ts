import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { AlertSpec, IncidentSpec, IncidentStatus } from '@pavior/contract'
import { impactOf, incidentFor, isPaging, moved, onsetOf, repeatOf, secondsOf, severityOf, type Neighbours } from './plan.ts'
import type { Alert, Incident } from './types.ts'

const now = new Date('2026-03-02T03:00:00Z')
const at = (minutesAgo: number): string => new Date(now.getTime() - minutesAgo * 60_000).toISOString()
const minute = (text: string): number => Date.parse(text) / 60_000

function incident(name: string, spec: Partial<IncidentSpec>, status: IncidentStatus): Incident {
  return { apiVersion: 'pavior.dev/v1', kind: 'Incident', metadata: { name, namespace: 'blue', uid: name, resourceVersion: '1', generation: 1, creationTimestamp: at(100) }, spec: { title: name, severity: 'sev3', app: 'shop', environment: 'production', ...spec }, status: { state: 'Investigating', detectedAt: at(10), ...status } } as Incident
}

function alert(spec: Partial<AlertSpec>, status: Alert['status'] = { state: 'Firing', since: at(1) }): Alert {
  return { apiVersion: 'pavior.dev/v1', kind: 'Alert', metadata: { name: 'a', namespace: 'blue', uid: 'a', resourceVersion: '1', creationTimestamp: at(1) }, spec: { severity: 'page', summary: 'It fails.', source: { kind: 'Slo', name: 'shop-answers' }, app: 'shop', environment: 'production', ...spec }, status } as Alert
}

const calls: Neighbours = (app) => new Set(app === 'web' ? ['shop'] : app === 'shop' ? ['web', 'store'] : app === 'store' ? ['shop'] : [])

test('an alert joins the incident of its app, of what it calls, and of its source; not another environment, and not what is over', () => {
  const shop = incident('inc-1', {}, {})
  const find = (spec: Partial<AlertSpec>, ...all: Incident[]): string | undefined => incidentFor(alert(spec), all, calls, now)?.metadata.name
  expect(find({}, shop)).toBe('inc-1')
  expect(find({ app: 'web' }, shop)).toBe('inc-1')
  expect(find({ app: 'store' }, shop)).toBe('inc-1')
  expect(find({ app: 'blog' }, shop)).toBeUndefined()
  expect(find({ app: 'blog' }, incident('inc-1', {}, { cause: { kind: 'Slo', name: 'shop-answers' } }))).toBe('inc-1')
  expect(find({ environment: 'staging' }, shop)).toBeUndefined()
  expect(find({}, incident('inc-1', {}, { state: 'Closed' }))).toBeUndefined()
  expect(find({}, incident('inc-1', {}, { state: 'Resolved', resolvedAt: at(59) }))).toBe('inc-1')
  expect(find({}, incident('inc-1', {}, { state: 'Resolved', resolvedAt: at(61) }))).toBeUndefined()
  expect(find({}, incident('inc-1', { app: 'web' }, { detectedAt: at(50) }), incident('inc-2', {}, {}))).toBe('inc-2')
})

test('only what wakes somebody now leads to an incident', () => {
  expect(isPaging(alert({}))).toBe(true)
  expect(isPaging(alert({}, { state: 'Acknowledged', since: at(1) }))).toBe(true)
  expect(isPaging(alert({}, { state: 'Resolved', since: at(1) }))).toBe(false)
  expect(isPaging(alert({ severity: 'ticket' }))).toBe(false)
  expect(isPaging(alert({}, { state: 'Firing', since: at(1), quiet: { because: 'Silenced', by: 'ada' } }))).toBe(false)
})

test('severity goes by tier and environment, and is lifted by one where it reaches far', () => {
  const of = (gravity: Partial<Parameters<typeof severityOf>[0]>): string => severityOf({ tier: undefined, production: true, affected: 1, failedShare: 0.1, ...gravity }).severity
  expect([of({}), of({ tier: '1' }), of({ tier: '3' }), of({ production: false })]).toEqual(['sev3', 'sev2', 'sev4', 'sev4'])
  expect([of({ affected: 3 }), of({ tier: '1', failedShare: 0.5 }), of({ production: false, affected: 40 })]).toEqual(['sev2', 'sev1', 'sev3'])
  expect(severityOf({ tier: '1', production: true, affected: 4, failedShare: 0.9 }).reason).toBe('It pages for an app of tier 1, in production, and 4 apps are affected.')
})

test('it began with the first bad minute of the run that led to it', () => {
  const bad = (text: string, failed = 5): { minute: number; requests: number; failed: number } => ({ minute: minute(text), requests: 100, failed })
  const detected = Date.parse('2026-03-02T03:00:20Z')
  const onset = (...minutes: ReturnType<typeof bad>[]): string => new Date(onsetOf(minutes, detected)).toISOString().slice(11, 19)
  expect(onset()).toBe('03:00:20')
  expect(onset(bad('2026-03-02T02:57:00Z'), bad('2026-03-02T02:59:00Z'))).toBe('02:57:00')
  expect(onset(bad('2026-03-02T02:40:00Z'), bad('2026-03-02T02:58:00Z'))).toBe('02:58:00')
  expect(onset(bad('2026-03-02T02:58:00Z', 0))).toBe('03:00:20')
  expect(onset(bad('2026-03-02T03:05:00Z'))).toBe('03:00:20')
})

test('times go with the state, and nothing is below zero when a clock steps back', () => {
  const open: IncidentStatus = { startedAt: at(12), detectedAt: at(10), acknowledged: { by: 'user:ada', at: at(8) } }
  const resolved = moved(moved(open, 'Mitigated', at(5)), 'Resolved', at(2))
  expect(resolved).toMatchObject({ state: 'Resolved', mitigatedAt: at(5), resolvedAt: at(2), seconds: { detect: 120, acknowledge: 120, restore: 300 } })
  expect(moved(resolved, 'Investigating', at(1))).toEqual({ ...open, state: 'Investigating', seconds: { detect: 120, acknowledge: 120 } })
  expect(moved(open, 'Closed', at(1))).toMatchObject({ mitigatedAt: at(1), resolvedAt: at(1), closedAt: at(1) })
  const time = fc.integer({ min: 0, max: 1000 }).map(at)
  fc.assert(fc.property(time, time, time, time, (startedAt, detectedAt, acked, resolvedAt) => {
    const seconds = secondsOf({ startedAt, detectedAt, acknowledged: { by: 'x', at: acked }, resolvedAt })
    expect(Object.values(seconds).every((value) => value >= 0)).toBe(true)
  }))
})

test('the same app and source within 30 days is a repeat', () => {
  const cause = { kind: 'Slo', name: 'shop-answers' }
  const one = incident('inc-3', {}, { cause })
  const day = 24 * 60
  const earlier = [incident('inc-1', {}, { cause, detectedAt: at(29 * day) }), incident('inc-2', {}, { cause, detectedAt: at(3 * day) }), incident('inc-0', {}, { cause, detectedAt: at(31 * day) }), incident('inc-x', { app: 'blog' }, { cause, detectedAt: at(day) })]
  expect(repeatOf(one, [...earlier, one])).toEqual({ name: 'inc-2', at: at(3 * day), times: 2 })
  expect(repeatOf(earlier[0]!, [earlier[1]!, one])).toBeUndefined()
})

test('impact counts requests and the minutes in which some failed', () => {
  expect(impactOf([{ minute: 1, requests: 10, failed: 0 }, { minute: 2, requests: 10, failed: 3 }, { minute: 3, requests: 5, failed: 5 }])).toEqual({ requests: 25, failed: 8, minutes: 2 })
})
