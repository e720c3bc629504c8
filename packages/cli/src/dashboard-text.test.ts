import type { DashboardSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { shownDashboard, valueText } from './dashboard-text.ts'

test('a dashboard in a terminal: figures, lines, what is wrong, and where the rest is seen', () => {
  const spec: DashboardSpec = {
    title: 'Mine',
    panels: [
      { title: 'Kept', kind: 'stat', figure: 'deploymentsKept', thresholds: [{ value: 0, tone: 'bad' }] },
      { title: 'Load', kind: 'line', unit: 'perSecond', queries: [{ query: 'a', legend: '{{app}}' }, { query: 'broken' }] },
      { title: 'Share', kind: 'stat', unit: 'ratio', queries: [{ query: 'b' }] },
      { title: 'Alerts', kind: 'list', list: 'alerts' },
      { title: 'Note', kind: 'text', text: 'one\ntwo' },
    ],
  }
  const text = shownDashboard(
    spec,
    [
      { index: 0, series: [{ labels: { app: 'shop' }, values: [0, null, 4] }, { labels: { app: 'x' }, values: [1, 2, 2] }], found: 30 },
      { index: 1, error: { code: 'QUERY_TIMEOUT', message: 'The query took longer than it may.' } },
      { index: 2, series: [{ labels: {}, values: [0.25] }], found: 1 },
    ],
    { deploymentsKept: { value: 0.5, of: 'of 4 deployments' } },
  )
  expect(text).toBe(`Mine

Kept
  50 % (bad)   of 4 deployments

Load
  shop  ▁ █  4/s
  x     ▅██  2/s
  and 28 more
  QUERY_TIMEOUT The query took longer than it may.

Share
  25 %

Alerts
  pavior alerts list

Note
  one
  two`)
})

test('values stand with their unit', () => {
  expect([valueText(0.0312, 'seconds'), valueText(300, 'seconds'), valueText(86_400, 'seconds'), valueText(2048, 'bytesPerSecond'), valueText(0.5, 'ratio')]).toEqual(['31.2 ms', '5 min', '24 h', '2 kB/s', '50 %'])
})
