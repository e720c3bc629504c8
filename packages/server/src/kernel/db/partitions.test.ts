import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/kernel.ts'
import { databaseNowMs, dropDetached, dropPartition, listPartitions, makePartitions, upcoming } from './partitions.ts'

const table = { table: 'happened', lengthMs: 600_000 }

test('partitions are made by several at once, hold their rows, and go whole while somebody reads', async () => {
  const database = await testDatabase()
  await database.query('create table happened (at timestamptz not null, what text) partition by range (at)')
  await database.query('create index on happened (what)')
  const now = await databaseNowMs(database)
  await Promise.all([1, 2, 3].map(() => makePartitions(database, table, upcoming(table, now))))
  const made = await listPartitions(database, table)
  expect(made.map(({ fromMs, untilMs }) => [fromMs % 600_000, untilMs - fromMs])).toEqual([[0, 600_000], [0, 600_000], [0, 600_000]])
  expect(made[0]!.fromMs).toBeLessThanOrEqual(now)
  await database.query("insert into happened values (now(), 'one')")
  expect((await listPartitions(database, table))[0]!.bytes).toBeGreaterThan(made[0]!.bytes)
  await expect(database.query("insert into happened values (now() - interval '1 day', 'old')")).rejects.toThrow(/no partition/)
  await Promise.all([dropPartition(database, table, made[0]!), dropPartition(database, table, made[0]!)])
  await dropPartition(database, table, made[0]!)
  expect((await database.query('select * from happened')).rows).toEqual([])
  expect(await listPartitions(database, table)).toHaveLength(2)
})

test('what was detached and not dropped goes later, and tables of other names stay', async () => {
  const database = await testDatabase()
  await database.query('create table happened (at timestamptz not null) partition by range (at)')
  await database.query('create table happened_more (at timestamptz)')
  await makePartitions(database, table, upcoming(table, await databaseNowMs(database)))
  const [first] = await listPartitions(database, table)
  await database.query(`alter table happened detach partition ${first!.name}`)
  await dropDetached(database, table)
  const { rows } = await database.query("select relname from pg_class where relkind = 'r' and relname like 'happened%' order by 1")
  expect(rows.map(({ relname }) => relname)).toEqual([...(await listPartitions(database, table)).map(({ name }) => name), 'happened_more'].toSorted())
  expect(rows).toHaveLength(3)
})

test('servers that drop several at the same moment drop all of them, and finish what one of them left half done', async () => {
  const database = await testDatabase()
  await database.query('create table happened (at timestamptz not null) partition by range (at)')
  await makePartitions(database, table, upcoming(table, await databaseNowMs(database), 7))
  const made = await listPartitions(database, table)
  const [last] = made.splice(-1)
  await Promise.all([made, made.toReversed(), made].map(async (all) => {
    for (const one of all) await dropPartition(database, table, one)
  }))
  expect((await listPartitions(database, table)).map(({ name }) => name)).toEqual([last!.name])
  const { rows } = await database.query("select relname from pg_class where relkind = 'r' and relname like 'happened%'")
  expect(rows).toEqual([{ relname: last!.name }])
})
