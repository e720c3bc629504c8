/** How a team fares with incidents over some days. Pure. */
import { incidentSeverities, type IncidentSeverity, type PostmortemSpec, type PostmortemStatus, type ReliabilityFigures, type Resource, type SpanFigures } from '@pavior/contract'
import type { Incident } from '../incidents/types.ts'
import { isRequired } from './draft.ts'

const dayMs = 24 * 3600_000

export function figuresOf(incidents: readonly Incident[], postmortems: readonly Resource<PostmortemSpec, PostmortemStatus>[], days: number, now: Date): ReliabilityFigures {
  const since = now.getTime() - days * dayMs
  const recent = incidents.filter(({ metadata, status }) => Date.parse(status?.detectedAt ?? metadata.creationTimestamp) >= since)
  const names = new Set(recent.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  const written = postmortems.filter(({ metadata, spec }) => names.has(`${metadata.namespace}/${spec.incident}`))
  const published = new Set(written.filter(({ spec }) => spec.state === 'Published').map(({ metadata, spec }) => `${metadata.namespace}/${spec.incident}`))
  const needed = recent.filter((one) => one.status?.state === 'Closed' && isRequired(one))
  const sum = (of: 'open' | 'done' | 'overdue'): number => postmortems.reduce((total, { status }) => total + (status?.actions?.[of] ?? 0), 0)
  return {
    days,
    incidents: recent.length,
    bySeverity: Object.fromEntries(incidentSeverities.map((severity) => [severity, recent.filter(({ spec }) => spec.severity === severity).length])) as Record<IncidentSeverity, number>,
    detect: spanOf(recent.flatMap(({ status }) => status?.seconds?.detect ?? [])),
    acknowledge: spanOf(recent.flatMap(({ status }) => status?.seconds?.acknowledge ?? [])),
    restore: spanOf(recent.flatMap(({ status }) => status?.seconds?.restore ?? [])),
    postmortems: { required: needed.length, published: needed.filter(({ metadata }) => published.has(`${metadata.namespace}/${metadata.name}`)).length },
    actions: { open: sum('open'), done: sum('done'), overdue: sum('overdue') },
    repeats: recent.filter(({ status }) => status?.repeatOf !== undefined).length,
  }
}

/** The smallest value that so large a share of all is not above. */
export function spanOf(seconds: readonly number[]): SpanFigures {
  if (seconds.length === 0) return { count: 0 }
  const sorted = seconds.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return { count: sorted.length, median: at(0.5), p90: at(0.9) }
}
