import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { panelUnits, type DashboardSpec, type Panel, type Resource } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseQuery } from '../promql/parse.ts'
import { queryCauses } from './check.ts'
import { toGrafana } from './grafana-export.ts'
import { fromGrafana } from './grafana-import.ts'
import { dashboard } from './kinds.ts'
import { ready } from './ready.ts'

const address = 'http://localhost:7070/dashboards/blue/one'
const query = fc.constantFrom('up', 'sum by (app) (rate(x_total{app="$app"}[$__rate_interval]))', 'y{z=~"$zone"}', 'sum(increase(x_total[$__range]))')
const thresholds = fc.array(fc.record({ value: fc.integer({ min: -5, max: 100 }), tone: fc.constantFrom('good' as const, 'warn' as const, 'bad' as const) }), { minLength: 1, maxLength: 8 })
const panel = fc.record(
  {
    title: fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ]{0,30}[a-z]$/),
    kind: fc.constantFrom('line' as const, 'area' as const, 'stat' as const, 'bar' as const, 'table' as const),
    description: fc.stringMatching(/^[A-Za-z ]{1,40}$/),
    queries: fc.array(fc.record({ query, legend: fc.constantFrom('{{app}}', 'p95') }, { requiredKeys: ['query'] }), { minLength: 1, maxLength: 12 }),
    unit: fc.constantFrom(...panelUnits.filter((unit) => unit !== 'short')),
    width: fc.integer({ min: 1, max: 12 }),
    height: fc.integer({ min: 2, max: 20 }),
    thresholds,
  },
  { requiredKeys: ['title', 'kind', 'queries', 'width', 'height'] },
) as fc.Arbitrary<Panel>
const spec: fc.Arbitrary<DashboardSpec> = fc.record({
  title: fc.stringMatching(/^[A-Za-z][A-Za-z ]{0,30}$/),
  range: fc.constantFrom('15m' as const, '6h' as const, '7d' as const),
  variables: fc.constant([{ name: 'zone', label: 'Zone', query: 'label_values(y, z)', includeAll: true }, { name: 'size', label: 'Size', values: ['a', 'b,c'], default: 'a' }]),
  panels: fc.uniqueArray(panel, { maxLength: 12, selector: ({ title }) => title.trim() }),
})

test('what can be shown in both comes back from Grafana as it went', () => {
  fc.assert(
    fc.property(spec, (given) => {
      const { dashboard: made, leftOut } = toGrafana('one', given, address)
      const back = fromGrafana(JSON.stringify(made))
      expect(leftOut).toEqual([])
      expect(back.leftOut).toEqual([])
      expect(back.spec.panels).toEqual(given.panels)
      expect({ ...back.spec, panels: [] }).toEqual({ ...given, panels: [] })
    }),
  )
})

test('whatever comes as a dashboard of Grafana is taken, or refused by name; what is taken can be saved', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(fc.constantFrom('type', 'title', 'targets', 'gridPos', 'fieldConfig', 'options', 'panels', 'datasource'), fc.oneof(fc.jsonValue(), fc.constantFrom('timeseries', 'stat', 'row', 'text'), fc.constant([{ expr: 'up' }]), fc.constant({ w: 1e9, h: -4, x: 'a' }))), { maxLength: 20 }), fc.jsonValue(), async (panels, templating) => {
      const { spec: taken, leftOut, name } = fromGrafana(JSON.stringify({ title: 'Any', panels, templating: { list: templating } }))
      const resource = { metadata: { name }, spec: taken } as Resource<DashboardSpec>
      expect(dashboard.validate!(resource, undefined)).toEqual([])
      if (panels.length > 0) expect(taken.panels.length + leftOut.length).toBeGreaterThan(0)
      expect(taken.panels.every(({ width = 1, height = 2 }) => width >= 1 && width <= 12 && height >= 2 && height <= 20)).toBe(true)
      await queryCauses(taken, async (text) => void parseQuery(text))
    }),
  )
})

test('what does not map is told by name', () => {
  const { name, spec: taken, leftOut } = fromGrafana(
    JSON.stringify({
      dashboard: {
        title: '3 Node Überblick',
        time: { from: 'now-6h', to: 'now' },
        templating: { list: [{ name: 'ds', type: 'datasource' }, { name: 'team', type: 'query', query: 'label_values(up, team)' }, { name: 'node', type: 'query', query: { query: 'label_values(up, instance)' }, includeAll: true, multi: true, regex: '/a/' }, { name: 'odd', type: 'query', query: 'query_result(up)' }, { name: 'step', type: 'interval', query: '1m,5m', current: { value: '5m' } }] },
        annotations: { list: [{ builtIn: 1, name: 'Annotations & Alerts' }, { name: 'Releases' }] },
        panels: [
          { type: 'row', title: 'Top', gridPos: { y: 0 }, panels: [{ type: 'heatmap', title: 'Heat', targets: [{ expr: 'up' }] }] },
          { type: 'timeseries', title: 'Load', gridPos: { x: 12, y: 1, w: 12, h: 8 }, fieldConfig: { defaults: { unit: 'furlongs', custom: { fillOpacity: 10 } }, overrides: [{ matcher: {} }] }, transformations: [{ id: 'merge' }], targets: [{ refId: 'A', expr: 'rate(load{node=~"$node"}[$step])', legendFormat: '{{node}}' }, { refId: 'B', expr: 'x{a="$gone"}' }, { refId: 'C', datasource: { type: 'loki' }, expr: '{app="a"}' }] },
          { type: 'gauge', title: 'Load', gridPos: { x: 0, y: 1, w: 6, h: 4 }, targets: [{ expr: 'up', instant: true }], fieldConfig: { defaults: { thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'red', value: 80 }] } } } },
          { type: 'text', title: 'Read me', gridPos: { y: 9 }, options: { mode: 'html', content: '<b>hello</b>' } },
        ],
      },
    }),
  )
  expect(name).toBe('node-berblick')
  expect(taken).toMatchObject({
    range: '6h',
    variables: [{ name: 'node', query: 'label_values(up, instance)', includeAll: true }, { name: 'step', values: ['1m', '5m'], default: '5m' }],
    panels: [{ title: 'Load', kind: 'stat', width: 3, thresholds: [{ value: 80, tone: 'bad' }] }, { title: 'Load (2)', kind: 'area', width: 6, queries: [{ legend: '{{node}}' }] }, { title: 'Read me', kind: 'text' }],
  })
  const told = leftOut.map(({ name: about, why }) => `${about}: ${why}`).join('\n')
  for (const expected of ['variable $node: Several values', 'variable $node: Its regular expression', 'variable $odd: Only label_values', 'row Top: Rows', 'Heat: A panel of type heatmap', 'Load (2), query B: $gone is not known', 'Load (2), query C: It asks loki', 'Load (2): The unit furlongs', 'Load (2): Overrides', 'Load (2): Transformations', 'Load: It is shown as a figure', 'Read me: HTML', 'annotation Releases']) expect(told).toContain(expected)
  expect(() => fromGrafana('{"a": 1}')).toThrow(/no dashboard of Grafana/)
  expect(() => fromGrafana('<html>')).toThrow(/no JSON/)
})

describe('examples/grafana', () => {
  const directory = join(import.meta.dirname, '../../../../../../examples/grafana')
  test.each(readdirSync(directory))('%s is taken, and holds the series of the ready one', (file) => {
    const taken = fromGrafana(readFileSync(join(directory, file), 'utf8'))
    const own = ready[file.replace('.json', '') as keyof typeof ready]
    const asked = ({ panels }: DashboardSpec): string[] => panels.flatMap(({ queries = [] }) => queries.map(({ query: text }) => text))
    expect(asked(taken.spec)).toEqual(asked(own))
  })
})
