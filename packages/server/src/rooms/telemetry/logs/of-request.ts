/** What apps logged about one request, by whatever names it: its id, its trace, or the id somewhere in the text. */
import type { RequestLogLine } from '@pavior/contract'
import type { RequestLogs } from '../ports.ts'
import { levelName } from './line.ts'
import type { LogReads } from './reads.ts'
import type { LineFilter, StoredLine } from './select.ts'

export function createRequestLogs(reads: Pick<LogReads, 'stored'>): RequestLogs {
  return {
    of: async ({ team, apps, requestId, traceId, from, until, limit }) => {
      const filters: LineFilter[] = [...(requestId ? [{ requestId }, { text: requestId }] : []), ...(traceId ? [{ traceId }] : [])]
      const found = await Promise.all(apps.flatMap((app) => filters.map((filter) => reads.stored({ team, app, fromMs: from.getTime(), untilMs: until.getTime(), ...filter }, limit))))
      const once = new Map(found.flat().map((line) => [`${line.source}/${line.seq}`, line]))
      return [...once.values()].toSorted((one, other) => one.atMs - other.atMs || one.seq - other.seq).slice(0, limit).map(lineOf)
    },
  }
}

function lineOf({ atMs, body, level, from }: StoredLine): RequestLogLine {
  return { at: new Date(atMs).toISOString(), app: from.app, level: levelName(level) ?? '', instance: from.instance ?? from.sender ?? '', line: body }
}
