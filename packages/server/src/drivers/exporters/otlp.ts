/** OpenTelemetry over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { decode, encode, type ExportBatch, type Exporter } from '../../rooms/telemetry/exports/ports.ts'
import { jsonOf, resourceLogs, resourceMetrics, resourceSpans } from './otlp-messages.ts'
import { post } from './post.ts'

const pack = promisify(gzip)
/** Quick, because there is much of it. */
const gzipLevel = 1

const forms = {
  metrics: { request: 'ExportMetricsServiceRequest', response: 'ExportMetricsServiceResponse', rejected: 'rejectedDataPoints' },
  logs: { request: 'ExportLogsServiceRequest', response: 'ExportLogsServiceResponse', rejected: 'rejectedLogRecords' },
  traces: { request: 'ExportTraceServiceRequest', response: 'ExportTraceServiceResponse', rejected: 'rejectedSpans' },
} as const

export const otlp: Exporter = async (target, batch, signal) => {
  const { url, protocol = 'protobuf', gzip: packed = true } = target.spec.otlp!
  const { request, response, rejected } = forms[batch.signal]
  const json = protocol === 'json'
  const message = messageOf(batch)
  const plain = json ? Buffer.from(jsonOf(message)) : await encode(request, message)
  const headers = { 'content-type': json ? 'application/json' : 'application/x-protobuf', ...(packed ? { 'content-encoding': 'gzip' } : {}) }
  const answer = await post(target, `${url.replace(/\/+$/, '')}/v1/${batch.signal}`, headers, packed ? await pack(plain, { level: gzipLevel }) : plain, signal)
  return { answer: `It answered ${answer.status}.`, rejected: await rejectedIn(answer.body, json, response, rejected) }
}

function messageOf(batch: ExportBatch): object {
  if (batch.signal === 'metrics') return { resourceMetrics: resourceMetrics(batch.series) }
  return batch.signal === 'logs' ? { resourceLogs: resourceLogs(batch.lines) } : { resourceSpans: resourceSpans(batch.spans) }
}

/** An answer that cannot be read rejects nothing. */
async function rejectedIn(body: Buffer, json: boolean, response: (typeof forms)[keyof typeof forms]['response'], field: string): Promise<number> {
  if (body.length === 0) return 0
  try {
    const { partialSuccess } = (json ? JSON.parse(body.toString('utf8')) : await decode(response, body)) as { partialSuccess?: Record<string, unknown> }
    const count = partialSuccess?.[field]
    return Number(typeof count === 'object' && count !== null ? (count as { low: number }).low : (count ?? 0)) || 0
  } catch {
    return 0
  }
}
