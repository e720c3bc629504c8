/** Copies of what telemetry has of an app's trouble, as evidence. */
import type { TraceSummary } from '@pavior/contract'
import type { Excerpts, Place } from './ports.ts'

export interface TelemetryExcerpts {
  /** Traces in which the app failed, latest first. */
  failedTraces: (place: Place, from: Date, until: Date, limit: number) => Promise<TraceSummary[]>
  /** Lines of level error, latest first. */
  failedLines: (place: Place, from: Date, until: Date, limit: number) => Promise<{ atMs: number; line: string; instance: string }[]>
}

const shownTraces = 3
const readLines = 200
const shownLines = 3
const longestLine = 300

export function excerptsOf({ failedTraces, failedLines }: TelemetryExcerpts): Excerpts {
  return async (place, from, until) => {
    const [traces, lines] = await Promise.all([failedTraces(place, from, until, shownTraces), failedLines(place, from, until, readLines)])
    return [
      ...kindsOfLines(lines).slice(0, shownLines).map(({ line, count, instance }) => ({ source: 'logs' as const, text: `${instance} logged${count > 1 ? `, and ${count - 1} more like it` : ''}: ${line}`, data: { line, count } })),
      ...traces.map((trace) => ({ source: 'traces' as const, text: textOf(trace), data: { traceId: trace.traceId, ...(trace.requestId === undefined ? {} : { requestId: trace.requestId }), durationMs: trace.durationMs, apps: trace.apps } })),
    ]
  }
}

/** Lines that differ in numbers and ids only are one; the most frequent first. */
export function kindsOfLines(lines: readonly { line: string; instance: string }[]): { line: string; count: number; instance: string }[] {
  const kinds = new Map<string, { line: string; count: number; instance: string }>()
  for (const { line, instance } of lines) {
    const first = line.split('\n', 1)[0]!.slice(0, longestLine)
    const key = first.replaceAll(/[0-9a-f]{8,}|\d+/gi, '#')
    const known = kinds.get(key)
    if (known) known.count++
    else kinds.set(key, { line: first, count: 1, instance })
  }
  return [...kinds.values()].toSorted((one, other) => other.count - one.count)
}

function textOf({ name, atMs, durationMs, apps, requestId, status }: TraceSummary): string {
  const through = apps.length > 1 ? `, through ${apps.join(', ')}` : ''
  return `${name} failed${status === undefined ? '' : ` with ${status}`} at ${new Date(atMs).toISOString().slice(11, 19)} UTC after ${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms${through}.${requestId === undefined ? '' : ` pavior why ${requestId}`}`
}
