import type { SloSpec, SloStatus } from '@pavior/contract'
import { describe, expect, test } from 'vitest'
import { explain, reasonsOf } from './explain.ts'
import { historyOf } from './history.ts'
import type { Share } from './plan.ts'
import { compositeFigures, isNews, newsOf, percent, statusOf, type Figures } from './status.ts'

const now = new Date('2026-03-04T12:00:00Z')
const none: Share = { bad: 0, total: 0 }
const spec: SloSpec = { app: 'shop', objective: 0.99, indicator: { golden: 'requests' } }

function figures(window: Share, burn: Partial<Figures['burn']> = {}): Figures {
  return { unit: 'events', window, burn: { '5m': none, '15m': none, '1h': none, '6h': none, '3d': none, ...burn }, gapMinutes: 0, from: now.getTime() - 3600_000 }
}

function stand(given: Figures | undefined, previous?: SloStatus, more: Partial<SloSpec> = {}, at = now): SloStatus {
  return statusOf({ spec: { ...spec, ...more }, generation: 1, previous, figures: given, problem: undefined, observedThrough: at.getTime(), now: at })
}

describe('state', () => {
  test.each<[string, Figures | undefined, Partial<SloSpec>, SloStatus['state'], string]>([
    ['nothing counted', undefined, {}, 'NoData', 'Nothing was counted in the window.'],
    ['all is well', figures({ bad: 2, total: 1000 }), {}, 'Healthy', '99.8 % were good, 99 % are promised; 80 % of the budget is left.'],
    ['all of it used', figures({ bad: 25, total: 1000 }), {}, 'Exhausted', '97.5 % were good, 99 % are promised; 250 % of the budget is used.'],
    ['a few in a quiet night', figures({ bad: 4, total: 10 }), {}, 'Healthy', '60 % were good, 99 % are promised; 4000 % of the budget is used.'],
    ['unless few matter', figures({ bad: 4, total: 10 }), { alerting: { minimumBad: 1 } }, 'Exhausted', '60 % were good, 99 % are promised; 4000 % of the budget is used.'],
  ])('%s', (_name, given, more, state, message) => expect(stand(given, undefined, more)).toMatchObject({ state, message, since: now.toISOString() }))

  test('a budget that is used up is there again when some of it is back, not at once', () => {
    const before = stand(figures({ bad: 10, total: 1000 }))
    expect(before.state).toBe('Exhausted')
    expect(stand(figures({ bad: 10, total: 1010 }), before).state).toBe('Exhausted')
    const after = stand(figures({ bad: 10, total: 1100 }), before, {}, new Date(now.getTime() + 60_000))
    expect(after).toMatchObject({ state: 'Healthy', since: '2026-03-04T12:01:00.000Z' })
    expect(newsOf(spec, before, after).map(({ reason }) => reason)).toEqual(['BudgetRestored'])
  })
})

describe('alerts', () => {
  const share = (rate: number): Share => ({ bad: rate * 10, total: 1000 })
  const healthy = { bad: 30, total: 100_000 }

  test.each<[string, Partial<Figures['burn']>, string[]]>([
    ['3.1 times over 15 min, and still', { '15m': share(3.1), '5m': share(3.1) }, ['page']],
    ['over 15 min, but it is over', { '15m': share(3.1), '5m': share(2) }, []],
    ['3 times is not more than 3', { '15m': share(3), '5m': share(9) }, []],
    ['1.6 times over 6 h, and over the last one', { '6h': share(1.6), '1h': share(1.6) }, ['page']],
    ['1.6 times over 1 h alone', { '1h': share(1.6) }, []],
    ['fast, but of few', { '15m': { bad: 4, total: 10 }, '5m': { bad: 4, total: 10 } }, []],
  ])('%s', (_name, burn, alerts) => expect((stand(figures(healthy, burn)).alerts ?? []).map(({ alert }) => alert)).toEqual(alerts))

  test('begins once, stays while it goes nearly as fast, ends once', () => {
    const at = (rate: number, previous: SloStatus | undefined, minute: number): SloStatus => stand(figures(healthy, { '15m': share(rate), '5m': share(rate) }), previous, {}, new Date(now.getTime() + minute * 60_000))
    const begun = at(4, undefined, 0)
    expect(newsOf(spec, undefined, begun)).toEqual([{ type: 'Warning', reason: 'BudgetBurns', message: 'The budget goes 4 times faster than allowed over 15m; 3 times is the limit. Since 2026-03-04 12:00:00 UTC.' }])
    const going = at(2.5, begun, 1)
    expect(going).toMatchObject({ state: 'Burning', alerts: begun.alerts })
    expect(newsOf(spec, begun, going)).toEqual([])
    const ended = at(2.3, going, 2)
    expect(ended.alerts).toBeUndefined()
    expect(newsOf(spec, going, ended)).toEqual([{ type: 'Normal', reason: 'BudgetBurnsEnded', message: 'It began at 2026-03-04 12:00:00 UTC and is over.' }])
  })

  test('a ticket at half of the budget', () => {
    const half = stand(figures({ bad: 50, total: 10_000 }))
    expect(half.alerts).toEqual([{ alert: 'ticket', since: now.toISOString(), text: '50 % of the budget is used.' }])
    expect(stand(figures({ bad: 50, total: 11_000 }), half).alerts).toEqual(half.alerts)
    expect(stand(figures({ bad: 50, total: 12_000 }), half).alerts).toBeUndefined()
  })

  test('what nobody confirmed tells nobody', () => {
    const draft = { draft: true }
    const status = stand(figures({ bad: 50, total: 1000 }, { '15m': share(9), '5m': share(9) }), undefined, draft)
    expect(status).toMatchObject({ state: 'Exhausted' })
    expect(status.alerts).toBeUndefined()
    expect(newsOf({ ...spec, ...draft }, undefined, status)).toEqual([])
  })
})

test('the forecast says when nothing is left, by each burn, where that comes within the window', () => {
  const week: Partial<SloSpec> = { window: { rolling: '1w' } }
  const burning = figures({ bad: 500, total: 100_000 }, { '6h': { bad: 140, total: 1000 }, '3d': { bad: 9, total: 1000 } })
  // Half of a week's budget at 14 times: six hours.
  expect(stand(burning, undefined, week).forecast).toEqual([{ by: '6h', exhaustedAt: '2026-03-04T18:00:00.000Z' }])
  const month: Partial<SloSpec> = { window: { calendar: { period: 'month', timeZone: 'UTC' } } }
  expect(stand(figures({ bad: 500, total: 100_000 }, { '3d': { bad: 20, total: 1000 } }), undefined, month).forecast).toEqual([{ by: '3d', exhaustedAt: expect.stringMatching(/^2026-03-1[12]T/) }])
})

test('a status is written when its reader would see another picture, or wonder', () => {
  const before = stand(figures({ bad: 20, total: 10_000 }))
  expect(isNews(undefined, before)).toBe(true)
  expect(isNews(before, stand(figures({ bad: 20, total: 10_002 }), before, {}, new Date(now.getTime() + 60_000)))).toBe(false)
  const after = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000)
  expect(isNews(before, stand(figures({ bad: 25, total: 10_000 }), before, {}, after(5)))).toBe(true)
  expect(isNews(before, stand(figures({ bad: 25, total: 10_000 }), before, {}, after(4)))).toBe(false)
  const broken = stand(figures({ bad: 200, total: 10_000 }), before)
  expect(isNews(broken, stand(figures({ bad: 210, total: 10_000 }), broken, {}, after(1)))).toBe(true)
  expect(isNews(before, stand(figures({ bad: 250, total: 10_000 }), before))).toBe(true)
  expect(isNews(before, stand(figures({ bad: 20, total: 10_002 }), before, {}, new Date(now.getTime() + 61 * 60_000)))).toBe(true)
})

test('one that is made of others weighs their shares; those without data say nothing', () => {
  const mean = compositeFigures([{ weight: 3, figures: figures({ bad: 10, total: 1000 }) }, { weight: 1, figures: figures({ bad: 50, total: 1000 }) }, { weight: 9, figures: figures(none) }], now.getTime())
  expect(mean).toMatchObject({ unit: 'share', window: { bad: 0.02, total: 1 } })
  expect(stand(mean)).toMatchObject({ state: 'Exhausted', sli: 0.98, budget: { unit: 'share', total: 0.01, used: 0.02, remaining: -1 } })
})

test('who burned it: runs of minutes, releases, answers', () => {
  const minute = Date.parse('2026-03-04T11:00:00Z') / 60_000
  const bad = (offset: number, release: number, app: number, router = 0): Parameters<typeof explain>[0][number] => ({ minute: minute + offset, bad: app + router, total: 100, detail: [{ release, total: 100, bad: app + router, app, router }] })
  const burns = explain([bad(0, 7, 10), bad(2, 7, 3, 1), bad(40, 6, 2)], 100, { byEvents: true, sliceMinutes: 1 })
  expect(burns).toEqual({
    used: 16,
    allowed: 100,
    releases: [{ name: 'v7', bad: 14, ofBudget: 0.14 }, { name: 'v6', bad: 2, ofBudget: 0.02 }],
    causes: [{ name: '5xx by the app', bad: 15, ofBudget: 0.15 }, { name: '5xx by the router, which got no answer', bad: 1, ofBudget: 0.01 }],
    runs: [
      { from: '2026-03-04T11:00:00.000Z', until: '2026-03-04T11:03:00.000Z', minutes: 2, bad: 14, ofBudget: 0.14, release: 7 },
      { from: '2026-03-04T11:40:00.000Z', until: '2026-03-04T11:41:00.000Z', minutes: 1, bad: 2, ofBudget: 0.02, release: 6 },
    ],
  })
  expect(reasonsOf(burns)).toEqual(['14 % of the budget went in 2 minutes from 2026-03-04 11:00 UTC, most of it by release v7.', '2 % of the budget went in 1 minute from 2026-03-04 11:40 UTC, most of it by release v6.'])
  const slices = explain([{ ...bad(0, 7, 10), bad: 1 }, { ...bad(3, 6, 30), bad: 0 }], 10, { byEvents: false, sliceMinutes: 5 })
  expect(slices).toMatchObject({ used: 1, releases: [{ name: 'v6', bad: 0.75 }, { name: 'v7', bad: 0.25 }], runs: [{ minutes: 5, bad: 1 }] })
})

test('a budget over time goes down when it burns and comes back when that leaves the window', () => {
  const hour = Math.floor(now.getTime() / 3600_000) * 60
  const row = (back: number, bad: number): Parameters<typeof historyOf>[1][number] => ({ hour: hour - back * 60, good: 100 - bad, total: 100, bad, units: 100, gap: 0 })
  const history = historyOf({ ...spec, objective: 0.9, window: { rolling: '2h' } }, [row(5, 0), row(4, 10), row(3, 0), row(2, 0)], { from: hour - 300, until: hour, begin: hour - 300 })
  expect(history.remaining).toEqual([1, 0.5, 0.5, 1, 1, 1])
  expect(history.bad).toEqual([0, 10, 0, 0, 0, 0])
})

test.each<[number, string]>([[0, '0 %'], [0.14, '14 %'], [0.034, '3 %'], [0.0007, '0.07 %'], [1.58, '158 %']])('%d is %s', (share, text) => expect(percent(share)).toBe(text))
