/** Lines as PostgreSQL's `copy` reads them. Pure. Format: https://www.postgresql.org/docs/current/sql-copy.html, "Text Format". */
import type { Line } from './line.ts'

export const copyColumns = 'at, seq, app, source, level, body, trace_id, request_id, attributes'

export interface Numbers {
  app: number
  source: number
}

const special = /[\\\n\r\t\0]/g
const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\ufffd' }

export function copyRows(lines: readonly Line[], numbersOf: (line: Line) => Numbers): Buffer {
  let text = ''
  let [lastMs, lastTime] = [NaN, '']
  for (const line of lines) {
    if (line.atMs !== lastMs) [lastMs, lastTime] = [line.atMs, new Date(line.atMs).toISOString()]
    const { app, source } = numbersOf(line)
    text += `${lastTime}\t${line.seq}\t${app}\t${source}\t${line.level}\t${escaped(line.body)}\t${line.traceId === undefined ? '\\N' : `\\\\x${line.traceId}`}\t${line.requestId === undefined ? '\\N' : escaped(line.requestId)}\t${line.attributes === undefined ? '\\N' : escaped(JSON.stringify(line.attributes))}\n`
  }
  return Buffer.from(text, 'utf8')
}

function escaped(text: string): string {
  return text.replace(special, (character) => escapes[character]!)
}
