import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openOwnLog } from './own-log.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'pavior own log '))))
afterEach(() => {
  chmodSync(directory, 0o700)
  rmSync(directory, { recursive: true, force: true })
})

const lines = (path: string): number[] => readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => Number(line.split(' ')[0]))

test('is set aside when it is long, keeps the newest whole lines, and never more than twice the limit', () => {
  const path = join(directory, 'agent.log')
  const log = openOwnLog(path, 10_000)
  for (let number = 1; number <= 1000; number++) log.write(`${number} ${'x'.repeat(95)}\n`)
  expect(readdirSync(directory).toSorted()).toEqual(['agent.log', 'agent.log.1'])
  const kept = [...lines(`${path}.1`), ...lines(path)]
  expect(kept.at(-1)).toBe(1000)
  expect(kept.length).toBeGreaterThan(100)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 1001 - kept.length + index))
  for (const file of [path, `${path}.1`]) {
    expect(statSync(file).size).toBeLessThan(10_200)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  }
})

test('goes on where an earlier one ended', () => {
  const path = join(directory, 'agent.log')
  openOwnLog(path, 1000).write('1 first\n')
  openOwnLog(path, 1000).write('2 second\n')
  expect(lines(path)).toEqual([1, 2])
})

test('goes on in the same file when it cannot be set aside', () => {
  const path = join(directory, 'agent.log')
  mkdirSync(`${path}.1`)
  const log = openOwnLog(path, 100)
  for (let number = 1; number <= 50; number++) log.write(`${number}\n`)
  expect(lines(path)).toHaveLength(50)
})
