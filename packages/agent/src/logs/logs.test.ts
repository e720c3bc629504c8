import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogLine } from '@pavior/contract'
import { LineSplitter, lineMaxBytes, readLines, type ReadOptions } from './reader.ts'
import { LogStore } from './store.ts'

let directory: string
let store: LogStore
const settings = { logKeepBytes: 200_000, logTickMs: 20, logsKeptMs: 1000, logsKeptCount: 2 }
const fallocate = ['/usr/bin/fallocate', '/bin/fallocate'].find((path) => statSync(path, { throwIfNoEntry: false }))

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pavior logs '))
  store = new LogStore({ directory, settings, fallocate })
})

afterEach(() => {
  store.close()
  rmSync(directory, { recursive: true, force: true })
})

async function all(id: string, options: ReadOptions = {}): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const batch of readLines(store.find(id)!, options)) lines.push(...batch)
  return lines
}

const path = (id: string) => join(directory, `${id}.log`)
const untimed = (lines: LogLine[]) => lines.map(({ line, next }) => ({ line, next }))

describe('reading', () => {
  test('gives lines, the offset behind each, and goes on from there', async () => {
    writeFileSync(path('a'), 'one\ntwo\r\n\nfour')
    const lines = await all('a')
    expect(lines.map((each) => [each.line, each.next])).toEqual([
      ['one', 4],
      ['two', 9],
      ['', 10],
      ['four', 14],
    ])
    expect((await all('a', { offset: 4 })).map((each) => each.line)).toEqual(['two', '', 'four'])
    expect((await all('a', { tail: 2 })).map((each) => each.line)).toEqual(['', 'four'])
    expect(await all('a', { tail: 0 })).toEqual([])
    expect((await all('a', { tail: 100 })).length).toBe(4)
  })

  test('finds the last lines of a long log', async () => {
    writeFileSync(path('a'), Array.from({ length: 50_000 }, (_, index) => `line ${index}\n`).join(''))
    expect((await all('a', { tail: 20_000 })).map((each) => each.line)[0]).toBe('line 30000')
  })

  test('the last lines are as many as are asked for, whatever was cut for its length', async () => {
    writeFileSync(path('a'), `first\n${'x'.repeat(lineMaxBytes * 3 + 5)}\nlast\n${'y'.repeat(lineMaxBytes + 1)}`)
    const lines = await all('a')
    expect(lines.map((each) => each.line.length)).toEqual([5, lineMaxBytes, lineMaxBytes, lineMaxBytes, 5, 4, lineMaxBytes, 1])
    for (let count = 0; count <= lines.length + 1; count++) {
      expect(untimed(await all('a', { tail: count }))).toEqual(count === 0 ? [] : untimed(lines.slice(-count)))
    }
  })

  test('the last lines are the end of the whole, for any log', async () => {
    const piece = fc.record({ text: fc.constantFrom('', 'a', 'ü', 'xyz\r'), times: fc.oneof(fc.nat(3), fc.integer({ min: lineMaxBytes / 4, max: lineMaxBytes * 2 })) })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.boolean(), fc.integer({ min: 1, max: 12 }), async (pieces, closed, tail) => {
        const text = pieces.map(({ text: one, times }) => one.repeat(times)).join('\n')
        writeFileSync(path('a'), `${text}${closed ? '\n' : ''}`)
        expect(untimed(await all('a', { tail }))).toEqual(untimed((await all('a')).slice(-tail)))
      }),
      { numRuns: 60 },
    )
  })

  test('cuts lines that are too long between characters', async () => {
    const text = 'ü'.repeat(lineMaxBytes)
    writeFileSync(path('a'), `x${text}\nend\n`)
    const lines = await all('a')
    expect(lines.every((each) => Buffer.byteLength(each.line) <= lineMaxBytes && !each.line.includes('\ufffd'))).toBe(true)
    expect(lines.map((each) => each.line).join('')).toBe(`x${text}end`)
  })

  test('loses nothing, however the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/[\r\n]/g, '')),
          { maxLength: 20 },
        ),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (lines, sizes) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const splitter = new LineSplitter(100)
          const seen: string[] = []
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const end = Math.min(bytes.length, at + sizes[turn % sizes.length]!)
            seen.push(...splitter.push(bytes.subarray(at, end)).map((each) => each.text))
            at = end
          }
          expect(seen).toEqual(lines)
          expect(splitter.position).toBe(100 + bytes.length)
        },
      ),
    )
  })

  test('follows until the log ends', async () => {
    const log = store.track('a')
    const descriptor = log.openForAppend()
    const seen: string[] = []
    let gotTwo = () => {}
    const two = new Promise<void>((resolve) => (gotTwo = resolve))
    const following = (async () => {
      for await (const batch of readLines(log, { follow: true })) {
        seen.push(...batch.map((each) => each.line))
        if (seen.length >= 2) gotTwo()
      }
    })()
    writeSync(descriptor, 'one\nhalf')
    await expect.poll(() => seen).toEqual(['one'])
    writeSync(descriptor, ' a line\n')
    await two
    writeSync(descriptor, 'rest')
    store.end('a')
    await following
    expect(seen).toEqual(['one', 'half a line', 'rest'])
  })
})

describe('times', () => {
  test('are those at which lines were written, also for those who ask later, and after a restart', async () => {
    const log = store.track('a')
    const written: number[] = []
    for (let index = 0; index < 5; index++) {
      written.push(Date.now())
      appendFileSync(path('a'), `line ${index}\n`)
      await expect.poll(() => log.times.count()).toBe(index + 1)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    store.close()
    store = new LogStore({ directory, settings, fallocate })
    const lines = await all('a')
    lines.forEach((line, index) => expect(Math.abs(Date.parse(line.time) - written[index]!)).toBeLessThan(100))
    const since = await all('a', { sinceMs: Date.parse(lines[3]!.time) })
    expect(since.map((each) => each.line)).toEqual(['line 3', 'line 4'])
  })

  test('of lines written while nobody looked are those of the file', async () => {
    store.track('a')
    store.close()
    appendFileSync(path('a'), 'alone\n')
    const writtenMs = statSync(path('a')).mtimeMs
    await new Promise((resolve) => setTimeout(resolve, 50))
    store = new LogStore({ directory, settings, fallocate })
    store.track('a')
    expect(Math.abs(Date.parse((await all('a'))[0]!.time) - writtenMs)).toBeLessThan(2)
  })
})

describe.each([
  ['with holes', fallocate],
  ['by copying', undefined],
])('the size limit, %s', (name, tool) => {
  test.skipIf(name === 'with holes' && !fallocate)(
    'keeps the newest bytes, whole lines, rising offsets, and never stops the writer',
    async () => {
      store = new LogStore({ directory, settings, fallocate: tool })
      const log = store.track('a')
      const descriptor = log.openForAppend()
      const count = 60_000
      for (let index = 0; index < count; index++) {
        writeSync(descriptor, `line ${index} ${'x'.repeat(20)}\n`)
        if (index % 2000 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await expect.poll(() => log.times.lastSize()).toBe(log.size())
      await log.settled()
      const total = Array.from({ length: count }, (_, index) => `line ${index} `.length + 21).reduce((sum, each) => sum + each, 0)
      expect(log.size()).toBe(total)
      expect(log.head).toBeGreaterThan(total - settings.logKeepBytes * 3)
      const blocks = Number(
        execFileSync('du', ['--block-size=1', '--total', '-s', directory])
          .toString()
          .match(/^(\d+)\ttotal$/m)?.[1],
      )
      expect(blocks).toBeLessThan(settings.logKeepBytes * 4)
      const lines = await all('a')
      expect(lines.at(-1)).toMatchObject({ line: `line ${count - 1} ${'x'.repeat(20)}`, next: total })
      expect(lines.length).toBeGreaterThan(2000)
      const first = Number(lines[0]!.line.split(' ')[1])
      expect(lines.map((each) => Number(each.line.split(' ')[1]))).toEqual(lines.map((_, index) => first + index))
      // A new look at the files knows the same.
      store.close()
      store = new LogStore({ directory, settings, fallocate: tool })
      expect((await all('a')).length).toBe(lines.length)
    },
  )
})

test('logs that nobody writes to are swept by age and number', () => {
  for (const id of ['a', 'b', 'c', 'd']) writeFileSync(path(id), id)
  store.track('a')
  store.sweep(Date.now(), (id) => id === 'b')
  expect(['a', 'b', 'c', 'd'].filter((id) => store.find(id)).length).toBe(4)
  store.sweep(Date.now() + 5000, (id) => id === 'b')
  expect(['a', 'b', 'c', 'd'].filter((id) => store.find(id))).toEqual(['a', 'b'])
  expect(readFileSync(path('a'), 'utf8')).toBe('a')
})
