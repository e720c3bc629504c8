/**
 * The messages of OTLP and of Prometheus' remote write, read and written. Field numbers are those of
 * https://github.com/open-telemetry/opentelemetry-proto (v1) and https://github.com/prometheus/prometheus/blob/main/prompb (remote write 1.0).
 * Only what is used is described; everything else is skipped.
 */
import { fail } from '@pavior/contract'
import type protobuf from 'protobufjs'

/** `name: [type, number]`, with `*` behind the type for repeated fields. */
type Fields = Record<string, [type: string, id: number]>

const moment: Fields = { startTimeUnixNano: ['fixed64', 2], timeUnixNano: ['fixed64', 3] }

const messages = {
  ExportMetricsServiceRequest: { resourceMetrics: ['ResourceMetrics*', 1] },
  ExportMetricsServiceResponse: { partialSuccess: ['PartialMetrics', 1] },
  PartialMetrics: { rejectedDataPoints: ['int64', 1], errorMessage: ['string', 2] },
  ResourceMetrics: { resource: ['Resource', 1], scopeMetrics: ['ScopeMetrics*', 2] },
  Resource: { attributes: ['KeyValue*', 1] },
  ScopeMetrics: { metrics: ['Metric*', 2] },
  Metric: { name: ['string', 1], description: ['string', 2], unit: ['string', 3], gauge: ['Data', 5], sum: ['Data', 7], histogram: ['HistogramData', 9], exponentialHistogram: ['ExponentialData', 10], summary: ['SummaryData', 11] },
  Data: { dataPoints: ['NumberPoint*', 1], aggregationTemporality: ['int32', 2], isMonotonic: ['bool', 3] },
  HistogramData: { dataPoints: ['HistogramPoint*', 1], aggregationTemporality: ['int32', 2] },
  ExponentialData: { dataPoints: ['ExponentialPoint*', 1], aggregationTemporality: ['int32', 2] },
  SummaryData: { dataPoints: ['SummaryPoint*', 1] },
  NumberPoint: { ...moment, asDouble: ['double', 4], asInt: ['sfixed64', 6], attributes: ['KeyValue*', 7], flags: ['uint32', 8] },
  HistogramPoint: { ...moment, count: ['fixed64', 4], sum: ['double', 5], bucketCounts: ['fixed64*', 6], explicitBounds: ['double*', 7], attributes: ['KeyValue*', 9], flags: ['uint32', 10] },
  ExponentialPoint: {
    attributes: ['KeyValue*', 1], ...moment, count: ['fixed64', 4], sum: ['double', 5], scale: ['sint32', 6], zeroCount: ['fixed64', 7],
    positive: ['Buckets', 8], negative: ['Buckets', 9], flags: ['uint32', 10], zeroThreshold: ['double', 14],
  },
  Buckets: { offset: ['sint32', 1], bucketCounts: ['uint64*', 2] },
  SummaryPoint: { ...moment, count: ['fixed64', 4], sum: ['double', 5], quantileValues: ['Quantile*', 6], attributes: ['KeyValue*', 7], flags: ['uint32', 8] },
  Quantile: { quantile: ['double', 1], value: ['double', 2] },
  KeyValue: { key: ['string', 1], value: ['AnyValue', 2] },
  AnyValue: { stringValue: ['string', 1], boolValue: ['bool', 2], intValue: ['int64', 3], doubleValue: ['double', 4], arrayValue: ['Values', 5], kvlistValue: ['KeyValues', 6], bytesValue: ['bytes', 7] },
  Values: { values: ['AnyValue*', 1] },
  KeyValues: { values: ['KeyValue*', 1] },

  ExportLogsServiceRequest: { resourceLogs: ['ResourceLogs*', 1] },
  ExportLogsServiceResponse: { partialSuccess: ['PartialLogs', 1] },
  PartialLogs: { rejectedLogRecords: ['int64', 1], errorMessage: ['string', 2] },
  ResourceLogs: { resource: ['Resource', 1], scopeLogs: ['ScopeLogs*', 2] },
  ScopeLogs: { scope: ['Scope', 1], logRecords: ['LogRecord*', 2] },
  Scope: { name: ['string', 1], version: ['string', 2] },
  LogRecord: {
    timeUnixNano: ['fixed64', 1], observedTimeUnixNano: ['fixed64', 11], severityNumber: ['int32', 2], severityText: ['string', 3],
    body: ['AnyValue', 5], attributes: ['KeyValue*', 6], traceId: ['bytes', 9], spanId: ['bytes', 10], eventName: ['string', 12],
  },

  ExportTraceServiceRequest: { resourceSpans: ['ResourceSpans*', 1] },
  ExportTraceServiceResponse: { partialSuccess: ['PartialSpans', 1] },
  PartialSpans: { rejectedSpans: ['int64', 1], errorMessage: ['string', 2] },
  ResourceSpans: { resource: ['Resource', 1], scopeSpans: ['ScopeSpans*', 2] },
  ScopeSpans: { scope: ['Scope', 1], spans: ['Span*', 2] },
  Span: {
    traceId: ['bytes', 1], spanId: ['bytes', 2], parentSpanId: ['bytes', 4], name: ['string', 5], kind: ['int32', 6], startTimeUnixNano: ['fixed64', 7],
    endTimeUnixNano: ['fixed64', 8], attributes: ['KeyValue*', 9], events: ['SpanEvent*', 11], links: ['SpanLink*', 13], status: ['SpanStatus', 15],
  },
  SpanEvent: { timeUnixNano: ['fixed64', 1], name: ['string', 2], attributes: ['KeyValue*', 3] },
  SpanLink: { traceId: ['bytes', 1], spanId: ['bytes', 2] },
  SpanStatus: { message: ['string', 2], code: ['int32', 3] },

  WriteRequest: { timeseries: ['TimeSeries*', 1], metadata: ['WrittenMetadata*', 3] },
  TimeSeries: { labels: ['Label*', 1], samples: ['Sample*', 2] },
  Label: { name: ['string', 1], value: ['string', 2] },
  // A double in truth: the bits of a NaN tell whether a series ended, and only those of an integer are kept.
  Sample: { value: ['fixed64', 1], timestamp: ['int64', 2] },
  WrittenMetadata: { type: ['int32', 1], metricFamilyName: ['string', 2], help: ['string', 4], unit: ['string', 5] },
} satisfies Record<string, Fields>

export type MessageName = keyof typeof messages

let types: Promise<protobuf.Root> | undefined

async function typeOf(name: MessageName): Promise<protobuf.Type> {
  types ??= import('protobufjs').then(({ default: library }) => {
    const nested = Object.entries<Fields>(messages).map(([message, fields]) => [message, { fields: Object.fromEntries(Object.entries(fields).map(([field, [type, id]]) => [field, type.endsWith('*') ? { rule: 'repeated', type: type.slice(0, -1), id } : { type, id }])) }])
    return library.Root.fromJSON({ nested: Object.fromEntries(nested) })
  })
  return (await types).lookupType(name)
}

/** Throws BAD_REQUEST for bytes that are no such message. */
export async function decode(name: MessageName, bytes: Uint8Array): Promise<unknown> {
  const type = await typeOf(name)
  try {
    return type.decode(bytes)
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `The body is not a protobuf message ${name}.`, why: (error as Error).message.slice(0, 200) })
  }
}

export async function encode(name: MessageName, message: object): Promise<Buffer> {
  return Buffer.from((await typeOf(name)).encode(message).finish())
}
