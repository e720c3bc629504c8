import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { explicitBuckets, exponentialBuckets } from './histograms.ts'
import { incomingName, labelsOf, metricName } from './names.ts'
import { resourcesOf } from '../otlp/values.ts'
import { boundText, convertResource } from './otlp.ts'

const own = { team: 'blue', app: 'shop', environment: 'production' }
const at = (seconds: number): string => String(BigInt(1_800_000_000 + seconds) * 1_000_000_000n)
const attributes = (pairs: Record<string, string>): object[] => Object.entries(pairs).map(([key, stringValue]) => ({ key, value: { stringValue } }))
const requestOf = (metrics: object[], resource: Record<string, string> = {}): object => ({ resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ metrics }] }] })
const converted = (metrics: object[], resource: Record<string, string> = {}) => convertResource(resourcesOf(requestOf(metrics, resource), 'resourceMetrics')[0]!, own)
/** `name{labels}` without what the platform adds, with the values. */
const shown = (metrics: object[], resource?: Record<string, string>): [string, number[]][] =>
  converted(metrics, resource).incoming.map(({ labels, values }) => {
    const text = labels.filter(([name]) => name !== '__name__' && !(name in own)).map(([name, value]) => `${name}="${value}"`).join(',')
    return [`${labels.find(([name]) => name === '__name__')![1]}{${text}}`, [...values]]
  })

describe('names', () => {
  test.each([
    ['http.server.request.duration', 's', 'other', 'http_server_request_duration_seconds'],
    ['http.server.active_requests', '{request}', 'other', 'http_server_active_requests'],
    ['my.counter', '1', 'counter', 'my_counter_total'],
    ['requests_total', '', 'counter', 'requests_total'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['jvm.memory.used', 'By', 'gauge', 'jvm_memory_used_bytes'],
    ['network.io', 'By/s', 'gauge', 'network_io_bytes_per_second'],
    ['memory_bytes', 'By', 'gauge', 'memory_bytes'],
    ['2xx.count', '', 'other', '_2xx_count'],
    ['ünï', '', 'gauge', 'n'],
    ['', '', 'gauge', '_'],
  ] as const)('%s in %s, a %s, is %s', (name, unit, shape, expected) => expect(metricName(name, unit, shape)).toBe(expected))

  test('of the platform cannot be taken', () => {
    expect(incomingName('pavior_http_requests_total')).toBe('exported_pavior_http_requests_total')
    expect(Object.fromEntries(labelsOf('up', [['team', 'green'], ['__name__', 'x'], ['9a', '1'], ['a.b', '1'], ['a_b', '2'], ['empty', ''], ['bad', 'x\0\ud800']], own))).toEqual({
      __name__: 'up', ...own, exported_team: 'green', exported___name__: 'x', key_9a: '1', a_b: '1;2', bad: 'x\ufffd\ufffd',
    })
  })

  test.each([[0.005, '0.005'], [1, '1'], [1e21, '1e+21'], [0.00001, '1e-05'], [Infinity, '+Inf'], [-2.5, '-2.5']])('a bound of %s is written %s', (bound, text) => expect(boundText(bound)).toBe(text))
})

describe('metrics of OpenTelemetry', () => {
  const sum = (temporality: number | string, point: object, isMonotonic = true): object => ({ name: 'jobs', sum: { aggregationTemporality: temporality, isMonotonic, dataPoints: [{ startTimeUnixNano: at(0), timeUnixNano: at(10), ...point }] } })

  test('that count are counters, differences or not', () => {
    expect(shown([sum(2, { asInt: '12' })])).toEqual([['jobs_total{}', [12]]])
    expect(converted([sum(2, { asInt: '12' })]).incoming[0]).toMatchObject({ times: [1_800_000_010_000], beganMs: 1_800_000_000_000 })
    expect(converted([sum('AGGREGATION_TEMPORALITY_DELTA', { asDouble: 1.5 })]).incoming[0]).toMatchObject({ values: [1.5], deltaFromMs: 1_800_000_000_000 })
    expect(shown([sum(2, { asInt: 3 }, false)])).toEqual([['jobs{}', [3]]])
    expect(converted([sum(2, { asInt: 3 }, false)]).incoming[0]).not.toHaveProperty('beganMs')
  })

  test('say whose they are', () => {
    const resource = { 'service.name': 'cart', 'service.namespace': 'blue', 'service.instance.id': 'me', 'host.name': 'h1', team: 'green' }
    expect(shown([{ name: 'heat', unit: 'Cel', gauge: { dataPoints: [{ timeUnixNano: at(1), asDouble: 20, attributes: attributes({ 'room.no': '7', instance: 'x' }) }] } }], resource)).toEqual([
      ['heat_celsius{exported_instance="me;x",job="blue/cart",room_no="7"}', [20]],
      ['target_info{exported_instance="me",exported_team="green",host_name="h1",job="blue/cart"}', [1]],
    ])
  })

  test('with buckets are counted from below', () => {
    const point = { timeUnixNano: at(1), count: '6', sum: 9.5, bucketCounts: ['1', '2', '3'], explicitBounds: [0.5, 1] }
    expect(shown([{ name: 'took', unit: 's', histogram: { aggregationTemporality: 2, dataPoints: [point] } }])).toEqual([
      ['took_seconds_bucket{le="0.5"}', [1]], ['took_seconds_bucket{le="1"}', [3]], ['took_seconds_bucket{le="+Inf"}', [6]], ['took_seconds_count{}', [6]], ['took_seconds_sum{}', [9.5]],
    ])
    expect(converted([{ name: 'took', histogram: { dataPoints: [{ ...point, explicitBounds: [1] }] } }])).toMatchObject({ incoming: [], unsupported: 1 })
    expect(explicitBuckets([2, 1], [1, 1, 1])).toBeUndefined()
  })

  test('with exponential buckets keep every bound exact that is kept', () => {
    const positive = { offset: 0, counts: [1, 2, 3, 4] }
    const nothing = { offset: 0, counts: [] }
    // Scale 0: up to 2, 4, 8, 16.
    expect(exponentialBuckets({ scale: 0, zeroCount: 1, zeroThreshold: 0, positive, negative: nothing }, false)).toEqual([{ le: 0, count: 1 }, { le: 2, count: 2 }, { le: 4, count: 4 }, { le: 8, count: 7 }, { le: 16, count: 11 }])
    // Scale 2 has four bounds for each doubling: two are kept.
    expect(exponentialBuckets({ scale: 2, zeroCount: 0, zeroThreshold: 0, positive, negative: nothing }, false)!.map(({ le, count }) => [Number(le.toFixed(9)), count])).toEqual([[1.414213562, 3], [2, 10]])
    expect(exponentialBuckets({ scale: 0, zeroCount: 0, zeroThreshold: 0, positive: nothing, negative: { offset: 1, counts: [5] } }, false)).toEqual([{ le: -2, count: 5 }])
    const fixed = exponentialBuckets({ scale: 2, zeroCount: 1, zeroThreshold: 0, positive, negative: nothing }, true)!
    expect([fixed.length, fixed.find(({ le }) => le === 1)!.count, fixed.find(({ le }) => le === 2)!.count, fixed.at(-1)!.count]).toEqual([50, 1, 11, 11])
    expect(exponentialBuckets({ scale: 99, zeroCount: 0, zeroThreshold: 0, positive, negative: nothing }, false)).toBeUndefined()
  })

  test('that are summaries, have ended, or cannot be understood', () => {
    expect(shown([{ name: 'took', summary: { dataPoints: [{ timeUnixNano: at(1), count: '2', sum: 3, quantileValues: [{ quantile: 0.5, value: 1 }, { quantile: 1 }] }] } }])).toEqual([
      ['took{quantile="0.5"}', [1]], ['took{quantile="1"}', [0]], ['took_count{}', [2]], ['took_sum{}', [3]],
    ])
    expect(shown([{ name: 'heat', gauge: { dataPoints: [{ timeUnixNano: at(1), flags: 1 }] } }])).toEqual([['heat{}', [-1.5e-323]]])
    expect(converted([{ name: 'heat', gauge: { dataPoints: [{ timeUnixNano: at(1) }] } }, { name: 'novel', spectrum: {} }])).toMatchObject({ incoming: [], unsupported: 2 })
    for (const broken of [{ resourceMetrics: 'x' }, requestOf([{ name: 'a', gauge: { dataPoints: {} } }]), requestOf([{ name: 'a', gauge: { dataPoints: [{ timeUnixNano: 'soon', asInt: 1 }] } }]), requestOf([{ name: 'a', gauge: { dataPoints: [{ timeUnixNano: {}, asInt: 1 }] } }])]) {
      expect(() => resourcesOf(broken, 'resourceMetrics').map((resource) => convertResource(resource, own))).toThrow('not a request of OTLP')
    }
    for (const odd of [null, 1, 'x', [], {}]) expect(resourcesOf(odd, 'resourceMetrics')).toEqual([])
  })

  const fixture = fileURLToPath(new URL('../../../../../../../shared/fixtures/otlp/metrics.json', import.meta.url))
  test.skipIf(!existsSync(fixture))('of the example of the specification are understood whole', () => {
    const [resource] = resourcesOf(JSON.parse(readFileSync(fixture, 'utf8')), 'resourceMetrics')
    const { incoming, unsupported, metadata } = convertResource(resource!, own)
    expect(unsupported).toBe(0)
    expect([...metadata].map(([name, { type }]) => [name, type])).toEqual([['my_counter_total', 'counter'], ['my_gauge_ratio', 'gauge'], ['my_histogram', 'histogram'], ['my_exponential_histogram', 'histogram']])
    expect(incoming.every(({ times }) => times[0] === 1_544_712_660_300)).toBe(true)
  })
})
