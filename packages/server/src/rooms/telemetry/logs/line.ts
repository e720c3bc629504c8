/** What a line of a log is, and what can be read from its text. Pure. */
import { logLevelNamed, logLevelOf, logLevels, withoutEscapes, type LogLevel } from '@pavior/contract'

/** 0 not known, then as `logLevels`: 1 debug, 2 info, 3 warn, 4 error. */
export type LevelNumber = 0 | 1 | 2 | 3 | 4

export function levelNumber(level: LogLevel | undefined): LevelNumber {
  return (level === undefined ? 0 : logLevels.indexOf(level) + 1) as LevelNumber
}

export function levelName(number: number): LogLevel | undefined {
  return logLevels[number - 1]
}

/** Who wrote a line. */
export interface LineSource {
  team: string
  app: string
  environment: string
  release?: number
  process?: string
  /** Of ours. */
  instance?: string
  /** What a sender calls itself, when it is no instance of ours. */
  sender?: string
}

export interface Line {
  source: LineSource
  /** Milliseconds since the epoch. */
  atMs: number
  /** Order within the source. */
  seq: number
  level: LevelNumber
  body: string
  /** 32 hexadecimal digits. */
  traceId?: string
  requestId?: string
  /** Of OpenTelemetry's records; a line of JSON has them in itself. */
  attributes?: Record<string, unknown>
}

/** Longest body that is kept; the rest is cut off and said. */
export const longestBody = 64 * 1024
const longestRequestId = 200

const messageKeys = ['msg', 'message', 'body', 'event', '@message'] as const
const levelKeys = ['level', 'severity', 'lvl', 'loglevel', 'log.level', 'severity_text', 'severityText', 'levelname', '@l']
const traceKeys = ['trace_id', 'traceId', 'trace.id', 'otelTraceID', 'traceparent']
const requestKeys = ['request_id', 'requestId', 'reqId', 'req_id', 'request.id', 'x-request-id', 'http.request.id', 'correlation_id', 'correlationId']
/** In lines that are no JSON. */
const traceInText = /\b(?:trace_?id|trace\.id|traceparent)["']?\s?[=:]\s?["']?(?:[0-9a-f]{2}-)?([0-9a-f]{32})\b/i
const requestInText = /\b(?:request_?id|req_?id|x-request-id|correlation_?id)["']?\s?[=:]\s?["']?([\w.:/+-]{4,200})/i

/** What is said about a line beside its text. */
export type Facts = Pick<Line, 'level' | 'traceId' | 'requestId'>

/** Of a line as a program wrote it. */
export function factsOf(body: string): Facts {
  const json = objectIn(body)
  if (json) return factsOfJson(json, body)
  const trace = traceInText.exec(body)?.[1]
  const request = requestInText.exec(body)?.[1]
  return { level: levelNumber(logLevelOf(body)), ...(trace ? { traceId: trace.toLowerCase() } : {}), ...(request ? { requestId: request } : {}) }
}

function factsOfJson(json: Record<string, unknown>, body: string): Facts {
  const traceId = traceIdOf(firstOf(json, traceKeys) ?? nested(json, 'trace', 'id'))
  const request = firstOf(json, requestKeys) ?? nested(json, 'req', 'id') ?? nested(json, 'request', 'id') ?? nested(json, 'headers', 'x-request-id')
  const requestId = typeof request === 'string' && request.length <= longestRequestId ? request : typeof request === 'number' ? String(request) : undefined
  return { level: levelOfJson(firstOf(json, levelKeys), body), ...(traceId ? { traceId } : {}), ...(requestId ? { requestId } : {}) }
}

/** A number is as pino and bunyan have it. */
function levelOfJson(given: unknown, body: string): LevelNumber {
  if (typeof given === 'number') return given >= 50 ? 4 : given >= 40 ? 3 : given >= 30 ? 2 : 1
  return levelNumber(typeof given === 'string' ? logLevelNamed(given) : logLevelOf(body))
}

/** Undefined for what is none; a traceparent has it between dashes. */
export function traceIdOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined
  const digits = /^(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-|$)/i.exec(given)?.[1]?.toLowerCase()
  return digits === undefined || /^0+$/.test(digits) ? undefined : digits
}

function objectIn(body: string): Record<string, unknown> | undefined {
  if (body.charCodeAt(0) !== 123 || body.charCodeAt(body.length - 1) !== 125) return undefined
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function firstOf(json: Record<string, unknown>, keys: readonly string[]): unknown {
  for (const key of keys) if (json[key] !== undefined && json[key] !== null) return json[key]
  return undefined
}

function nested(json: Record<string, unknown>, outer: string, inner: string): unknown {
  const found = json[outer]
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[inner] : undefined
}

/** The message of a line of JSON, and what it says beside it; of any other line its text. */
export function messageOf(body: string): { message: string; attributes?: Record<string, unknown> } {
  const json = objectIn(body)
  const key = json && messageKeys.find((name) => typeof json[name] === 'string')
  if (!json || key === undefined) return json ? { message: body, attributes: json } : { message: body }
  const { [key]: message, ...attributes } = json
  return { message: message as string, attributes }
}

/** As it may be stored: no colours of terminals, no U+0000, and not longer than a line may be. */
export function storable(text: string): string {
  const plain = withoutEscapes(text).replaceAll('\0', '\ufffd')
  return plain.length <= longestBody ? plain : `${plain.slice(0, longestBody)} … [${plain.length - longestBody} characters cut off]`
}
