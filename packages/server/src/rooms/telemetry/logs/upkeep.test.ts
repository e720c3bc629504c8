/** Partitions are there before they are needed and go when they are too old or too large, and what is there can be read meanwhile. */
import { expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import type { Line } from './line.ts'
import { dropPartition, listPartitions } from '../../../kernel/db/partitions.ts'
import { lineTable } from './store.ts'
import { logsOn, shop } from './testing.ts'
import { keepPartitions, partitionsToDrop } from './upkeep.ts'

const hourMs = 3600_000
const nowMs = Math.floor(Date.now() / hourMs) * hourMs + 1000
const retention = { keepMs: 24 * hourMs, bytes: 1e12 }
const partition = (hoursAgo: number, bytes = 100) => ({ name: `${hoursAgo} ago`, fromMs: Math.floor(nowMs / hourMs) * hourMs - hoursAgo * hourMs, bytes })

test('what is too old goes, then the oldest of what takes too much room, and never the last two hours', () => {
  const there = [partition(30), partition(25), partition(24), partition(5), partition(1), partition(0)]
  expect(partitionsToDrop(there, nowMs, retention)).toEqual(['30 ago', '25 ago'])
  expect(partitionsToDrop(there, nowMs, { ...retention, bytes: 250 })).toEqual(['30 ago', '25 ago', '24 ago', '5 ago'])
  expect(partitionsToDrop(there, nowMs, { ...retention, bytes: 0 })).toEqual(['30 ago', '25 ago', '24 ago', '5 ago'])
  expect(partitionsToDrop([], nowMs, retention)).toEqual([])
})

test('partitions are made ahead and dropped with their lines, by servers that do it at once', async () => {
  const database = await testDatabase()
  const { logs, bodies } = logsOn(database)
  const line = (body: string, atMs: number): Line => ({ source: shop, atMs, seq: 1, level: 2, body })
  const lines = [line('old', nowMs - 30 * hourMs), line('new', nowMs)]
  await logs.ingest.prepare(lines)
  await database.transaction((tx) => logs.ingest.write(tx, lines))
  expect(await bodies()).toEqual(['old', 'new'])
  await Promise.all([keepPartitions(database, nowMs, retention), keepPartitions(database, nowMs, retention)])
  expect(await bodies()).toEqual(['new'])
  expect((await listPartitions(database, lineTable)).map(({ fromMs }) => (fromMs + 1000 - nowMs) / hourMs)).toEqual([0, 1, 2])
})

test('a line of an hour whose partition went for the room it took is stored when it comes again', async () => {
  const database = await testDatabase()
  const { logs, bodies } = logsOn(database)
  const lines: Line[] = [{ source: shop, atMs: nowMs - 5 * hourMs, seq: 1, level: 2, body: 'late' }]
  await logs.ingest.prepare(lines)
  for (const { name } of await listPartitions(database, lineTable)) await dropPartition(database, lineTable, { name })
  await expect(database.transaction((tx) => logs.ingest.write(tx, lines))).rejects.toThrow('no partition')
  await logs.ingest.prepare(lines)
  await database.transaction((tx) => logs.ingest.write(tx, lines))
  expect(await bodies()).toEqual(['late'])
})
