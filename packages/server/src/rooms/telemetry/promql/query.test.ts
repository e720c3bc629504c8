import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Series } from '../metrics/series.ts'
import { memorySource } from '../testing/memory-source.ts'
import { answerQuery, type Answer } from './query.ts'

const startMs = 1_700_000_000_000
const range = { startMs: startMs + 300_000, endMs: startMs + 900_000, stepMs: 15_000 }

function ask(series: readonly Series[], text: string, over: Partial<Parameters<typeof answerQuery>[1]> = {}): Promise<Answer> {
  return answerQuery({ source: memorySource(series), now: () => performance.now(), pause: setImmediate }, { text, teams: undefined, ...range, signal: AbortSignal.timeout(60_000), ...over })
}

/** Every value that is there. */
function numbersOf(answer: Answer): number[] {
  return answer.type === 'vector' ? answer.columns.flatMap(({ values, present }) => [...values].filter((_, step) => present[step] === 1)) : []
}

const labels = fc.record({ __name__: fc.constant('x'), app: fc.constantFrom('a', 'b', 'c'), zone: fc.constantFrom('1', '2'), id: fc.uuid() })
const someSeries = fc.uniqueArray(
  fc.record({ labels, steps: fc.array(fc.record({ gapMs: fc.integer({ min: 1, max: 60_000 }), value: fc.double({ min: 0, max: 1e9, noNaN: true }) }), { maxLength: 60 }) }).map(({ labels: of, steps }): Series => {
    let at = startMs
    return { labels: of, times: Float64Array.from(steps, ({ gapMs }) => (at += gapMs)), values: Float64Array.from(steps, ({ value }) => value) }
  }),
  { maxLength: 6, selector: (each) => each.labels.id },
)

test('a rate of a counter is never negative, whatever its points', async () => {
  await fc.assert(
    fc.asyncProperty(someSeries, async (series) => {
      for (const text of ['rate(x[2m])', 'increase(x[5m])', 'irate(x[1m])', 'resets(x[5m])', 'changes(x[5m])']) for (const value of numbersOf(await ask(series, text))) expect(value).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 60 },
  )
})

test('by and without divide the same series, and parts sum to the whole', async () => {
  await fc.assert(
    fc.asyncProperty(someSeries, async (series) => {
      const whole = numbersOf(await ask(series, 'count(x)'))
      for (const text of ['count by (app) (x)', 'count without (zone, id) (x)']) expect(numbersOf(await ask(series, `sum(${text})`))).toEqual(whole)
      expect(numbersOf(await ask(series, 'count(x unless on(id) x)'))).toEqual([])
      expect(numbersOf(await ask(series, 'count(x and x)'))).toEqual(whole)
      for (const value of numbersOf(await ask(series, 'max by (app) (x) - min by (app) (x)'))) expect(value).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 40 },
  )
})

test('a range is what its moments are', async () => {
  await fc.assert(
    fc.asyncProperty(someSeries, fc.constantFrom('x', 'rate(x[90s])', 'sum by (app) (x)', 'topk(2, x)', 'max_over_time(x[3m:30s])', 'x / on(id) x', 'x or x offset 1m', 'quantile(0.5, x)'), async (series, text) => {
      const over = await ask(series, text)
      const key = (of: object): string => JSON.stringify(Object.entries(of).sort())
      for (const step of [0, 7, 40]) {
        const at = await ask(series, text, { startMs: range.startMs + step * range.stepMs, stepMs: undefined })
        const from = (answer: Answer, index: number): [string, number][] => (answer.type === 'vector' ? answer.columns.flatMap((column): [string, number][] => (column.present[index] === 1 ? [[key(column.labels), column.values[index]!]] : [])).sort() : [])
        expect(from(over, step)).toEqual(from(at, 0))
      }
    }),
    { numRuns: 40 },
  )
})

const plenty = Array.from({ length: 400 }, (_, index): Series => {
  const times = Float64Array.from({ length: 500 }, (_each, step) => startMs + step * 2000)
  return { labels: { __name__: 'x', id: String(index), team: index % 2 === 0 ? 'blue' : 'green' }, times, values: times.map((_each, step) => step * index) }
})

test('what costs too much is refused, and what is given up ends', async () => {
  await expect(ask(plenty, 'sum_over_time(x[15m])', { stepMs: 100 })).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
  await expect(ask(plenty, 'x + x + x + x + x', { startMs, endMs: startMs + 10_900_000, stepMs: 1000 })).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
  await expect(ask(plenty, 'x', { stepMs: 10 })).rejects.toMatchObject({ code: 'QUERY_INVALID', message: expect.stringContaining('11,000') as string })
  await expect(ask(plenty, 'x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  const given = new AbortController()
  const pauses: number[] = []
  const pause = async (): Promise<void> => {
    pauses.push(1)
    given.abort()
    await setImmediate()
  }
  const heavy = answerQuery(
    { source: memorySource(plenty), now: () => performance.now(), pause },
    { text: 'stddev_over_time(x[10m])', teams: undefined, ...range, signal: given.signal },
  )
  await expect(heavy).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  expect(pauses).toHaveLength(1)
})

test('windows of one selector are read once, and those far apart are not joined', async () => {
  const windows: [number, number][] = []
  const source = { ...memorySource([]), select: async ({ fromMs, untilMs }: { fromMs: number; untilMs: number }) => (windows.push([fromMs - startMs, untilMs - startMs]), []) }
  await answerQuery({ source, now: () => 0, pause: setImmediate }, { text: 'x + rate(x[1m]) + x offset 1d + max_over_time(sum(x)[10m:1m])', teams: undefined, ...range, signal: AbortSignal.timeout(60_000) })
  expect(windows).toEqual([[-86_400_000, -86_400_000 + 900_000], [-600_000, 900_000]])
})
