/** Deployments and incidents as marks in charts. Pure. */
import type { IncidentSpec, IncidentStatus, Resource } from '@pavior/contract'
import { wentWrong } from '../frame/phases.ts'
import type { Deployment } from '../frame/apps.ts'
import type { Marker } from './time-series.tsx'

type Incident = Resource<IncidentSpec, IncidentStatus>

/** By when they ended. `named`: with the app, where there are several. */
export function deploymentMarkers(deployments: readonly Deployment[], named = false): Marker[] {
  return deployments.flatMap(({ spec, status }): Marker[] => {
    if (!status?.finishedAt || (status.phase !== 'Succeeded' && !wentWrong(status.phase))) return []
    return [{ at: Date.parse(status.finishedAt) / 1000, label: named ? `${spec.app} v${spec.release}` : `v${spec.release}`, tone: status.phase === 'Succeeded' ? 'good' : 'bad' }]
  })
}

/** From the first bad minute until users were well again; one that lasts goes on to `now`, in seconds. */
export function incidentMarkers(incidents: readonly Incident[], now: number): Marker[] {
  return incidents.map(({ metadata, spec, status = {} }) => {
    const ended = status.mitigatedAt ?? status.resolvedAt ?? status.closedAt
    return { at: Date.parse(status.startedAt ?? status.detectedAt ?? metadata.creationTimestamp) / 1000, until: ended === undefined ? now : Date.parse(ended) / 1000, label: `${metadata.name} ${spec.severity}`, tone: 'bad' }
  })
}

/** In the order in which they are drawn. */
export function inTime(markers: Marker[]): Marker[] {
  return markers.toSorted((one, other) => one.at - other.at)
}
