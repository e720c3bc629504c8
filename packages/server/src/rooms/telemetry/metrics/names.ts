/**
 * Names as Prometheus has them. Pure. Rules: "Prometheus and OpenMetrics Compatibility" of the OpenTelemetry specification
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/), with the units of its collector.
 */
import type { Labels } from './store.ts'

/** What the platform itself says about a point. A label of such a name that comes in is kept as `exported_<name>`. */
export const ownLabels = ['team', 'app', 'environment', 'release', 'instance'] as const
export type OwnLabels = Partial<Record<(typeof ownLabels)[number], string>>

/** Metrics of the platform's own begin so. */
const ownPrefix = 'pavior_'

/** What the platform says about an endpoint that it asks, as Prometheus names it. */
const scrapeNames = new Set(['up', 'scrape_duration_seconds', 'scrape_samples_scraped'])

/** Series of such a name are made by the platform, and do not count against an app. */
export function isOwnName(name: string): boolean {
  return name.startsWith(ownPrefix) || scrapeNames.has(name)
}

const units: Record<string, string> = {
  d: 'days', h: 'hours', min: 'minutes', s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds',
  By: 'bytes', KiBy: 'kibibytes', MiBy: 'mebibytes', GiBy: 'gibibytes', TiBy: 'tibibytes', KBy: 'kilobytes', MBy: 'megabytes', GBy: 'gigabytes', TBy: 'terabytes',
  m: 'meters', V: 'volts', A: 'amperes', J: 'joules', W: 'watts', g: 'grams', Cel: 'celsius', Hz: 'hertz', '1': '', '%': 'percent',
}
const unitsPer: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year' }

export type Shape = 'counter' | 'gauge' | 'other'

/** Of an OpenTelemetry metric: with its unit and `_total` behind it, in letters, digits and underscores. */
export function metricName(name: string, unit: string, shape: Shape): string {
  const tokens = name.split(/[^a-zA-Z0-9:]+/).filter(Boolean)
  const add = (word: string): void => {
    if (word && !tokens.includes(word)) tokens.push(word)
  }
  const [main = '', per, more] = unit.split('/').map((part) => part.replace(/\{[^}]*\}/g, '').trim())
  for (const word of wordsOf(units[main] ?? main)) add(word)
  if (per && more === undefined && !tokens.includes('per')) for (const word of ['per', ...wordsOf(unitsPer[per] ?? per)]) tokens.push(word)
  if (shape === 'counter') return asName([...tokens.filter((token) => token !== 'total'), 'total'])
  if (shape === 'gauge' && unit === '1') return asName([...tokens.filter((token) => token !== 'ratio'), 'ratio'])
  return asName(tokens)
}

function wordsOf(text: string): string[] {
  return text.split(/[^a-zA-Z0-9]+/).filter(Boolean)
}

function asName(tokens: string[]): string {
  const name = tokens.join('_') || '_'
  return /^[0-9]/.test(name) ? `_${name}` : name
}

/** Of anything that came in: what is not allowed in a name becomes an underscore, and nobody takes the platform's names. */
export function incomingName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_:]/g, '_')
  if (plain.startsWith(ownPrefix)) return `exported_${plain}`
  return /^[0-9]/.test(plain) || plain === '' ? `_${plain}` : plain
}

/** The same few names come with every point. */
const knownNames = new Map<string, string>()
const mostKnownNames = 10_000

/** Of a label that came in: what is not allowed becomes an underscore, and what the platform says itself is not overwritten. */
function labelName(name: string): string {
  let known = knownNames.get(name)
  if (known === undefined) {
    const plain = name.replace(/[^a-zA-Z0-9_]/g, '_')
    known = /^[0-9]/.test(plain) || plain === '' ? `key_${plain}` : plain === '__name__' || (ownLabels as readonly string[]).includes(plain) ? `exported_${plain}` : plain
    if (knownNames.size >= mostKnownNames) knownNames.clear()
    knownNames.set(name, known)
  }
  return known
}

/** Text that can be stored: no U+0000, no halves of characters. */
function clean(text: string): string {
  if (!/[\0\ud800-\udfff]/.test(text)) return text
  return Buffer.from(text.replaceAll('\0', '\ufffd'), 'utf8').toString('utf8')
}

/** Labels of a series, sorted, with the platform's over those that came. Several that become one name are put together, as the specification has it. Empty ones are none. */
export function labelsOf(name: string, given: Iterable<readonly [name: string, value: string]>, own: OwnLabels): Labels {
  const all: [string, string][] = [['__name__', name]]
  for (const [rawName, rawValue] of given) {
    if (rawValue === '') continue
    const key = labelName(rawName)
    const value = clean(rawValue)
    const before = all.find(([known]) => known === key)
    if (before) before[1] += `;${value}`
    else all.push([key, value])
  }
  // Those that came in never have such a name.
  for (const label of ownLabels) {
    const value = own[label]
    if (value) all.push([label, value])
  }
  return all.sort(([one], [other]) => (one < other ? -1 : 1))
}
