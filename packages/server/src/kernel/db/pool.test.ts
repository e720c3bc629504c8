/** Connections that break at the worst moment, on a real PostgreSQL. */
import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/kernel.ts'
import type { PgDatabase } from './pool.ts'

async function flusherPid(database: PgDatabase): Promise<number> {
  const { rows } = await database.query(`select pid from pg_stat_activity where datname = current_database() and query like '%pg_logical_emit_message%' and pid <> pg_backend_pid()`)
  return rows[0]!.pid
}

test('a flush connection that breaks between commit and flush is told, and hurts no other transaction', async () => {
  const database = await testDatabase()
  await database.write('create table notes (text text)')
  const pid = await flusherPid(database)
  const writing = database.transaction(async (tx) => {
    await tx.query(`insert into notes values ('unsure')`)
    await database.query('select pg_terminate_backend($1, 5000)', [pid])
  })
  await expect(writing).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  // The connection of the failed transaction went back to the pool once: many others at once are neither rolled back nor mixed up.
  await Promise.all(Array.from({ length: 30 }, (_, number) => database.transaction((tx) => tx.query('insert into notes values ($1)', [`n${number}`]))))
  const { rows } = await database.query(`select count(*)::int as count from notes where text like 'n%'`)
  expect(rows[0]!.count).toBe(30)
})

test('a transaction whose connection breaks is rolled back, and its connection is replaced', async () => {
  const database = await testDatabase()
  await database.write('create table notes (text text)')
  const broken = database.transaction(async (tx) => {
    await tx.query(`insert into notes values ('lost')`)
    const { rows } = await tx.query('select pg_backend_pid() as pid')
    await database.query('select pg_terminate_backend($1, 5000)', [rows[0]!.pid])
    await tx.query(`insert into notes values ('never')`)
  })
  await expect(broken).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  await database.write(`insert into notes values ('kept')`)
  expect((await database.query('select text from notes')).rows).toEqual([{ text: 'kept' }])
})

test('a listener that loses its connection listens again on one connection', async () => {
  const database = await testDatabase()
  const heard: string[] = []
  let reconnected = 0
  let wake = (): void => {}
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  await database.listen('news', (payload) => (heard.push(payload), wake()), () => (reconnected++, wake()))
  const listeners = `select pid from pg_stat_activity where datname = current_database() and query like 'listen%'`
  for (let round = 1; round <= 3; round++) {
    const again = next()
    await database.query(`select pg_terminate_backend(pid, 5000) from (${listeners}) as all_of_them`)
    await again
    expect(reconnected).toBe(round)
    expect((await database.query(listeners)).rowCount).toBe(1)
  }
  const told = next()
  await database.write(`select pg_notify('news', 'hello')`)
  await told
  expect(heard).toEqual(['hello'])
})
