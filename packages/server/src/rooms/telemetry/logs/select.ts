/** Reading lines: newest first, bounded, and counted by level. */
import type { Tx } from '../../../kernel/db/index.ts'
import { levelName, type LineSource, type LevelNumber } from './line.ts'
import type { LogLevel } from '@pavior/contract'

/** Where a page ended: what is older comes next. */
export interface Place {
  atMs: number
  source: number
  seq: number
}

export interface LineFilter {
  environment?: string
  release?: number
  process?: string
  instance?: string
  /** This level and worse; 0 is every line. */
  level?: LevelNumber
  /** Contained in the text or its attributes; in lower case alone it matches any case. */
  text?: string
  requestId?: string
  traceId?: string
}

export interface LineRange extends LineFilter {
  team: string
  app: string
  fromMs: number
  /** Not in it. */
  untilMs: number
}

/** A line as it is stored. */
export interface StoredLine extends Place {
  level: LevelNumber
  body: string
  traceId?: string
  requestId?: string
  attributes?: Record<string, unknown>
  from: LineSource
}

interface Sources {
  app: number
  byId: Map<number, LineSource>
}

/** Those of an app that fit; undefined when it has never written a line that does. */
async function sourcesOf(tx: Tx, { team, app, environment, release, process, instance }: LineRange): Promise<Sources | undefined> {
  const { rows } = await tx.query(
    `select a.id as number, s.id, s.environment, s.release, s.process, s.instance, s.sender from log_apps a join log_sources s using (team, app)
     where team = $1 and app = $2 and ($3::text is null or s.environment = $3) and ($4::int is null or s.release = $4) and ($5::text is null or s.process = $5) and ($6::text is null or s.instance = $6 or s.sender = $6)`,
    [team, app, environment ?? null, release ?? null, process ?? null, instance ?? null],
    'log-sources',
  )
  if (rows.length === 0) return undefined
  return {
    app: rows[0]!.number as number,
    byId: new Map(rows.map((row) => [row.id as number, { team, app, environment: row.environment, ...present({ release: row.release, process: row.process, instance: row.instance, sender: row.sender }) }])),
  }
}

function present<T extends object>(given: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as never
}

/** The conditions of a range, with their values. */
function conditions(range: LineRange, { app, byId }: Sources): { where: string[]; values: unknown[] } {
  const values: unknown[] = [app, new Date(range.fromMs), new Date(range.untilMs)]
  const where = ['app = $1', 'at >= $2', 'at < $3']
  const add = (condition: (place: string) => string, value: unknown): void => {
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  if (range.environment !== undefined || range.release !== undefined || range.process !== undefined || range.instance !== undefined) add((place) => `source = any(${place}::int[])`, [...byId.keys()])
  if (range.level) add((place) => `level >= ${place}`, range.level)
  if (range.requestId !== undefined) add((place) => `request_id = ${place}`, range.requestId)
  if (range.traceId !== undefined) add((place) => `trace_id = decode(${place}, 'hex')`, range.traceId)
  if (range.text) {
    const column = (name: string): string => (anyCase(range.text!) ? `lower(${name})` : name)
    add((place) => `(strpos(${column('body')}, ${place}) > 0 or strpos(${column('attributes::text')}, ${place}) > 0)`, range.text)
  }
  return { where, values }
}

/** Whoever writes a capital letter means it. */
export function anyCase(text: string): boolean {
  return text === text.toLowerCase()
}

/** Newest first, at most `limit`, older than `before`. */
export async function selectLines(tx: Tx, range: LineRange, limit: number, before?: Place): Promise<StoredLine[]> {
  const sources = await sourcesOf(tx, range)
  if (!sources) return []
  const { where, values } = conditions(range, sources)
  if (before) {
    values.push(new Date(before.atMs), before.source, before.seq)
    const first = values.length - 2
    where.push(`at <= $${first}`, `(at, source, seq) < ($${first}, $${first + 1}, $${first + 2})`)
  }
  values.push(limit)
  const { rows } = await tx.query(
    `select at, seq, source, level, body, encode(trace_id, 'hex') as trace, request_id, attributes from log_lines
     where ${where.join(' and ')} order by at desc, source desc, seq desc limit $${values.length}`,
    values,
  )
  const all = sources.byId
  return rows.flatMap((row) => {
    const from = all.get(row.source as number)
    // A source that was made since the list of them was read has lines of the next question.
    if (!from) return []
    return [{ atMs: (row.at as Date).getTime(), seq: Number(row.seq), source: row.source, level: row.level, body: row.body, from, ...present({ traceId: row.trace, requestId: row.request_id, attributes: row.attributes }) }]
  })
}

export interface LevelCounts {
  /** Beginning, in milliseconds. */
  fromMs: number
  counts: Partial<Record<LogLevel | 'other', number>>
}

/** How many lines of each level there are in each step that has any. */
export async function countLevels(tx: Tx, range: LineRange, stepMs: number): Promise<LevelCounts[]> {
  const sources = await sourcesOf(tx, range)
  if (!sources) return []
  const { where, values } = conditions(range, sources)
  values.push(range.fromMs / 1000, stepMs / 1000)
  const { rows } = await tx.query(
    `select floor((extract(epoch from at) - $${values.length - 1}::float8) / $${values.length}::float8)::int as step, level, count(*)::float8 as lines from log_lines where ${where.join(' and ')} group by 1, 2 order by 1`,
    values,
  )
  const steps = new Map<number, LevelCounts>()
  for (const { step, level, lines } of rows) {
    const one = steps.get(step) ?? { fromMs: range.fromMs + step * stepMs, counts: {} }
    one.counts[levelName(level) ?? 'other'] = lines
    steps.set(step, one)
  }
  return [...steps.values()]
}
