import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SloSpec } from '@pavior/contract'
import fc from 'fast-check'
import { parseDocument } from 'yaml'
import { describe, expect, test } from 'vitest'
import type { Slo } from './evaluate.ts'
import { exportSlos, importSlos } from './openslo.ts'

const fixtures = process.env.PAVIOR_OPENSLO_FIXTURES ?? '/work/shared/fixtures/openslo'
const base = `apiVersion: openslo/v1
kind: SLO
metadata: { name: shop }
spec:
  service: shop
  indicator:
    metadata: { name: shop }
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Prometheus, spec: { query: 'requests_total{code!~"5.."}' } } }
        total: { metricSource: { type: Prometheus, spec: { query: requests_total } } }
  timeWindow: [{ duration: 28d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
`

/** The document with one part changed. */
function changed(path: (string | number)[], value: unknown): string {
  const document = parseDocument(base)
  document.setIn(path, value)
  return String(document)
}

function refused(text: string): string[] {
  try {
    importSlos(text, {})
  } catch (error) {
    return ((error as { details: { causes: { field: string; message: string }[] } }).details.causes).map(({ field, message }) => `${field} ${message}`)
  }
  return []
}

test('a ratio of counters becomes what they rose by in a minute', () => {
  expect(importSlos(base, { environment: 'staging' })).toEqual([
    {
      name: 'shop',
      spec: { app: 'shop', environment: 'staging', indicator: { ratio: { good: 'sum(increase(requests_total{code!~"5.."}[1m]))', total: 'sum(increase(requests_total[1m]))' } }, objective: 0.99, window: { rolling: '28d' } },
    },
  ])
})

test('indicators, policies and conditions are found by their names', () => {
  const text = `${base.replace(/ {2}indicator:[\s\S]*(?= {2}timeWindow)/, '  indicatorRef: latency\n  alertPolicies: [{ alertPolicyRef: fast }]\n').replace('{ target: 0.99 }', '{ op: lte, value: 0.5, targetPercent: 99.5 }')}---
apiVersion: openslo/v1
kind: SLI
metadata: { name: latency }
spec: { thresholdMetric: { metricSource: { type: Prometheus, spec: { query: p95 } } } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: fast }
spec: { conditions: [{ conditionRef: burn }] }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: burn }
spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 14, lookbackWindow: 1h, alertAfter: 5m } }
`
  expect(importSlos(text, {})[0]!.spec).toMatchObject({ indicator: { threshold: { query: 'p95', op: 'lte', value: 0.5 } }, objective: 0.995, alerting: { page: [{ burn: 14, over: '1h', short: '5m' }] } })
})

test.each<[string, string, string]>([
  ['an unknown field', changed(['spec', 'budget'], 1), 'document 1: spec.budget has no counterpart here.'],
  ['another source', changed(['spec', 'indicator', 'spec', 'ratioMetric', 'total', 'metricSource', 'type'], 'Datadog'), '"Datadog" cannot be asked from here; PromQL can.'],
  ['one side from another source', changed(['spec', 'indicator', 'spec', 'ratioMetric', 'total', 'metricSource', 'metricSourceRef'], 'x'), 'asks two sources; both sides have to come from one.'],
  ['a counter in an expression', changed(['spec', 'indicator', 'spec', 'ratioMetric', 'total', 'metricSource', 'spec', 'query'], 'sum(a)'), 'is a counter that is no plain selector'],
  ['a rolling month', changed(['spec', 'timeWindow', 0, 'duration'], '1M'), 'give hours, days or weeks for a rolling window.'],
  ['a weight', changed(['spec', 'objectives', 0, 'compositeWeight'], 1), 'compositeWeight has no counterpart here.'],
  ['who is told', changed(['spec', 'alertPolicies'], [{ kind: 'AlertPolicy', metadata: { name: 'a' }, spec: { conditions: [], notificationTargets: [{ targetRef: 'x' }] } }]), 'notificationTargets has no counterpart here'],
  ['another kind', base.replace('kind: SLO', 'kind: DataSource'), 'DataSource has no counterpart here'],
  ['another version', base.replace('openslo/v1', 'openslo/v2'), 'must be openslo/v1.'],
  ['a ratio below', changed(['spec', 'objectives', 0, 'op'], 'lt'), 'lt has no counterpart for a ratio'],
  ['a bomb of aliases', `a: &a [${'x,'.repeat(20)}]\n${Array.from({ length: 60 }, (_, index) => `b${index}: &b${index} [*a, *a, *a, *a]`).join('\n')}\n`, 'alias'],
  ['deep nesting', '['.repeat(20_000), ''],
  ['no map', '- 1\n', 'document 1 must be a map of fields.'],
  ['nothing', '', 'No document is of kind SLO.'],
])('refused by name: %s', (_name, text, message) => {
  const causes = refused(text)
  expect(causes.length).toBeGreaterThan(0)
  expect(causes.join('\n')).toContain(message)
})

test('whatever is written, it is taken over or refused with a code', () => {
  const anything = fc.oneof(fc.anything(), fc.string().map((text) => text.slice(0, 30)))
  const paths = [['spec'], ['metadata'], ['spec', 'indicator'], ['spec', 'indicator', 'spec', 'ratioMetric'], ['spec', 'timeWindow'], ['spec', 'timeWindow', 0], ['spec', 'objectives'], ['spec', 'objectives', 0], ['spec', 'alertPolicies'], ['metadata', 'annotations']]
  fc.assert(
    fc.property(fc.constantFrom(...paths), anything, (path, value) => {
      const document = parseDocument(base).toJS() as Record<string, any>
      const holder = path.slice(0, -1).reduce<any>((one, key) => one[key], document)
      holder[path.at(-1)!] = value
      let text: string
      try {
        text = JSON.stringify(document)
      } catch {
        return
      }
      try {
        importSlos(text, {})
      } catch (error) {
        expect((error as { code?: string }).code).toBe('INVALID')
      }
    }),
    { numRuns: 300 },
  )
})

describe.skipIf(!existsSync(fixtures))('the fixtures', () => {
  if (!existsSync(fixtures)) console.log(`skipped: there is no ${fixtures}`)
  test.each(existsSync(fixtures) ? readdirSync(fixtures) : [])('%s', (name) => {
    const found = importSlos(readFileSync(join(fixtures, name), 'utf8'), {})
    expect(found.length).toBe(name === 'timeslices-slo.yaml' ? 2 : 1)
    for (const { spec } of found) expect(spec).toMatchObject({ indicator: expect.anything(), window: expect.anything() })
  })
})

test('what is exported comes back the same', () => {
  const specs: SloSpec[] = [
    { app: 'shop', environment: 'staging', description: 'It answers.', indicator: { golden: 'requests' }, objective: 0.995, window: { rolling: '30d' }, budgetPolicy: { onExhausted: 'freeze' } },
    { app: 'shop', indicator: { golden: 'latency', thresholdMs: 250 }, objective: 0.99, window: { calendar: { period: 'quarter', timeZone: 'Europe/Berlin', start: '2026-01-01T00:00:00' } }, alerting: { page: [{ burn: 14.4, over: '1h', short: '5m' }], ticketAt: 0.3, minimumBad: 2 } },
    { app: 'shop', indicator: { ratio: { bad: 'sum(increase(a[1m]))', total: 'sum(increase(b[1m]))' } }, objective: 0.9, window: { rolling: '1w' }, budgeting: 'Timeslices', timeSlice: { minutes: 5, target: 0.8 } },
    { app: 'shop', indicator: { source: 'central', threshold: { query: 'p95', op: 'lt', value: 3 } }, objective: 0.9, window: { rolling: '24h' }, budgeting: 'RatioTimeslices', timeSlice: { minutes: 1 } },
  ]
  const slos = specs.map((spec, index) => ({ metadata: { name: `slo-${index}`, namespace: 'blue' }, spec }) as unknown as Slo)
  const { text, leftOut } = exportSlos([...slos, { metadata: { name: 'all' }, spec: { composite: [{ slo: 'slo-0' }], objective: 0.9 } } as unknown as Slo])
  expect(importSlos(text, {}).map(({ spec }) => spec)).toEqual(specs)
  expect(leftOut.map(({ name }) => name)).toEqual(['all'])
})
