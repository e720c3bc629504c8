/** Pure: which advisories of OSV (https://ossf.github.io/osv-schema/) concern a component. */
import { compare as comparePython, valid as validPython } from '@renovatebot/pep440'
import type { ArtifactComponent, Severity, VulnerabilityFinding } from '@pavior/contract'
import semver from 'semver'
import { cvssScore, severityOfScore } from './cvss.ts'

export interface OsvEvent {
  introduced?: string
  fixed?: string
  last_affected?: string
  limit?: string
}

export interface OsvAffected {
  package?: { ecosystem?: string; name?: string }
  ranges?: { type?: string; events?: OsvEvent[] }[]
  versions?: string[]
  ecosystem_specific?: { severity?: unknown }
  database_specific?: { severity?: unknown }
}

export interface Advisory {
  id: string
  aliases?: string[]
  modified: string
  withdrawn?: string
  summary?: string
  details?: string
  severity?: { type?: string; score?: string }[]
  affected?: OsvAffected[]
  database_specific?: { severity?: unknown }
}

type Compare = (one: string, other: string) => number

/** By how an ecosystem orders its versions; undefined where only listed versions can be told. */
function comparerOf(ecosystem: string): { compare: Compare; valid: (version: string) => boolean } | undefined {
  if (ecosystem === 'PyPI') return { compare: comparePython, valid: (version) => validPython(version) !== null }
  const plain = (version: string): string => version.replace(/^v/, '')
  if (['npm', 'Go', 'crates.io'].includes(ecosystem)) return { compare: (one, other) => semver.compare(plain(one), plain(other), true), valid: (version) => semver.valid(plain(version), true) !== null }
  if (['RubyGems', 'Packagist', 'Maven'].includes(ecosystem)) return { compare: compareSegments, valid: (version) => /^\d+(\.\d+)*$/.test(version) }
  return undefined
}

/** Versions that are numbers only are ordered alike everywhere. */
function compareSegments(one: string, other: string): number {
  const [left, right] = [one.split('.').map(Number), other.split('.').map(Number)]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

export type Hit = { affected: boolean; certain: boolean; fixed?: string }

/** Whether a version is in what is affected; not certain when a range could not be compared. */
export function hitOf(version: string, ecosystem: string, { versions = [], ranges = [] }: OsvAffected): Hit {
  const comparer = comparerOf(ecosystem)
  const usable = ranges.filter(({ type }) => type === 'SEMVER' || type === 'ECOSYSTEM')
  const fixes = usable.flatMap(({ events = [] }) => events.flatMap(({ fixed }) => fixed ?? []))
  const listed = versions.includes(version) || versions.includes(version.replace(/^v/, ''))
  if (listed) return { affected: true, certain: true, ...fixFor(version, fixes, comparer) }
  if (usable.length === 0) return { affected: false, certain: true }
  const bounds = usable.flatMap(({ events = [] }) => events.flatMap((event) => Object.values(event) as string[])).filter((bound) => bound !== '0' && bound !== '*')
  if (!comparer || !comparer.valid(version) || bounds.some((bound) => !comparer.valid(bound))) {
    // With a list of versions, one that is not on it is not affected.
    return versions.length > 0 ? { affected: false, certain: true } : { affected: true, certain: false }
  }
  const inside = usable.some(({ events = [] }) => isInside(version, events, comparer.compare))
  return inside ? { affected: true, certain: true, ...fixFor(version, fixes, comparer) } : { affected: false, certain: true }
}

/** The algorithm of the schema: events in the order of versions switch between affected and not. */
function isInside(version: string, events: readonly OsvEvent[], compare: Compare): boolean {
  const at = (bound: string, other: string): number => (bound === '0' ? -1 : compare(bound, other))
  const boundOf = (event: OsvEvent): string => event.introduced ?? event.fixed ?? event.last_affected ?? event.limit ?? '0'
  const sorted = events.toSorted((one, other) => (boundOf(one) === '0' ? -1 : boundOf(other) === '0' ? 1 : compare(boundOf(one), boundOf(other))))
  let affected = false
  for (const { introduced, fixed, last_affected: last } of sorted) {
    if (introduced !== undefined && at(introduced, version) <= 0) affected = true
    if (fixed !== undefined && at(fixed, version) <= 0) affected = false
    if (last !== undefined && at(last, version) < 0) affected = false
  }
  const limits = events.flatMap(({ limit }) => (limit === undefined || limit === '*' ? [] : [limit]))
  return affected && (limits.length === 0 || limits.some((limit) => compare(version, limit) < 0))
}

/** The lowest mended version above this one. */
function fixFor(version: string, fixes: readonly string[], comparer: ReturnType<typeof comparerOf>): { fixed?: string } {
  if (!comparer || !comparer.valid(version)) return fixes[0] === undefined ? {} : { fixed: fixes[0] }
  const above = fixes.filter((fix) => comparer.valid(fix) && comparer.compare(fix, version) > 0).toSorted(comparer.compare)
  return above[0] === undefined ? {} : { fixed: above[0] }
}

export function severityOf({ severity = [], affected = [], database_specific: own }: Advisory): Severity {
  const said = [own?.severity, ...affected.flatMap(({ database_specific: database, ecosystem_specific: ecosystem }) => [database?.severity, ecosystem?.severity])].find((one): one is string => typeof one === 'string')
  const words: Record<string, Severity> = { CRITICAL: 'critical', HIGH: 'high', MODERATE: 'medium', MEDIUM: 'medium', LOW: 'low' }
  if (said !== undefined && words[said.toUpperCase()]) return words[said.toUpperCase()]!
  const scores = severity.flatMap(({ score }) => (score === undefined ? [] : (cvssScore(score) ?? [])))
  return scores.length === 0 ? 'unknown' : severityOfScore(Math.max(...scores))
}

const order: readonly Severity[] = ['critical', 'high', 'unknown', 'medium', 'low']
const longestSummary = 300

/** Findings of these components, the worst first; two advisories about one hole are one finding. */
export function findingsOf(components: readonly ArtifactComponent[], advisories: readonly Advisory[]): VulnerabilityFinding[] {
  const byPackage = new Map<string, { advisory: Advisory; affected: OsvAffected }[]>()
  for (const advisory of advisories) {
    if (advisory.withdrawn !== undefined) continue
    for (const affected of advisory.affected ?? []) {
      const key = `${affected.package?.ecosystem} ${affected.package?.name}`
      byPackage.set(key, [...(byPackage.get(key) ?? []), { advisory, affected }])
    }
  }
  const found = components.flatMap((component) => concerning(component, byPackage.get(`${component.ecosystem} ${component.name}`) ?? []))
  return merged(found).toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity) || (one.id < other.id ? -1 : 1))
}

function concerning({ ecosystem, name, version, purl }: ArtifactComponent, entries: readonly { advisory: Advisory; affected: OsvAffected }[]): VulnerabilityFinding[] {
  return entries.flatMap(({ advisory, affected }) => {
    const hit = hitOf(version, ecosystem.split(':', 1)[0]!, affected)
    if (!hit.affected) return []
    const { id, aliases = [], summary, details = '' } = advisory
    return [{ id, aliases, severity: severityOf(advisory), summary: (summary ?? details.split('\n', 1)[0] ?? '').slice(0, longestSummary), component: { ecosystem, name, version, purl }, certain: hit.certain, ...(hit.fixed === undefined ? {} : { fixed: hit.fixed }) }]
  })
}

/** PYSEC, GO and RUSTSEC tell again what GHSA tells: the one that knows how bad it is stays. */
function merged(findings: readonly VulnerabilityFinding[]): VulnerabilityFinding[] {
  const kept: VulnerabilityFinding[] = []
  for (const finding of findings.toSorted((one, other) => Number(one.severity === 'unknown') - Number(other.severity === 'unknown'))) {
    const names = new Set([finding.id, ...finding.aliases])
    const same = kept.find((other) => other.component.purl === finding.component.purl && [other.id, ...other.aliases].some((name) => names.has(name)))
    if (!same) kept.push(finding)
    else {
      same.aliases = [...new Set([...same.aliases, ...names])].filter((name) => name !== same.id)
      same.certain ||= finding.certain
    }
  }
  return kept
}
