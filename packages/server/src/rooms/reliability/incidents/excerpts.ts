/** Copies of what telemetry has of an app's trouble, as evidence. */
import type { TraceSummary } from '@pavior/contract'
import type { Excerpts, Place } from './ports.ts'

export interface TelemetryExcerpts {
  /** Traces in which the app failed, latest first. */
  failedTraces: (place: Place, from: Date, until: Date, limit: number) => Promise<TraceSummary[]>
}

const shownTraces = 3

export function excerptsOf({ failedTraces }: TelemetryExcerpts): Excerpts {
  return async (place, from, until) =>
    (await failedTraces(place, from, until, shownTraces)).map((trace) => ({ source: 'traces', text: textOf(trace), data: { traceId: trace.traceId, ...(trace.requestId === undefined ? {} : { requestId: trace.requestId }), durationMs: trace.durationMs, apps: trace.apps } }))
}

function textOf({ name, atMs, durationMs, apps, requestId, status }: TraceSummary): string {
  const through = apps.length > 1 ? `, through ${apps.join(', ')}` : ''
  return `${name} failed${status === undefined ? '' : ` with ${status}`} at ${new Date(atMs).toISOString().slice(11, 19)} UTC after ${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms${through}.${requestId === undefined ? '' : ` pavior why ${requestId}`}`
}
