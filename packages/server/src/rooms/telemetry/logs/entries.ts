/** Lines of an instance as entries of its log: pieces put together, traces joined. Pure. */
import type { CollectedLine, CollectedLog } from '@pavior/contract'
import { joins, mayGoOn, type OpenEntry } from './join.ts'
import { factsOf, longestBody, storable, type Line, type LineSource } from './line.ts'

/** An entry that may go on is waited for so long. */
const holdMs = 1000

export interface Entries {
  lines: Line[]
  /** Offset up to which they go: what is behind it is to be given again. */
  next: number
  /** Pieces of lines that are longer than a line may be. */
  cutOff: number
}

export interface EntryBounds {
  nowMs: number
  /** Older ones are left out. */
  oldestMs: number
  /** How far a clock may be ahead of ours. */
  aheadMs: number
}

interface Begun extends OpenEntry {
  atMs: number
  /** Offset behind it, and behind what was before it. */
  seq: number
  before: number
}

/** `taken`: offset up to which the log was taken before. */
export function entriesOf({ lines, next, ended }: Pick<CollectedLog, 'lines' | 'next' | 'ended'>, source: LineSource, taken: number, bounds: EntryBounds): Entries {
  const out: Entries = { lines: [], next, cutOff: 0 }
  let open: Begun | undefined
  let before = taken
  const close = (): void => {
    if (open && open.atMs >= bounds.oldestMs) out.lines.push(lineOf(open, source))
    open = undefined
  }
  // Many lines are of one moment.
  let [lastTime, atMs] = ['', 0]
  for (const line of lines) {
    if (line.time !== lastTime) [lastTime, atMs] = [line.time, timeOf(line, bounds)]
    if (line.continues) {
      if (!open || open.body.length >= longestBody) out.cutOff++
      else open.body += line.line
      if (open) open.seq = line.next
    } else if (open && joins(open, line.line, atMs)) {
      open = { ...open, body: `${open.body}\n${line.line}`, lines: open.lines + 1, last: line.line, lastMs: atMs, seq: line.next }
    } else {
      close()
      open = { body: line.line, lines: 1, last: line.line, lastMs: atMs, atMs, seq: line.next, before }
    }
    before = line.next
  }
  if (open && !ended && mayGoOn(open) && bounds.nowMs - open.lastMs < holdMs) return { ...out, next: open.before }
  close()
  return out
}

/** A time that has not come is now. */
function timeOf({ time }: CollectedLine, { nowMs, aheadMs }: EntryBounds): number {
  const atMs = Date.parse(time)
  return atMs <= nowMs + aheadMs ? atMs : nowMs
}

function lineOf({ body: text, atMs, seq, lines, last }: Begun, source: LineSource): Line {
  const body = storable(text)
  const facts = factsOf(body)
  // What is joined is a trace, or belongs to one.
  return { source, atMs, seq, body, ...facts, ...(facts.level === 0 && lines > 1 ? { level: factsOf(last).level } : {}) }
}
