import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allValues, comparesOne, fillQuery, labelValuesOf, legendText, timeValues, toneOf, variablesIn } from './dashboards.ts'

describe('variables in queries', () => {
  test('stand as Grafana writes them, and unknown ones stay', () => {
    expect(fillQuery('x{a="$app",b=~"${app}|[[app]]"}[$__range] + $y', { app: 'a.b', __range: '60s' }).text).toBe(String.raw`x{a="a.b",b=~"a\\.b|a\\.b"}[60s] + $y`)
    expect(fillQuery('x{a=~"$app"} $app', { app: allValues }).text).toBe('x{a=~".*"} .*')
    expect(fillQuery('x{a="$app"}', {}).text).toBe('x{a="$app"}')
    expect(variablesIn('x{a="$b",c="${d:regex}"}[$b]')).toEqual(['b', 'd'])
  })

  test('a value never ends the text within quotes that it stands in', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('=', '=~'), fc.constantFrom('"', "'"), (value, op, quote) => {
        const { text } = fillQuery(`x{a${op}${quote}$v${quote}} + 1`, { v: value })
        const within = text.slice(`x{a${op}`.length, -'} + 1'.length)
        expect(within.startsWith(quote) && within.endsWith(quote)).toBe(true)
        expect(within.slice(1, -1).replaceAll(/\\./gs, '')).not.toMatch(/["'\n]/)
      }),
    )
  })

  test('a place in the filled text is told as that of the original', () => {
    const { text, original } = fillQuery('sum($long + $b) bad', { long: 'something_long', b: 'x' })
    expect(original(text.indexOf('bad'))).toBe('sum($long + $b) '.length)
    expect(original(1)).toBe(1)
    expect(original(text.indexOf('+'))).toBe('sum($long '.length)
  })

  test('one that can be all must not be compared with =', () => {
    expect(comparesOne('x{a="$v"}', 'v')).toBe(true)
    expect(comparesOne('x{a=~"$v",b="c"}', 'v')).toBe(false)
  })
})

test('label_values is taken apart', () => {
  expect(labelValuesOf('label_values(up{a="b, c"}, app)')).toEqual({ selector: 'up{a="b, c"}', label: 'app' })
  expect(labelValuesOf('label_values(app)')).toEqual({ selector: '', label: 'app' })
  expect(labelValuesOf('query_result(up)')).toBeUndefined()
})

test('names of series, thresholds and ranges', () => {
  expect(legendText('{{app}} in {{ environment }}{{none}}', { app: 'shop', environment: 'production' })).toBe('shop in production')
  const thresholds = [{ value: 5, tone: 'bad' as const }, { value: 0, tone: 'good' as const }]
  expect([toneOf(-1, thresholds), toneOf(0, thresholds), toneOf(7, thresholds), toneOf(null, thresholds)]).toEqual([undefined, 'good', 'bad', undefined])
  expect(timeValues(3600, 15)).toEqual({ __range: '3600s', __interval: '15s', __rate_interval: '60s' })
  expect(timeValues(604_800, 2520).__rate_interval).toBe('2535s')
})
