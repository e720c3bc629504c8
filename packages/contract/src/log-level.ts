/** What a line of a log says about how bad it is, whatever wrote it. Pure. */

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** From the least to the worst. */
export const logLevels: LogLevel[] = ['debug', 'info', 'warn', 'error']

const words: Record<string, LogLevel> = {
  trace: 'debug', debug: 'debug', verbose: 'debug', silly: 'debug',
  info: 'info', information: 'info', notice: 'info', log: 'info',
  warn: 'warn', warning: 'warn',
  error: 'error', err: 'error', fatal: 'error', critical: 'error', crit: 'error', alert: 'error', emerg: 'error', panic: 'error', severe: 'error',
}

/** Of a level as programs name it; undefined for a word that is none. */
export function logLevelNamed(word: string): LogLevel | undefined {
  const key = word.toLowerCase()
  return Object.hasOwn(words, key) ? words[key] : undefined
}

/** JSON: "level":"warn" or, as pino and bunyan write it, "level":40. */
const jsonLevel = /"(?:level|severity|lvl|loglevel|log\.level)"\s*:\s*(?:"([a-zA-Z]+)"|(\d{2}))/
/** logfmt: level=warn. */
const logfmtLevel = /(?:^|\s)(?:level|lvl|severity)="?([a-zA-Z]+)/
/** A word of its own near the beginning: `[ERROR]`, `WARN:`, `2026-01-31 12:00:00 INFO`. Lower case only in brackets or before a colon. */
const bareLevel = /(?:^|[\s[|])(TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC|SEVERE)(?=[\s\]:|]|$)|\[(trace|debug|info|notice|warn|warning|error|fatal)\]|^(debug|info|warn|warning|error|fatal):/
/** Stack traces and the names of exceptions. */
const failure = /^(?:\s+at .+[:)]\d*|Traceback \(most recent call last\)|[A-Za-z.]*(?:Error|Exception)\b.*:|npm (?:ERR!|error)|panic: |thread '.+' panicked)/
const looksNear = 160

/** Undefined when it says nothing. */
export function logLevelOf(line: string): LogLevel | undefined {
  const json = line.startsWith('{') ? jsonLevel.exec(line) : null
  if (json) return json[1] === undefined ? numbered(Number(json[2])) : logLevelNamed(json[1])
  const logfmt = logfmtLevel.exec(line)
  if (logfmt) return logLevelNamed(logfmt[1]!)
  const bare = bareLevel.exec(line.slice(0, looksNear))
  if (bare) return logLevelNamed((bare[1] ?? bare[2] ?? bare[3])!)
  return failure.test(line) ? 'error' : undefined
}

function numbered(level: number): LogLevel {
  return level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug'
}

// oxlint-disable-next-line no-control-regex -- the escape character is what it looks for
const escapes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])/g

/** Colours and cursor movements of terminals are no text. */
export function withoutEscapes(line: string): string {
  return line.includes('\u001b') ? line.replaceAll(escapes, '') : line
}
