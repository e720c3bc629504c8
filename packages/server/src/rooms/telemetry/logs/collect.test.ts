/** Lines of instances come into the store once and in order, whatever server, agent and database do meanwhile. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LogCollector } from '../../../../../agent/src/logs/collector.ts'
import { LogStore } from '../../../../../agent/src/logs/store.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemClock } from '../../../kernel/clock.ts'
import type { LogSource } from '../ports.ts'
import { takeAll } from './collect.ts'
import { logsOn, shop, type TestLogs } from './testing.ts'

const writer = { ...shop, release: 3, process: 'web' }

/** The agent's side: real files. */
function agent(): { source: LogSource; store: LogStore; write(id: string, text: string): void } {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-take-'))
  const store = new LogStore({ directory, settings: { logKeepBytes: 10_000_000, logTickMs: 5, logsKeptMs: 1000, logsKeptCount: 100 } })
  const collector = new LogCollector({ store, errorsKeptBytes: 100_000 })
  onTestFinished(() => {
    store.close()
    rmSync(directory, { recursive: true })
  })
  return { store, source: { name: 'agent', collectLogs: (wanted, signal) => collector.collect({ ...wanted, waitMs: 200 }, signal) }, write: (id, text) => appendFileSync(join(directory, `${id}.log`), text) }
}

/** A server that takes until it is ended. */
function server(kept: TestLogs, source: LogSource): { end(): Promise<void>; failed: Promise<Error | undefined> } {
  const ended = new AbortController()
  const running = takeAll({ database: kept.database, source, ingest: kept.logs.ingest, drops: kept.drops, clock: systemClock, waiting: () => {} }, ended.signal).then(
    () => undefined,
    (error: Error) => error,
  )
  const end = async (): Promise<void> => {
    ended.abort()
    await running
  }
  onTestFinished(end)
  return { end, failed: running }
}

const numbered = (from: number, until: number): string[] => Array.from({ length: until - from }, (_, index) => `line ${from + index}`)
const text = (lines: string[]): string => `${lines.join('\n')}\n`

test('what was written while no server was there comes when one is, in order, and what is written then at once', async () => {
  const kept = logsOn(await testDatabase())
  const { source, store, write } = agent()
  store.track('shop-web-1', writer)
  write('shop-web-1', text(numbered(0, 3000)))
  server(kept, source)
  await vi.waitFor(async () => expect(await kept.bodies()).toEqual(numbered(0, 3000)), { timeout: 20_000 })
  write('shop-web-1', text(['{"level":50,"msg":"no","request_id":"r-9"}']))
  await vi.waitFor(async () => expect((await kept.logs.reads.lines({ team: 'blue', app: 'shop', fromMs: 0, untilMs: Date.now() + 1000, requestId: 'r-9' }, 5)).lines).toMatchObject([{ level: 'error', message: 'no', instance: 'shop-web-1', release: 3, process: 'web', environment: 'production' }]), { timeout: 20_000 })
})

test('a server that is ended between writing and committing leaves nothing behind, and the next one takes it once', async () => {
  const database = await testDatabase()
  const kept = logsOn(database)
  const { source, store, write } = agent()
  store.track('a', writer)
  write('a', text(numbered(0, 500)))
  // As kill -9 does it: the lines are written, and the connection breaks before the commit.
  const broken = { ...kept.logs.ingest, write: async (...given: Parameters<typeof kept.logs.ingest.write>) => {
    await kept.logs.ingest.write(...given)
    await given[0].query('select pg_terminate_backend(pg_backend_pid())')
  } }
  await expect(takeAll({ database, source, ingest: broken, drops: kept.drops, clock: systemClock, waiting: () => {} }, new AbortController().signal)).rejects.toThrow()
  expect(await kept.bodies()).toEqual([])
  const other = logsOn(database)
  server(other, source)
  await vi.waitFor(async () => expect(await other.bodies()).toEqual(numbered(0, 500)), { timeout: 20_000 })
})

test('of two servers that both believe to be the one that takes, only the newer can commit', async () => {
  const database = await testDatabase()
  const [one, other] = [logsOn(database), logsOn(database)]
  const { source, store, write } = agent()
  store.track('a', writer)
  write('a', text(numbered(0, 100)))
  const first = server(one, source)
  await vi.waitFor(async () => expect(await one.bodies()).toHaveLength(100), { timeout: 20_000 })
  const second = server(other, source)
  await vi.waitFor(async () => expect((await database.query('select count(distinct taker)::int as takers from log_takers')).rows).toEqual([{ takers: 1 }]), { timeout: 20_000 })
  write('a', text(numbered(100, 200)))
  await vi.waitFor(async () => expect(await other.bodies()).toEqual(numbered(0, 200)), { timeout: 20_000 })
  await Promise.all([first.end(), second.end()])
  expect(await other.bodies()).toEqual(numbered(0, 200))
})

test('an app that floods its log is cut to its limit by level, and another one has every line', async () => {
  const kept = logsOn(await testDatabase(), { linesPerSecond: 20, bytesPerSecond: 1e6 })
  const { source, store, write } = agent()
  store.track('loud', writer)
  store.track('quiet', { ...writer, app: 'stock' })
  write('loud', text([...numbered(0, 3000), 'ERROR it matters']))
  write('quiet', text(numbered(0, 50)))
  server(kept, source)
  await vi.waitFor(async () => expect(await kept.bodies('stock')).toEqual(numbered(0, 50)), { timeout: 20_000 })
  await vi.waitFor(async () => expect((await kept.bodies()).at(-1)).toBe('ERROR it matters'), { timeout: 20_000 })
  await kept.drops.settled()
  const { rows } = await kept.database.query('select app, reason, points::int from metric_dropped')
  expect(rows).toEqual([{ app: 'shop', reason: 'log_rate', points: 3001 - (await kept.bodies()).length }])
})
