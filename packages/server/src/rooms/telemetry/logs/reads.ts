/** Questions about lines, for other rooms and for the ways out. */
import { setImmediate } from 'node:timers/promises'
import type { LogEntry, LogHistogram, LogPage } from '@pavior/contract'
import { fail } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { compilePattern, type Pattern } from '../promql/regex/pattern.ts'
import { levelName, messageOf } from './line.ts'
import { countLevels, selectLines, type LineRange, type Place, type StoredLine } from './select.ts'

/** A search by pattern is given up, to be gone on with, after so many lines or so long. */
const mostSearched = 100_000
const searchMs = 3000
const searchedAtOnce = 2000
const mostSteps = 300

export interface LogSearch extends LineRange {
  /** Of a regular expression, in linear time. */
  pattern?: Pattern
}

export interface LogReads {
  /** Lines that fit, newest first: at most `limit`, older than `before`. */
  lines(search: LogSearch, limit: number, before?: string): Promise<LogPage>
  /** As they are stored, newest first. */
  stored(search: LogSearch, limit: number): Promise<StoredLine[]>
  histogram(search: LineRange, stepMs?: number): Promise<LogHistogram>
  /** How many fit. */
  count(search: LineRange): Promise<number>
}

export function createLogReads(database: Database, clock: Clock): LogReads {
  return {
    lines: async (search, limit, before) => {
      const { found, end } = await searchLines(database, search, limit, before === undefined ? undefined : placeIn(before), clock)
      return { lines: found.map(entryOf), ...(end.next ? { next: cursorOf(end.next) } : {}), ...(end.givenUp ? { searchedTo: new Date(end.next!.atMs).toISOString() } : {}) }
    },
    count: async (search) => (await countLevels(database, search, search.untilMs - search.fromMs)).reduce((sum, { counts }) => sum + Object.values(counts).reduce((all, lines) => all + lines, 0), 0),
    stored: async (search, limit) => (await searchLines(database, search, limit, undefined, clock)).found,
    histogram: async (search, stepMs) => {
      const step = Math.max(stepMs ?? 0, stepFor(search.untilMs - search.fromMs))
      const steps = await countLevels(database, search, step)
      return { from: new Date(search.fromMs).toISOString(), until: new Date(search.untilMs).toISOString(), stepSeconds: step / 1000, steps: steps.map(({ fromMs, counts }) => ({ at: new Date(fromMs).toISOString(), counts })) }
    },
  }
}

interface End {
  /** Where to go on; undefined when there is nothing older. */
  next?: Place
  givenUp?: boolean
}

async function searchLines(database: Database, search: LogSearch, limit: number, before: Place | undefined, clock: Clock): Promise<{ found: StoredLine[]; end: End }> {
  const { pattern } = search
  if (!pattern) {
    const found = await selectLines(database, search, limit + 1, before)
    return found.length > limit ? { found: found.slice(0, limit), end: { next: placeOf(found[limit - 1]!) } } : { found, end: {} }
  }
  const deadline = clock.now().getTime() + searchMs
  const found: StoredLine[] = []
  let at = before
  for (let searched = 0; searched < mostSearched && clock.now().getTime() < deadline; searched += searchedAtOnce) {
    const lines = await selectLines(database, search, searchedAtOnce, at)
    for (const line of lines) {
      at = placeOf(line)
      if (pattern.matches(line.body) && found.push(line) === limit) return { found, end: { next: at } }
    }
    if (lines.length < searchedAtOnce) return { found, end: {} }
    await setImmediate()
  }
  return { found, end: { next: at!, givenUp: true } }
}

function placeOf({ atMs, source, seq }: Place): Place {
  return { atMs, source, seq }
}

function cursorOf({ atMs, source, seq }: Place): string {
  return `${atMs}-${source}-${seq}`
}

function placeIn(cursor: string): Place {
  const [atMs, source, seq] = cursor.split('-').map(Number)
  if (!/^\d{1,15}-\d{1,9}-\d{1,16}$/.test(cursor)) throw fail('BAD_REQUEST', { message: '"before" is not what an earlier answer gave as "next".' })
  return { atMs: atMs!, source: source!, seq: seq! }
}

/** A step that a person reads easily, so that there are not too many. */
function stepFor(rangeMs: number): number {
  return [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 24 * 3600].map((seconds) => seconds * 1000).find((step) => rangeMs / step <= mostSteps) ?? rangeMs / mostSteps
}

/** `/…/` is a regular expression, found anywhere; everything else a text. Throws BAD_REQUEST. */
export function searchOf(grep: string | undefined): Pick<LogSearch, 'text' | 'pattern'> {
  const inner = grep === undefined ? undefined : /^\/(.+)\/(i?)$/s.exec(grep)
  if (!inner) return grep ? { text: grep } : {}
  const pattern = compilePattern(`(?s:.*)(?${inner[2]}:${inner[1]})(?s:.*)`)
  if (pattern.problem) throw fail('BAD_REQUEST', { message: `The pattern ${grep!.slice(0, 100)} cannot be used: ${pattern.problem}` })
  return { pattern }
}

export function entryOf({ atMs, level, body, from, traceId, requestId, attributes }: Pick<StoredLine, 'atMs' | 'level' | 'body' | 'from' | 'traceId' | 'requestId' | 'attributes'>): LogEntry {
  const { environment, release, process, instance, sender } = from
  const read = attributes ? { message: body, attributes } : messageOf(body)
  const name = levelName(level)
  return {
    time: new Date(atMs).toISOString(),
    line: body,
    ...(name ? { level: name } : {}),
    environment,
    ...(release === undefined ? {} : { release }),
    ...(process === undefined ? {} : { process }),
    ...(instance === undefined ? {} : { instance }),
    ...(sender === undefined ? {} : { sender }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(read.message === body ? {} : { message: read.message }),
    ...(read.attributes === undefined ? {} : { attributes: read.attributes }),
  }
}
