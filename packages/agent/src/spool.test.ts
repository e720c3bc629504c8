import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RequestRecord } from '@pavior/contract'
import { Spool } from './spool.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'pavior spool '))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const record = (instance: string): RequestRecord => ({
  sequence: 0, from: '2030-01-01T00:00:00.000Z', intervalMs: 5000, team: 't', app: 'a', environment: 'e', release: 1, instance,
  statusClasses: [0, 1, 0, 0, 0], routerErrors: 0, durationBuckets: [], durationSumMs: 1, bytesIn: 1, bytesOut: 1,
})
const open = (maxBytes = 64 * 1024 * 1024) => new Spool<RequestRecord>({ directory, maxBytes })

test('numbers records, gives what is above a number, and forgets what was taken, over restarts too', () => {
  let spool = open()
  spool.append([record('a'), record('b')])
  expect(spool.read(0)).toMatchObject({ last: 2, records: [{ sequence: 1, instance: 'a' }, { sequence: 2, instance: 'b' }] })
  expect(spool.read(1).records.map((each) => each.instance)).toEqual(['b'])
  spool = open()
  spool.append([record('c')])
  expect(spool.read(2)).toMatchObject({ last: 3, records: [{ sequence: 3, instance: 'c' }] })
  expect(spool.read(3)).toEqual({ last: 3, records: [] })
  expect(readdirSync(directory)).toEqual(['acknowledged'])
  spool = open()
  expect(spool.read(3)).toEqual({ last: 3, records: [] })
  spool.append([record('d')])
  expect(spool.read(3).records.map((each) => each.sequence)).toEqual([4])
})

test('survives a line that was cut by a crash', () => {
  open().append([record('a')])
  appendFileSync(join(directory, readdirSync(directory)[0]!), '{"sequence":2,"inst')
  const spool = open()
  spool.append([record('b')])
  expect(spool.read(0).records.map((each) => [each.sequence, each.instance])).toEqual([[1, 'a'], [2, 'b']])
})

test('stays within its size by giving up the oldest', () => {
  const spool = open(3 * 1024 * 1024)
  const many = Array.from({ length: 2000 }, () => record('x'.repeat(100)))
  for (let round = 0; round < 12; round++) spool.append(many)
  expect(spool.bytes).toBeLessThan(5 * 1024 * 1024)
  expect(spool.droppedSegments).toBeGreaterThan(0)
  const { records, last } = spool.read(0)
  expect(records[0]!.sequence).toBeGreaterThan(1)
  expect(spool.read(last).records[0]!.sequence).toBe(last + 1)
})
