import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LogsCollected } from '@pavior/contract'
import { LogCollector } from './collector.ts'
import { LogStore } from './store.ts'

const fallocate = ['/usr/bin/fallocate', '/bin/fallocate'].find((path) => statSync(path, { throwIfNoEntry: false }))
const settings = { logKeepBytes: 100_000, logTickMs: 5, logsKeptMs: 1000, logsKeptCount: 100 }
const writer = { team: 'blue', app: 'shop', environment: 'production', release: 3, process: 'web' }
const signal = new AbortController().signal
let directory: string
let store: LogStore
let collector: LogCollector

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pavior-collect-'))
  begin()
})

afterEach(() => {
  store.close()
  rmSync(directory, { recursive: true, force: true })
})

function begin(logKeepBytes = settings.logKeepBytes): void {
  store = new LogStore({ directory, settings: { ...settings, logKeepBytes }, fallocate })
  collector = new LogCollector({ store, errorsKeptBytes: 2000 })
}

const path = (id: string) => join(directory, `${id}.log`)
const ask = (taken: Record<string, number> = {}, more: object = {}): Promise<LogsCollected> => collector.collect({ session: 's', whole: false, taken, bytes: 1_000_000, waitMs: 5000, ...more }, signal)
const taken = ({ logs }: LogsCollected): Record<string, number> => Object.fromEntries(logs.map(({ log, next }) => [log, next]))
const texts = ({ logs }: LogsCollected): string[] => logs.flatMap(({ lines }) => lines.map(({ line }) => line))

test('lines are given once, in order, from where they were taken, and only those of instances', async () => {
  store.track('a', writer)
  store.track('build')
  appendFileSync(path('a'), 'one\ntwo\nhal')
  appendFileSync(path('build'), 'of a task\n')
  expect(await ask()).toEqual({ resend: true, logs: [] })
  const first = await ask({}, { whole: true })
  expect(first).toMatchObject({ resend: false, known: ['a'], logs: [{ log: 'a', writer, next: 8, lost: 0, ended: false }] })
  expect(texts(first)).toEqual(['one', 'two'])
  const waiting = ask(taken(first))
  appendFileSync(path('a'), 'f\n')
  expect(texts(await waiting)).toEqual(['half'])
  // What was not taken after all is given again.
  const again = await ask({ a: 4 })
  expect(texts(again)).toEqual(['two', 'half'])
  const last = ask(taken(again))
  appendFileSync(path('a'), 'the end')
  store.end('a')
  expect(await last).toMatchObject({ logs: [{ log: 'a', ended: true, lines: [{ line: 'the end' }] }] })
  expect(await ask({ a: 20 }, { waitMs: 0 })).toEqual({ resend: false, logs: [] })
})

test('another that takes begins where the database says, also after the agent was started anew', async () => {
  store.track('a', writer)
  appendFileSync(path('a'), 'one\ntwo\n')
  await ask({}, { whole: true })
  store.close()
  begin()
  store.track('a')
  expect(await ask({ a: 4 })).toMatchObject({ resend: true })
  expect(texts(await ask({ a: 4 }, { whole: true, session: 'other' }))).toEqual(['two'])
})

test('a log that floods does not keep another one waiting', async () => {
  begin(20_000_000)
  store.track('loud', writer)
  store.track('quiet', writer)
  appendFileSync(path('loud'), 'x'.repeat(99).concat('\n').repeat(8000))
  appendFileSync(path('quiet'), 'here\n')
  const first = await ask({}, { whole: true, bytes: 300_000 })
  expect(first.logs.map(({ log }) => log)).toEqual(['loud', 'quiet'])
  expect(texts(first).length).toBeLessThan(3001)
})

test('one line of ten megabytes comes in pieces that say so, also where an answer ended', async () => {
  begin(20_000_000)
  store.track('a', writer)
  appendFileSync(path('a'), `${'x'.repeat(10_000_000)}\nend\n`)
  const pieces: (boolean | undefined)[] = []
  let positions: Record<string, number> = {}
  for (let whole = true; pieces.length === 0 || positions.a! < 10_000_005; whole = false) {
    const answer = await ask(positions, { whole, waitMs: 0 })
    pieces.push(...answer.logs[0]!.lines.map(({ continues }) => continues))
    positions = taken(answer)
  }
  expect(pieces[0]).toBeUndefined()
  expect(pieces.at(-1)).toBeUndefined()
  expect(pieces.slice(1, -1).every(Boolean)).toBe(true)
})

test('what is given up before it is taken is counted, and its errors are kept longest', async () => {
  const log = store.track('a', writer)
  appendFileSync(path('a'), 'taken\n')
  const first = await ask({}, { whole: true })
  await ask(taken(first), { waitMs: 0 })
  const lines = Array.from({ length: 3000 }, (_, index) => (index % 1000 === 10 ? `ERROR number ${index}` : `line ${index} ${'.'.repeat(80)}`))
  const grown = new Promise<void>((resolve) => log.onGrow(resolve))
  appendFileSync(path('a'), `${lines.join('\n')}\n`)
  await grown
  await log.settled()
  const answer = await ask(taken(first), { waitMs: 0 })
  const all = texts(answer)
  expect(all.slice(0, 2)).toEqual(['ERROR number 10', 'ERROR number 1010'])
  expect(all.at(-1)).toBe(lines.at(-1))
  expect(all.length + answer.logs[0]!.lost).toBeGreaterThanOrEqual(lines.length - 1)
  expect(all.length + answer.logs[0]!.lost).toBeLessThanOrEqual(lines.length + 1)
  expect(existsSync(`${path('a')}.lost`)).toBe(true)
  await ask(taken(answer), { waitMs: 0 })
  expect(existsSync(`${path('a')}.lost`) || existsSync(`${path('a')}.kept`)).toBe(false)
})
