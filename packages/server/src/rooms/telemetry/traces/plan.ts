/** What the spans of a request tell: where its time went, and what happened, in sentences. Pure. */
import type { RequestLogLine, Span, TimeShare, Why } from '@pavior/contract'

/** A span with a share of less is not worth a word. */
const leastShare = 0.02
const mostShares = 6
/** A release that is younger than this when a request fails is worth a word. */
const youngMs = 3600_000
const longestQuote = 200

/** Time that each span spent by itself: without what went by in spans below it, which may overlap. */
export function ownTimes(spans: readonly Span[]): Map<string, number> {
  const children = new Map<string, Span[]>()
  for (const span of spans) {
    if (span.parentId === undefined) continue
    const own = children.get(span.parentId)
    if (own) own.push(span)
    else children.set(span.parentId, [span])
  }
  return new Map(spans.map((span) => [span.spanId, Math.max(0, span.durationMs - covered(span, children.get(span.spanId) ?? []))]))
}

/** Milliseconds of a span during which at least one of the others went on. */
function covered({ atMs, durationMs }: Span, others: readonly Span[]): number {
  const pieces = others
    .map((other) => ({ from: Math.max(atMs, other.atMs), until: Math.min(atMs + durationMs, other.atMs + other.durationMs) }))
    .filter(({ from, until }) => until > from)
    .sort((one, other) => one.from - other.from)
  let sum = 0
  let reached = -Infinity
  for (const { from, until } of pieces) {
    sum += Math.max(0, until - Math.max(from, reached))
    reached = Math.max(reached, until)
  }
  return sum
}

/** The span and everything below it, as far as it is known. A chain that bites its tail ends. */
export function below(spans: readonly Span[], spanId: string): Span[] {
  const found = new Map<string, Span>()
  let wanted = new Set([spanId])
  while (wanted.size > 0) {
    const next = spans.filter((span) => !found.has(span.spanId) && (wanted.has(span.spanId) || (span.parentId !== undefined && wanted.has(span.parentId))))
    for (const span of next) found.set(span.spanId, span)
    wanted = new Set(next.map((span) => span.spanId))
  }
  return [...found.values()]
}

/** Where the time of a request went, the largest part first: on the way in, in each span by itself, on the way out. */
export function timesOf(root: Span, spans: readonly Span[]): TimeShare[] {
  const whole = root.durationMs
  if (whole <= 0) return []
  const work = below(spans, root.spanId).filter(({ spanId }) => spanId !== root.spanId)
  const own = ownTimes(work)
  const parts: TimeShare[] = work.map((span) => ({ what: `${span.name} in ${span.team === root.team ? span.app : `${span.team}/${span.app}`}`, ms: own.get(span.spanId)!, share: 0, spanId: span.spanId }))
  const routed = root.request
  if (routed) {
    const sentMs = routed.sentMs ?? whole
    const answeredMs = routed.answeredMs ?? whole
    parts.push({ what: routed.woke ? `waking ${root.app}, and taking the request in` : 'taking the request in', ms: sentMs, share: 0 })
    const inside = covered({ ...root, atMs: root.atMs + sentMs, durationMs: answeredMs - sentMs }, work)
    if (answeredMs > sentMs) parts.push({ what: work.length === 0 ? `${root.app}, until its answer began` : `${root.app}, outside of what it traces`, ms: answeredMs - sentMs - inside, share: 0 })
    parts.push({ what: 'passing the answer on', ms: Math.max(0, whole - answeredMs), share: 0 })
  } else parts.push({ what: `${root.name} by itself`, ms: Math.max(0, whole - covered(root, work)), share: 0 })
  return parts
    .map((part) => ({ ...part, ms: rounded(part.ms), share: Math.min(1, part.ms / whole) }))
    .filter(({ share }) => share >= leastShare)
    .sort((one, other) => other.share - one.share)
    .slice(0, mostShares)
}

export interface Known {
  root: Span
  spans: readonly Span[]
  times: readonly TimeShare[]
  logs: readonly RequestLogLine[]
  release: Why['release']
  /** The 95th percentile of the app around then; undefined when there were too few requests. */
  usualMs: number | undefined
}

/** The most telling first. */
export function findingsOf({ root, spans, times, logs, release, usualMs }: Known): string[] {
  const first = firstFailure(root, spans)
  const [most] = times
  return [
    outcome(root),
    ...(root.request ? waysOf(root.request, root.app) : []),
    ...(usualMs !== undefined && root.durationMs > usualMs * 1.5 ? [`That is ${(root.durationMs / usualMs).toFixed(1)} times as long as 95 % of the requests of ${root.app} took around then (${duration(usualMs)}).`] : []),
    ...(first ? [`The first thing that failed: ${first.name} in ${first.app}${reasonOf(first)}.`] : []),
    ...(most && most.share >= 0.3 && root.durationMs >= 10 ? [`${Math.round(most.share * 100)} % of the time, ${duration(most.ms)}, went by in ${most.what}.`] : []),
    ...worstLog(logs),
    ...(release ? [aboutRelease(root, release)] : []),
  ]
}

function outcome({ request, name, durationMs, failed, app, instance, message }: Span): string {
  if (!request) return `${name} of ${app} ${failed ? `failed${message ? ` (${quote(message)})` : ''}` : 'went well'} after ${duration(durationMs)}.`
  const what = `${request.method} ${request.path}`
  if (request.error !== undefined) return `${what} got ${request.status} from the router in place of ${app} after ${duration(durationMs)}: ${request.error}.`
  if (request.status === 499) return `Whoever sent ${what} went away after ${duration(durationMs)}, before the answer was there.`
  return `${what} got ${request.status} from ${instance ?? app} after ${duration(durationMs)}.`
}

function waysOf({ woke, tries, sentMs, bytesIn, fault, error }: NonNullable<Span['request']>, app: string): string[] {
  return [
    ...(fault === undefined ? [] : [error === 'FAULT_INJECTED' ? `The game day ${fault} wanted this answer: it was made on purpose.` : `The game day ${fault} held it up on purpose, before it went to ${app}.`]),
    ...(woke ? [`${app} was asleep and had to be woken first.`] : []),
    ...(tries > 1 ? [`It went to ${tries} instances, one after the other, because the first was not to be reached.`] : []),
    ...(sentMs !== undefined && sentMs > 1000 && bytesIn > 10_000 && !woke ? [`Its body of ${Math.round(bytesIn / 1000)} kB took ${duration(sentMs)} to arrive.`] : []),
  ]
}

/** The earliest failure that nothing below it explains. */
function firstFailure(root: Span, spans: readonly Span[]): Span | undefined {
  const failed = below(spans, root.spanId).filter((span) => span.failed && span.spanId !== root.spanId)
  const parents = new Set(failed.map(({ parentId }) => parentId))
  return failed.filter(({ spanId }) => !parents.has(spanId)).sort((one, other) => one.atMs - other.atMs)[0]
}

function reasonOf({ message, events }: Span): string {
  const exception = events.find(({ name }) => name === 'exception')?.attributes
  const type = typeof exception?.['exception.type'] === 'string' ? exception['exception.type'] : ''
  const text = typeof exception?.['exception.message'] === 'string' ? exception['exception.message'] : (message ?? '')
  const said = [type, text].filter(Boolean).join(': ')
  return said === '' ? '' : `, with ${quote(said)}`
}

const levels = ['fatal', 'error', 'warn']

function worstLog(logs: readonly RequestLogLine[]): string[] {
  const level = levels.find((one) => logs.some((line) => line.level === one))
  const worst = logs.find((line) => line.level === level)
  return worst ? [`${worst.app} logged ${quote(worst.line)} (${worst.level}).`] : []
}

function aboutRelease({ atMs, failed, app }: Span, { version, deployedAt, deployedBy, commit, message }: NonNullable<Why['release']>): string {
  const age = deployedAt === undefined ? undefined : Math.max(0, atMs - Date.parse(deployedAt))
  const origin = [commit === undefined ? '' : `commit ${commit.slice(0, 7)}${message ? ` ${quote(message)}` : ''}`, deployedBy === undefined ? '' : `by ${deployedBy}`].filter(Boolean).join(', ')
  const release = `release v${version} of ${app}${origin === '' ? '' : ` (${origin})`}`
  if (age === undefined) return `It ran on ${release}.`
  return failed && age < youngMs ? `It ran on ${release}, which had been there for ${span(age)} only: look there first.` : `It ran on ${release}, which had been there for ${span(age)}.`
}

function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return `“${line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line}”`
}

/** 1.24 s, 35 ms, 0.4 ms. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toFixed(1))} ms`
}

/** 4 minutes, 3 hours, 2 days. */
function span(ms: number): string {
  const [count, unit] = ms < 90_000 ? [Math.round(ms / 1000), 'second'] : ms < 5_400_000 ? [Math.round(ms / 60_000), 'minute'] : ms < 129_600_000 ? [Math.round(ms / 3600_000), 'hour'] : [Math.round(ms / 86_400_000), 'day']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
