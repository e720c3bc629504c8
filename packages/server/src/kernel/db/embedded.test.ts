/** The embedded PostgreSQL in hard conditions: killed, left behind, in awkward places. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../log.ts'
import { embeddedPid, startEmbedded, type EmbeddedDatabase } from './embedded.ts'
import { connectDatabase } from './pool.ts'

const log = createLog('silent', 'test')
let home: string
let sockets: string
let running: EmbeddedDatabase[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pavior pg '))
  sockets = mkdtempSync(join(tmpdir(), 'ps-'))
  running = []
})
afterEach(async () => {
  for (const each of running) await each.stop()
  for (const path of [home, sockets]) rmSync(path, { recursive: true, force: true })
})

async function start(directory: string): Promise<EmbeddedDatabase> {
  const database = await startEmbedded({ directory, socketDirectory: sockets, passwordFile: join(home, 'password'), log })
  running.push(database)
  return database
}

async function ask(database: EmbeddedDatabase, text: string): Promise<unknown[]> {
  const connection = await connectDatabase({ connection: database.connection, poolSize: 1, flushStatement: `select pg_logical_emit_message(true, 'test', '')`, log })
  try {
    return (await connection.write(text)).rows
  } finally {
    await connection.close()
  }
}

test('a path with spaces and 150 characters; killed at once it comes back with everything that it had', async () => {
  const directory = join(home, 'd'.repeat(150), 'data')
  const first = await start(directory)
  await ask(first, 'create table notes as select 1 as one')
  process.kill(first.pid, 'SIGKILL')
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' })
  expect(await embeddedPid(directory)).toBeUndefined()
  const second = await start(directory)
  expect(await embeddedPid(directory)).toBe(second.pid)
  expect(await ask(second, 'select one from notes')).toEqual([{ one: 1 }])
})

test('one that an earlier run left behind is stopped, not fought with', async () => {
  const directory = join(home, 'data')
  const left = await start(directory)
  await ask(left, 'create table notes as select 1 as one')
  const next = await start(directory)
  await left.exited
  expect(next.pid).not.toBe(left.pid)
  expect(await ask(next, 'select one from notes')).toEqual([{ one: 1 }])
})

test('a process that got the pid of an earlier database is left alone', async () => {
  const directory = join(home, 'data')
  const first = await start(directory)
  const text = readFileSync(join(directory, 'postmaster.pid'), 'utf8')
  await first.stop()
  // Even one that is called postgres, on another directory.
  const stranger = spawn('sleep', ['60'], { argv0: 'postgres', stdio: 'ignore' })
  try {
    writeFileSync(join(directory, 'postmaster.pid'), text.replace(/^\d+/, String(stranger.pid)))
    const second = await start(directory)
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null])
    expect(await ask(second, 'select 1 as one')).toEqual([{ one: 1 }])
  } finally {
    stranger.kill('SIGKILL')
  }
})
