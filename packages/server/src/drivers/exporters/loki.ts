/** Push API of Loki: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs */
import { logLevels } from '@pavior/contract'
import type { Exporter, SentLine } from '../../rooms/telemetry/exports/ports.ts'
import { post } from './post.ts'

export const loki: Exporter = async (target, batch, signal) => {
  if (batch.signal !== 'logs') throw new Error('Loki takes logs only')
  const { url, metadata = false } = target.spec.loki!
  const body = Buffer.from(JSON.stringify({ streams: streamsOf(batch.lines, metadata) }))
  const { status } = await post(target, `${url.replace(/\/+$/, '')}/loki/api/v1/push`, { 'content-type': 'application/json' }, body, signal)
  return { answer: `It answered ${status}.`, rejected: 0 }
}

type Entry = [nanoseconds: string, line: string, metadata?: Record<string, string>]

/** Exported for tests. */
export function streamsOf(lines: readonly SentLine[], metadata: boolean): { stream: Record<string, string>; values: Entry[] }[] {
  const streams = new Map<string, { stream: Record<string, string>; values: Entry[] }>()
  for (const line of lines) {
    const stream = labelsOf(line)
    const key = JSON.stringify(stream)
    const known = streams.get(key) ?? { stream, values: [] }
    streams.set(key, known)
    const more = metadata ? metadataOf(line) : {}
    known.values.push(Object.keys(more).length > 0 ? [nanosecondsOf(line), line.body, more] : [nanosecondsOf(line), line.body])
  }
  return [...streams.values()]
}

/** Few values each: a stream for each combination is what Loki is slow with. */
function labelsOf({ level, from: { team, app, environment, process, instance, sender } }: SentLine): Record<string, string> {
  const given = { team, app, environment, process, instance: instance ?? sender, level: logLevels[level - 1] }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as Record<string, string>
}

/** Loki takes two lines of one text and time for one: the place in its source tells them apart, and the same line sent twice is one again. */
function nanosecondsOf({ atMs, seq }: SentLine): string {
  return `${atMs}${String(seq % 1_000_000).padStart(6, '0')}`
}

function metadataOf({ requestId, traceId, attributes = {}, from: { release } }: SentLine): Record<string, string> {
  const given = { ...attributes, request_id: requestId, trace_id: traceId, release }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined).map(([name, value]) => [name.replaceAll(/[^a-zA-Z0-9_]/g, '_'), typeof value === 'object' ? JSON.stringify(value) : String(value)]))
}
