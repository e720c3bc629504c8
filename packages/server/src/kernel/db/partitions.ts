/** Partitions of a table by time: made ahead, and taken away whole. */
import { setTimeout } from 'node:timers/promises'
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
  /** On disk, with its indexes. */
  bytes: number
}

const made = 1_000_000_007

/** Times of the partition of now and of the next `ahead`. */
export function upcoming({ lengthMs }: Partitioned, nowMs: number, ahead = 2): number[] {
  return Array.from({ length: ahead + 1 }, (_, index) => nowMs + index * lengthMs)
}

/** Makes those that these times fall into. They are attached, not created in place, so that neither readers nor writers wait. */
export async function makePartitions(database: Database, { table, lengthMs }: Partitioned, timesMs: readonly number[]): Promise<void> {
  const there = new Set((await listPartitions(database, { table, lengthMs })).map(({ fromMs }) => fromMs))
  const missing = new Set(timesMs.map((timeMs) => Math.floor(timeMs / lengthMs) * lengthMs).filter((fromMs) => !there.has(fromMs)))
  for (const fromMs of missing) {
    const name = `${table}_${fromMs / 1000}`
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
  const { rows } = await database.query<{ name: string; bytes: string }>('select c.relname as name, pg_total_relation_size(c.oid) as bytes from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass', [table])
  return rows
    .map(({ name, bytes }) => ({ name, bytes: Number(bytes), fromMs: Number(name.slice(table.length + 1)) * 1000 }))
    .map((one) => ({ ...one, untilMs: one.fromMs + lengthMs }))
    .sort((one, other) => one.fromMs - other.fromMs)
}

/** Whoever comes in the way of another server that drops at the same moment tries again. */
const dropTries = 5
const dropPauseMs = 100

/** Detached first, so that nobody who reads has to wait for its files to go. One that another server drops at the same time is gone all the same. */
export async function dropPartition(database: Database, { table }: Partitioned, { name }: Pick<Partition, 'name'>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await detach(database, table, name)
      await database.query(`drop table if exists ${name}`)
      return
    } catch (error) {
      if (tries === dropTries) throw error
      await setTimeout(dropPauseMs)
    }
  }
}

/** Of a table one at a time may be on its way: what another server began, or a crash cut off, is brought to its end first. */
async function detach(database: Database, table: string, name: string): Promise<void> {
  const { rows } = await database.query<{ name: string; pending: boolean }>(
    'select c.relname as name, i.inhdetachpending as pending from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass and (c.relname = $2 or i.inhdetachpending)',
    [table, name],
  )
  for (const other of rows.filter(({ pending }) => pending)) await database.query(`alter table ${table} detach partition ${other.name} finalize`)
  if (rows.some((own) => own.name === name && !own.pending)) await database.query(`alter table ${table} detach partition ${name} concurrently`)
}

/** What an attempt that was cut off has detached and not dropped. */
export async function dropDetached(database: Database, { table }: Partitioned): Promise<void> {
  const { rows } = await database.query<{ name: string }>("select relname as name from pg_class where relkind = 'r' and relname ~ $1 and not relispartition and relnamespace = current_schema()::regnamespace", [`^${table}_\\d+$`])
  for (const { name } of rows) await database.query(`drop table if exists ${name}`)
}

/** By which rows get their partition where the database sets their time. */
export async function databaseNowMs(database: Database): Promise<number> {
  const { rows } = await database.query<{ ms: number }>('select (extract(epoch from now()) * 1000)::float8 as ms')
  return rows[0]!.ms
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
