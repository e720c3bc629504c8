/** The past from the store and the files, then what comes, without a line twice or missing. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogEntry } from '@pavior/contract'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LogCollector } from '../../../../../agent/src/logs/collector.ts'
import { readLines } from '../../../../../agent/src/logs/reader.ts'
import { LogStore } from '../../../../../agent/src/logs/store.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemClock } from '../../../kernel/clock.ts'
import type { InstanceLogs, LogSource } from '../ports.ts'
import { takeAll } from './collect.ts'
import { readLog, type FollowDeps } from './follow.ts'
import { searchOf, type LogSearch } from './reads.ts'
import { logsOn, shop, type TestLogs } from './testing.ts'

const instance = { id: 'shop-web-1', process: 'web', release: 3, environment: 'production' }
const everything: LogSearch = { team: 'blue', app: 'shop', fromMs: 0, untilMs: Date.now() + 3600_000 }

interface Stage {
  kept: TestLogs
  write(...lines: string[]): void
  /** Takes what there is, and no more. */
  take(): Promise<void>
  sent(text: string): Promise<void>
  read(more?: Partial<LogSearch>, limit?: number): Promise<string[]>
  follow(search: Partial<LogSearch>, limit: number): string[]
}

async function stage(): Promise<Stage> {
  const kept = logsOn(await testDatabase())
  const directory = mkdtempSync(join(tmpdir(), 'pavior-follow-'))
  const store = new LogStore({ directory, settings: { logKeepBytes: 10_000_000, logTickMs: 5, logsKeptMs: 1000, logsKeptCount: 100 } })
  const collector = new LogCollector({ store, errorsKeptBytes: 1000 })
  store.track(instance.id, { ...shop, release: 3, process: 'web' })
  const over = new AbortController()
  const instanceLogs: Pick<InstanceLogs, 'lines'> = {
    lines: async function* (id, { since, ...query }, signal) {
      for await (const lines of readLines(store.find(id)!, { ...query, ...(since ? { sinceMs: Date.parse(since) } : {}), signal })) yield* lines
    },
  }
  const listeners = new Set<(about?: string) => void>()
  const deps: FollowDeps = { database: kept.database, reads: kept.logs.reads, instanceLogs, agent: 'agent', clock: systemClock, onSent: (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  } }
  const reading = (search: Partial<LogSearch>, limit: number, follow: boolean) => ({ search: { ...everything, ...search }, limit, follow, instances: () => [instance] })
  onTestFinished(() => {
    over.abort()
    store.close()
    rmSync(directory, { recursive: true })
  })
  return {
    kept,
    write: (...lines) => appendFileSync(join(directory, `${instance.id}.log`), `${lines.join('\n')}\n`),
    take: async () => {
      const done = new AbortController()
      const source: LogSource = { name: 'agent', collectLogs: async (wanted, signal) => {
        const answer = await collector.collect({ ...wanted, waitMs: 0 }, signal)
        if (answer.logs.length === 0 && !answer.resend && !wanted.whole) done.abort()
        return answer
      } }
      await takeAll({ database: kept.database, source, ingest: kept.logs.ingest, drops: kept.drops, clock: systemClock, waiting: () => {} }, done.signal)
    },
    sent: async (text) => {
      await kept.logs.signal.take([{ owner: shop, attributes: new Map([['service.name', 'worker']]), content: { scopeLogs: [{ logRecords: [{ severityNumber: 9, body: { stringValue: text } }] }] } }])
      for (const listener of listeners) listener('blue/shop')
    },
    read: async (more = {}, limit = 100) => {
      const lines: string[] = []
      await readLog(deps, reading(more, limit, false), async (entry) => void lines.push((entry as LogEntry).line), over.signal)
      return lines
    },
    follow: (more, limit) => {
      const lines: string[] = []
      void readLog(deps, reading(more, limit, true), async (entry) => void lines.push((entry as LogEntry).line), over.signal)
      return lines
    },
  }
}

test('what was taken comes from the store, what was not from the file', async () => {
  const { write, take, read } = await stage()
  write('one', 'two')
  expect(await read()).toEqual(['one', 'two'])
  await take()
  expect(await read()).toEqual(['one', 'two'])
  write('three')
  expect(await read()).toEqual(['one', 'two', 'three'])
  expect(await read({}, 2)).toEqual(['two', 'three'])
  expect(await read({}, 0)).toEqual([])
})

test('a search looks at both alike', async () => {
  const { write, take, read } = await stage()
  write('{"level":50,"msg":"Refused"}', 'INFO fine')
  await take()
  write('{"level":50,"msg":"refused again"}', 'level=error not Refused')
  expect(await read({ level: 4 })).toHaveLength(3)
  expect(await read({ text: 'refused' })).toHaveLength(3)
  expect(await read({ text: 'Refused' })).toHaveLength(2)
  expect(await read(searchOf('/"refused( again)?"/i'))).toHaveLength(2)
  expect(() => searchOf('/(/')).toThrow('cannot be used')
})

test('following goes on where the past ended, in the file and with what is sent', async () => {
  const { write, take, sent, follow } = await stage()
  write('one')
  await sent('sent before')
  await take()
  write('two')
  const lines = follow({}, 100)
  await vi.waitFor(() => expect(lines).toEqual(['sent before', 'one', 'two'].toSorted((a, b) => lines.indexOf(a) - lines.indexOf(b))), { timeout: 20_000 })
  write('three')
  await take()
  await sent('sent after')
  write('four')
  await vi.waitFor(() => expect(lines).toHaveLength(6), { timeout: 20_000 })
  expect(lines.filter((line) => !line.startsWith('sent'))).toEqual(['one', 'two', 'three', 'four'])
  expect(lines.filter((line) => line.startsWith('sent'))).toEqual(['sent before', 'sent after'])
})
