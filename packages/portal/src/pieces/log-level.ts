/** What a line of a log says about how bad it is, whatever wrote it. Pure. */

export type Level = 'error' | 'warn' | 'info' | 'debug'

/** From the least to the worst. */
export const levels: Level[] = ['debug', 'info', 'warn', 'error']

const words: Record<string, Level> = {
  trace: 'debug', debug: 'debug', verbose: 'debug', silly: 'debug',
  info: 'info', information: 'info', notice: 'info', log: 'info',
  warn: 'warn', warning: 'warn',
  error: 'error', err: 'error', fatal: 'error', critical: 'error', crit: 'error', alert: 'error', emerg: 'error', panic: 'error', severe: 'error',
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

export function levelOf(line: string): Level | undefined {
  const json = line.startsWith('{') ? jsonLevel.exec(line) : null
  if (json) return json[1] === undefined ? numbered(Number(json[2])) : words[json[1].toLowerCase()]
  const logfmt = logfmtLevel.exec(line)
  if (logfmt) return words[logfmt[1]!.toLowerCase()]
  const bare = bareLevel.exec(line.slice(0, looksNear))
  if (bare) return words[(bare[1] ?? bare[2] ?? bare[3])!.toLowerCase()]
  return failure.test(line) ? 'error' : undefined
}

function numbered(level: number): Level {
  return level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug'
}

// oxlint-disable-next-line no-control-regex -- the escape character is what it looks for
const escapes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])/g

/** Colours and cursor movements of terminals are no text. */
export function withoutEscapes(line: string): string {
  return line.includes('\u001b') ? line.replaceAll(escapes, '') : line
}
