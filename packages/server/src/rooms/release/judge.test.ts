import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, judgeAtEnd, type Sample } from './judge.ts'
import type { Measured } from './measure.ts'
import { resolveStrategy } from './strategy.ts'

const limits = resolveStrategy({}).judge
const sample = (requests: number, errors: number, p95Ms: number | null = 10): Sample => ({ requests, errors, p95Ms, p99Ms: p95Ms })
const of = (canary: Sample, stable?: Sample, restarts = 0) => judge({ source: 'traffic', canary, stable, restarts }, limits)

describe('the verdict', () => {
  test.each([
    ['412 requests, 7.2 % errors', of(sample(412, 30)), 'failing', 'error ratio 7.3 % of 412 requests, limit 1 %'],
    ['every fifth fails, after 15', of(sample(15, 3)), 'failing', 'error ratio 20 % of 15 requests'],
    ['one unlucky request', of(sample(20, 1)), 'waiting', 'a verdict needs 50 requests'],
    ['above the limit by chance', of(sample(60, 1)), 'waiting', 'too few to be certain'],
    ['nothing yet', of(sample(0, 0, null)), 'waiting', 'error ratio 0 % of 0 requests'],
    ['well', of(sample(400, 2), sample(4000, 20)), 'passing', 'error ratio 0.5 % of 400 requests, limit 1 %'],
    ['a restart', of(sample(400, 0), undefined, 1), 'failing', '1 restart on trial, limit 0'],
    ['much slower than a healthy release', of(sample(400, 0, 400), sample(400, 0, 40)), 'failing', 'p95 400 ms beside 40 ms of the serving release, limit 3 ×'],
    ['much slower than a broken release', of(sample(400, 0, 400), sample(400, 200, 40)), 'passing', 'it is no measure'],
    ['three times slower, but by nothing that anyone notices', of(sample(400, 0, 7), sample(400, 0, 1)), 'passing', 'p95 7.0 ms beside 1.0 ms'],
  ])('%s', (_name, { verdict, text }, wanted, words) => {
    expect(verdict).toBe(wanted)
    expect(text.join('; ')).toContain(words)
  })

  test('when time is over, a ratio above the limit needs no certainty', () => {
    expect(judge({ source: 'traffic', canary: sample(0, 0), stable: undefined, restarts: 0, saturation: 0.97 }, { ...limits, saturation: 0.95 })).toMatchObject({ verdict: 'failing', text: ['an instance on trial holds 97 % of its memory, limit 95 %'] })
    expect(judge({ source: 'traffic', canary: sample(60, 0), stable: undefined, restarts: 0, saturation: 0.5 }, { ...limits, saturation: 0.95 }).verdict).toBe('passing')
    expect(judgeAtEnd({ source: 'traffic', canary: sample(60, 1), stable: undefined, restarts: 0 }, limits).verdict).toBe('failing')
    expect(judgeAtEnd({ source: 'traffic', canary: sample(20, 1), stable: undefined, restarts: 0 }, limits).verdict).toBe('waiting')
  })

  describe('by further figures', () => {
    const known = (value: number | undefined, over: Partial<Measured> = {}): Measured => ({ name: 'failed payments', value, max: 0.5, unmeasured: 'pass', ...over })
    const by = (ask: typeof judge, ...measured: Measured[]) => ask({ source: 'traffic', canary: sample(400, 0), stable: undefined, restarts: 0, measured }, limits)

    test('a value beyond its limits fails, one within them is told', () => {
      expect(by(judge, known(0.75))).toMatchObject({ verdict: 'failing', text: ['failed payments 0.75, limit 0.5'] })
      expect(by(judge, known(1, { max: undefined, min: 3 }))).toMatchObject({ verdict: 'failing', text: ['failed payments 1, at least 3'] })
      expect(by(judge, known(0.123456))).toMatchObject({ verdict: 'passing', text: expect.arrayContaining(['failed payments 0.1235, limit 0.5']) })
    })

    test('one without a value is waited for until the time is over, and then counts as declared', () => {
      expect(by(judge, known(undefined))).toMatchObject({ verdict: 'waiting', text: expect.arrayContaining(['failed payments has no value yet']) })
      expect(by(judgeAtEnd, known(undefined))).toMatchObject({ verdict: 'passing', text: expect.arrayContaining(['failed payments was not measured, which does not count here']) })
      expect(by(judgeAtEnd, known(undefined, { unmeasured: 'fail', problem: 'The query took longer than 30 s.' }))).toMatchObject({ verdict: 'failing', text: ['failed payments was not measured (The query took longer than 30 s), which fails the release here'] })
      expect(by(judgeAtEnd, known(undefined), known(0.75, { name: 'refunds' }))).toMatchObject({ verdict: 'failing', text: expect.arrayContaining(['refunds 0.75, limit 0.5']) })
    })
  })

  test('a broken release never stands in the way of one that keeps its own limits', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), fc.integer({ min: 50, max: 100_000 }), (one, other, requests) => {
        const stable = sample(Math.max(one, other), Math.min(one, other))
        const broken = stable.errors / Math.max(1, stable.requests) > limits.errorRatio
        const alone = of(sample(requests, 0))
        if (broken) expect(of(sample(requests, 0), stable).verdict).toBe(alone.verdict)
      }),
    )
  })

  test('more errors are never judged better', () => {
    const rank = { passing: 0, waiting: 1, failing: 2 }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(5000), fc.nat(5000), (requests, one, other) => {
        const [few, many] = [Math.min(one, other, requests), Math.min(Math.max(one, other), requests)]
        expect(rank[of(sample(requests, many)).verdict]).toBeGreaterThanOrEqual(rank[of(sample(requests, few)).verdict])
      }),
    )
  })
})
