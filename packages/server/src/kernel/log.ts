import { pino, type Logger } from 'pino'

export type { Logger }

/** Names under which secrets travel; their values never reach a log line. */
const redactedPaths = ['token', 'password', 'secret', 'authorization', '*.token', '*.password', '*.secret', '*.authorization', 'req.headers.authorization', 'req.headers.cookie']

/** One JSON object a line on stdout; `level` silent in tests. */
export function createLog(level: string, part: string): Logger {
  return pino({ level, base: { part }, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths: redactedPaths, censor: '[redacted]' } })
}
