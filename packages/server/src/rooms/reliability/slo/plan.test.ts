import { burnWindows, type SloSpec, type SloWindow } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { add, advance, budgetShare, burnShare, countGolden, emptySums, leavingRange, nothing, plus, recount, ruleOf, windowNames, type Counted, type MinuteRow, type Rule, type Share, type Sums, type Units } from './plan.ts'
import { periodOf, windowStart } from './window.ts'

/** All rows in memory: what the tables are to the evaluation. */
class Ledger {
  readonly rows = new Map<number, MinuteRow>()
  sums: Sums
  head: number
  readonly rule: Rule
  window: SloWindow

  constructor(rule: Rule, window: SloWindow, head: number) {
    this.rule = rule
    this.window = window
    this.head = head
    this.sums = emptySums(head, windowStart(window, head))
  }

  sum(after: number, through: number): Units {
    return [...this.rows].filter(([minute]) => minute > after && minute <= through).reduce((sum, [, row]) => plus(sum, row), nothing)
  }

  moveTo(head: number): void {
    const burn = Object.fromEntries(windowNames.flatMap((name) => { const range = leavingRange(burnWindows[name], this.head, head); return range ? [[name, this.sum(range.after, range.through)]] : [] }))
    const start = Math.max(this.sums.start, windowStart(this.window, head))
    this.sums = advance(this.sums, start, { budget: this.sum(this.sums.start - 1, start - 1), burn })
    this.head = head
  }

  take(counted: Map<number, Counted>): void {
    for (const change of recount(this.rule, this.rows, counted)) {
      this.rows.set(change.minute, change.row)
      this.sums = add(this.sums, this.head, change)
    }
  }
}

/** Slowly, from everything that ever came. */
function oracle(rule: Rule, events: ReadonlyMap<number, Counted>, from: number, head: number, begin: number): Share {
  const first = Math.max(from, begin)
  const inside = [...events].filter(([minute]) => minute >= from && minute <= head)
  if (rule.method === 'Occurrences') return { bad: inside.reduce((sum, [, { good, total }]) => sum + total - good, 0), total: inside.reduce((sum, [, { total }]) => sum + total, 0) }
  const gaps = inside.filter(([, { gap }]) => gap === 1).length
  let bad = 0
  for (let slice = Math.ceil(from / rule.sliceMinutes) * rule.sliceMinutes; slice <= head; slice += rule.sliceMinutes) {
    let [good, total] = [0, 0]
    for (let minute = slice; minute < slice + rule.sliceMinutes; minute++) {
      good += events.get(minute)?.good ?? 0
      total += events.get(minute)?.total ?? 0
    }
    if (total > 0) bad += rule.method === 'Timeslices' ? Number(good / total < rule.sliceTarget) : 1 - good / total
  }
  return { bad, total: (head - first + 1 - gaps) / rule.sliceMinutes }
}

const spec = (more: Partial<SloSpec>): SloSpec => ({ app: 'shop', objective: 0.99, indicator: { golden: 'requests' }, ...more })
const rules: Rule[] = [ruleOf(spec({})), ruleOf(spec({ budgeting: 'Timeslices', timeSlice: { target: 0.9 } })), ruleOf(spec({ budgeting: 'Timeslices', timeSlice: { minutes: 5 } })), ruleOf(spec({ budgeting: 'RatioTimeslices', timeSlice: { minutes: 10 } }))]
const windows: SloWindow[] = [{ rolling: '2h' }, { rolling: '1d' }, { calendar: { period: 'day', timeZone: 'Asia/Kolkata' } }, { calendar: { period: 'day', timeZone: 'Europe/Berlin', start: '2026-01-01T02:30:00' } }]
/** Two days before the clocks change in Berlin. */
const origin = Math.floor(Date.parse('2026-03-27T09:07:00Z') / 60_000)

const minuteOfCounts = fc.record({ back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 }) }, { weight: 1, arbitrary: fc.integer({ min: 20, max: 5000 }) }), total: fc.integer({ min: 0, max: 50 }), share: fc.integer({ min: 0, max: 10 }), gap: fc.boolean() })
const step = fc.record({ forward: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) }, { weight: 1, arbitrary: fc.integer({ min: 4, max: 2000 }) }), counts: fc.array(minuteOfCounts, { maxLength: 6 }) })

describe('running sums', () => {
  test.each(rules.flatMap((rule) => windows.map((window): [string, Rule, SloWindow] => [`${rule.method} of ${rule.sliceMinutes} min, ${JSON.stringify(window)}`, rule, window])))('are what a slow sum over everything gives: %s', (_name, rule, window) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const ledger = new Ledger(rule, window, origin)
        const events = new Map<number, Counted>()
        for (const { forward, counts } of steps) {
          ledger.moveTo(ledger.head + forward)
          const counted = new Map(counts.map(({ back, total, share, gap }): [number, Counted] => [ledger.head - back, gap && total === 0 ? { good: 0, total: 0, gap: 1 } : { good: Math.round((total * share) / 10), total, gap: 0 }]))
          for (const [minute, one] of counted) events.set(minute, one)
          ledger.take(counted)
        }
        const { head, sums } = ledger
        const close = (one: Share, other: Share): void => {
          expect(one.bad).toBeCloseTo(other.bad, 4)
          expect(one.total).toBeCloseTo(other.total, 6)
        }
        close(budgetShare(rule, sums, head), oracle(rule, events, windowStart(window, head), head, sums.begin))
        for (const name of windowNames) close(burnShare(rule, sums, head, name), oracle(rule, events, head - burnWindows[name] + 1, head, sums.begin))
      }),
      { numRuns: 60 },
    )
  })

  test('sums come back to nothing when all that was added has left', () => {
    const ledger = new Ledger(rules[3]!, { rolling: '1h' }, origin)
    for (let minute = 0; minute < 500; minute++) {
      ledger.moveTo(ledger.head + 1)
      ledger.take(new Map([[ledger.head, { good: minute / 7, total: minute / 3, gap: 0 }]]))
    }
    ledger.moveTo(ledger.head + 5000)
    expect(ledger.sums.budget).toEqual(nothing)
    expect(Object.values(ledger.sums.burn)).toEqual(windowNames.map(() => nothing))
  })
})

describe('what the router counted', () => {
  const durations = [0, 0, 0, 0, 0, 0, 10, 40, 20, 0, 0, 0, 0, 2]
  const one = { release: 7, statuses: [0, 60, 5, 3, 4], routerErrors: 1, durations }

  test('good requests do not end with 5xx, and those that the router answered are told apart', () => {
    expect(countGolden({ golden: 'requests' }, [one, { ...one, release: 8, statuses: [0, 8, 0, 0, 0], routerErrors: 0 }])).toEqual({ good: 76, total: 80, gap: 0, detail: [{ release: 7, total: 72, bad: 4, app: 3, router: 1 }] })
  })

  test.each<[number, number]>([[100, 10], [250, 50], [175, 30], [500, 70], [375, 60], [10_000, 70]])('answers within %d ms: %d of 72', (thresholdMs, good) => {
    expect(countGolden({ golden: 'latency', thresholdMs }, [one])).toMatchObject({ good, total: 72, detail: [{ release: 7, bad: 72 - good }] })
  })
})

describe('windows', () => {
  const iso = (minute: number): string => new Date(minute * 60_000).toISOString()
  const at = (window: SloWindow, time: string): string => iso(windowStart(window, Date.parse(time) / 60_000))

  test.each<[string, SloWindow, string, string]>([
    ['rolling, by whole hours', { rolling: '28d' }, '2026-03-29T12:30:00Z', '2026-03-01T12:00:00.000Z'],
    ['a month in Berlin, in summer time', { calendar: { period: 'month', timeZone: 'Europe/Berlin' } }, '2026-04-10T00:00:00Z', '2026-03-31T22:00:00.000Z'],
    ['the month of the change', { calendar: { period: 'month', timeZone: 'Europe/Berlin' } }, '2026-03-31T21:59:00Z', '2026-02-28T23:00:00.000Z'],
    ['a quarter in New York', { calendar: { period: 'quarter', timeZone: 'America/New_York' } }, '2026-05-01T00:00:00Z', '2026-04-01T04:00:00.000Z'],
    ['a week that begins at noon of a Saturday', { calendar: { period: 'week', timeZone: 'America/New_York', start: '2022-01-01T12:00:00' } }, '2026-11-20T00:00:00Z', '2026-11-14T17:00:00.000Z'],
    ['a month from the 31st', { calendar: { period: 'month', timeZone: 'UTC', start: '2026-01-31T00:00:00' } }, '2026-03-01T00:00:00Z', '2026-02-28T00:00:00.000Z'],
    ['a zone of half hours begins with the whole hour before', { calendar: { period: 'day', timeZone: 'Asia/Kolkata' } }, '2026-03-02T00:00:00Z', '2026-03-01T18:00:00.000Z'],
  ])('%s', (_name, window, time, start) => expect(at(window, time)).toBe(start))

  test('every moment lies in one period, and periods follow each other, whatever the clocks do', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Sao_Paulo', 'Pacific/Apia', 'UTC')
    const period = fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'quarter' as const)
    const start = fc.option(fc.constantFrom('2022-01-01T12:00:00', '2024-01-31T02:30:00', '2025-12-29T00:00:00'), { nil: undefined })
    fc.assert(
      fc.property(zones, period, start, fc.integer({ min: Date.parse('2010-01-01'), max: Date.parse('2035-01-01') }), (timeZone, length, begin, moment) => {
        const calendar = { timeZone, period: length, ...(begin === undefined ? {} : { start: begin }) }
        const { from, until } = periodOf(calendar, moment)
        expect(from <= moment && moment < until).toBe(true)
        expect(periodOf(calendar, until).from).toBe(until)
        expect(periodOf(calendar, from - 1).until).toBe(from)
      }),
      { numRuns: 300 },
    )
  })
})
