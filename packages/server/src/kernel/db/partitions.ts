/** Partitions of a table by time: made ahead, and taken away whole. */
import type { Database } from './database.ts'

export interface Partitioned {
  /** Table that is partitioned by a range of one timestamp. */
  table: string
  /** Of one partition, in milliseconds. */
  lengthMs: number
}

export interface Partition {
  name: string
  fromMs: number
  untilMs: number
}

const made = 1_000_000_007

/** Makes those of now and of the next `ahead`. It is attached, not created in place, so that neither readers nor writers wait. */
export async function makePartitions(database: Database, { table, lengthMs }: Partitioned, nowMs: number, ahead = 2): Promise<void> {
  const there = new Set((await listPartitions(database, { table, lengthMs })).map(({ name }) => name))
  const first = Math.floor(nowMs / lengthMs) * lengthMs
  for (let fromMs = first; fromMs <= first + ahead * lengthMs; fromMs += lengthMs) {
    const name = `${table}_${fromMs / 1000}`
    if (there.has(name)) continue
    await database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [made, table])
      const { rows } = await tx.query('select to_regclass($1) as there', [name])
      if (rows[0]!.there !== null) return
      await tx.query(`create table ${name} (like ${table} including all)`)
      await tx.query(`alter table ${table} attach partition ${name} for values from ('${timeText(fromMs)}') to ('${timeText(fromMs + lengthMs)}')`)
    })
  }
}

/** Oldest first. */
export async function listPartitions(database: Database, { table, lengthMs }: Partitioned): Promise<Partition[]> {
  const { rows } = await database.query<{ name: string }>('select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass', [table])
  return rows
    .map(({ name }) => ({ name, fromMs: Number(name.slice(table.length + 1)) * 1000 }))
    .map(({ name, fromMs }) => ({ name, fromMs, untilMs: fromMs + lengthMs }))
    .sort((one, other) => one.fromMs - other.fromMs)
}

/** Readers go on meanwhile. One that another server drops at the same time is gone all the same. */
export async function dropPartition(database: Database, { table }: Partitioned, { name }: Pick<Partition, 'name'>): Promise<void> {
  await database.query(`alter table ${table} detach partition ${name} concurrently`).catch((error: { code?: string }) => {
    // Undefined table, not a partition of it, or pending of a detach that broke off.
    if (error.code !== '42P01' && error.code !== '55000') throw error
  })
  await database.query(`drop table if exists ${name}`)
}

/** By which rows get their partition where the database sets their time. */
export async function databaseNowMs(database: Database): Promise<number> {
  const { rows } = await database.query<{ ms: number }>('select (extract(epoch from now()) * 1000)::float8 as ms')
  return rows[0]!.ms
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
