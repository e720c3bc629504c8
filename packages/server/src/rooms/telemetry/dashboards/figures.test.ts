import { expect, test } from 'vitest'
import { figuresOf } from './figures.ts'
import type { Deployment, FiguresOf, Incident, Slo } from './ports.ts'

const day = 24 * 3600_000
const until = Date.parse('2026-01-08T00:00:00Z')
const from = until - 7 * day
const at = (hours: number): string => new Date(from + hours * 3600_000).toISOString()
const nothing: FiguresOf = { deployments: [], arrived: () => undefined, slos: [], incidents: [], alerts: [] }

function deployed(release: number, phase: string, hours: number, more: object = {}, previousRelease?: number): Deployment {
  return { metadata: { namespace: 'blue', creationTimestamp: at(hours) }, spec: { app: 'shop', environment: 'production', release, ...more }, status: { phase, finishedAt: at(hours), previousRelease } } as unknown as Deployment
}

test('what was taken back was not kept, and going back is no deployment of its own', () => {
  const deployments = [deployed(1, 'Succeeded', 1), deployed(2, 'Succeeded', 2), deployed(1, 'Succeeded', 3, { rollbackTo: true }, 2), deployed(3, 'RolledBack', 4), deployed(4, 'Succeeded', 5), deployed(5, 'Canceled', 6), deployed(6, 'Succeeded', -30)]
  const arrived: FiguresOf['arrived'] = (_team, _app, release) => ({ 1: at(1 - 1 / 60), 4: at(5 - 3 / 60) })[release]
  const figures = figuresOf({ ...nothing, deployments, arrived }, from, until)
  expect(figures.deploymentsPerDay).toEqual({ value: 0.57, of: 'of 4 deployments' })
  expect(figures.deploymentsKept).toEqual({ value: 0.5, of: 'of 4 deployments' })
  expect(figures.pushToLive).toEqual({ value: 60, of: 'of 2 deployments' })
})

test('with nothing to reckon from there is no figure', () => {
  expect(figuresOf(nothing, from, until)).toMatchObject({ deploymentsPerDay: { value: 0 }, deploymentsKept: { of: 'of 0 deployments' }, slosKept: { of: 'of 0 objectives' }, timeToRestore: { of: 'of 0 incidents' }, incidents: { value: 0 }, alertsFiring: { value: 0 } })
  expect(figuresOf(nothing, from, until).deploymentsKept).not.toHaveProperty('value')
})

test('where older deployments are forgotten it says so', () => {
  const deployments = Array.from({ length: 50 }, (_, index) => deployed(index + 1, 'Succeeded', index + 1))
  expect(figuresOf({ ...nothing, deployments }, from, until).deploymentsPerDay).toMatchObject({ value: 7.14, atLeast: true })
  expect(figuresOf({ ...nothing, deployments: [deployed(99, 'Succeeded', -2), ...deployments] }, from, until).deploymentsPerDay).not.toHaveProperty('atLeast')
})

test('drafts promise nothing; incidents count by when they were detected', () => {
  const slo = (remaining: number, draft?: boolean): Slo => ({ spec: { draft }, status: { budget: { remaining } } }) as unknown as Slo
  const incident = (hours: number, state: string, restore?: number): Incident => ({ metadata: {}, status: { state, detectedAt: at(hours), seconds: { restore } } }) as unknown as Incident
  const figures = figuresOf({ ...nothing, slos: [slo(0.5), slo(-0.2), slo(-3, true)], incidents: [incident(1, 'Closed', 300), incident(2, 'Investigating'), incident(-9, 'Mitigated', 5)] }, from, until)
  expect(figures.slosKept).toEqual({ value: 0.5, of: 'of 2 objectives' })
  expect(figures.budgetLeft).toEqual({ value: -0.2, of: 'of 2 objectives' })
  expect(figures.incidents).toEqual({ value: 2, of: 'in this time' })
  expect(figures.timeToRestore).toEqual({ value: 300, of: 'of 1 incident' })
  expect(figures.incidentsOpen).toEqual({ value: 2, of: 'now' })
})
