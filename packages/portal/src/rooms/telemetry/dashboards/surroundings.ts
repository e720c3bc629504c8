/** What stands around the queries of a dashboard: figures of resources, and marks of what changed. */
import type { DashboardSpec, Figures, IncidentSpec, IncidentStatus, Resource } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get } from '../../../frame/api.ts'
import type { Deployment } from '../../../frame/apps.ts'
import { useCollection } from '../../../frame/collections.ts'
import { useLatest } from '../../../frame/latest.ts'
import { deploymentMarkers, incidentMarkers, inTime } from '../../../pieces/change-markers.ts'
import type { Marker } from '../../../pieces/time-series.tsx'
import type { PanelPlace } from './answer.ts'

/** As they are, and again whenever a deployment, an incident, an alert or an objective changed. */
export function useFigures({ team, time }: PanelPlace, { panels }: DashboardSpec): Figures | undefined {
  const wanted = panels.some(({ figure }) => figure !== undefined)
  const base = `/v1/teams/${encodeURIComponent(team)}/figures`
  const { fixed, lengthMs } = time
  const moving = useLatest<Figures>(wanted && !fixed ? `${base}?follow=1&minutes=${lengthMs / 60_000}` : undefined)
  const past = useQuery({ queryKey: ['figures', team, fixed], queryFn: ({ signal }) => get<Figures>(`${base}?from=${fixed!.from}&until=${fixed!.until}`, signal), enabled: wanted && fixed !== undefined })
  return fixed ? past.data : moving.value
}

/** Deployments and incidents of the app that is chosen, or of all apps of the team. */
export function useMarkers({ team, values: { app, environment }, time }: PanelPlace): Marker[] {
  const selector = app === undefined ? {} : { fieldSelector: `spec.app=${app}` }
  const { items: deployments } = useCollection<Deployment>('deployments', { team, ...selector })
  const { items: incidents } = useCollection<Resource<IncidentSpec, IncidentStatus>>('incidents', { team, ...selector })
  return useMemo(() => {
    const here = <R extends { spec: { environment?: string } }>(items: R[]): R[] => items.filter(({ spec }) => environment === undefined || spec.environment === undefined || spec.environment === environment)
    return inTime([...deploymentMarkers(here(deployments), app === undefined), ...incidentMarkers(here(incidents), time.until)]).filter(({ at, until = at }) => until >= time.from && at <= time.until)
  }, [deployments, incidents, app, environment, time.from, time.until])
}
