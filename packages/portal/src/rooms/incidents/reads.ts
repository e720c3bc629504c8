/** What pages about incidents read, and how they say it. */
import type { IncidentEntry, IncidentSpec, IncidentStatus, PostmortemSpec, PostmortemStatus, ReliabilityFigures, Resource } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { get, post } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { live } from '../../frame/live.ts'
import type { Tone } from '../../pieces/status.tsx'

export type Incident = Resource<IncidentSpec, IncidentStatus>
export type Postmortem = Resource<PostmortemSpec, PostmortemStatus>

const over = new Set(['Resolved', 'Closed'])
const stateTones: Record<string, Tone> = { Investigating: 'bad', Identified: 'warn', Mitigated: 'busy', Resolved: 'good', Closed: 'idle' }
const severityTones: Record<string, Tone> = { sev1: 'bad', sev2: 'bad', sev3: 'warn', sev4: 'idle' }

export function isOver({ status }: Incident): boolean {
  return over.has(status?.state ?? '')
}

export function stateOf({ status }: Incident): { word: string; tone: Tone } {
  const word = status?.state ?? 'Investigating'
  return { word, tone: stateTones[word] ?? 'idle' }
}

export function severityOf({ spec }: Incident): { word: string; tone: Tone } {
  return { word: spec.severity, tone: severityTones[spec.severity] ?? 'idle' }
}

export function sinceOf({ metadata, status }: Incident): string {
  return status?.startedAt ?? status?.detectedAt ?? metadata.creationTimestamp
}

export function incidentPath({ metadata }: Pick<Incident, 'metadata'>): string {
  return `/incidents/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

export function postmortemPath(team: string, name: string): string {
  return `/postmortems/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
}

/** Open ones first, the worst of them first; then the newest. */
export function byUrgency(one: Incident, other: Incident): number {
  return Number(isOver(one)) - Number(isOver(other)) || (isOver(one) ? 0 : one.spec.severity.localeCompare(other.spec.severity)) || sinceOf(other).localeCompare(sinceOf(one))
}

/** `user:ada` as people say it. */
export function who(actor: string | undefined): string {
  return actor?.replace(/^(user|token|system):/, '') ?? 'nobody'
}

export function spanText(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

export function act(team: string, name: string, verb: string, body: object = {}): Promise<Incident> {
  return post<Incident>(`/v1/teams/${encodeURIComponent(team)}/incidents/${encodeURIComponent(name)}/${verb}`, body)
}

export const figuresQuery = (team: string | undefined) =>
  queryOptions({
    queryKey: ['incident-figures', team],
    enabled: team !== undefined,
    queryFn: ({ signal }) => get<ReliabilityFigures>(`/v1/teams/${encodeURIComponent(team!)}/reliability/figures`, signal),
  })

/** Lines of a timeline as they come, the newest first; undefined until the first ones have arrived. */
export function useTimeline(team: string, name: string): IncidentEntry[] | undefined {
  const key = `${team}/${name}`
  const [found, setFound] = useState<{ key: string; entries: IncidentEntry[] }>()
  useEffect(() => {
    let entries: IncidentEntry[] = []
    let last = '0'
    return live.open({
      // Asked for again after a lost connection, from where it was.
      path: () => `/v1/teams/${encodeURIComponent(team)}/incidents/${encodeURIComponent(name)}/timeline?follow=1&after=${last}`,
      lines: (lines) => {
        const more = lines as IncidentEntry[]
        last = more.at(-1)!.id
        entries = [...entries, ...more].toSorted((one, other) => other.at.localeCompare(one.at) || Number(other.id) - Number(one.id))
        setFound({ key: `${team}/${name}`, entries })
      },
      ended: (error) => (error === undefined || (error.code ?? 500) >= 500 ? 'again' : 'closed'),
    })
  }, [team, name])
  return found?.key === key ? found.entries : undefined
}

/** Incidents of an app in an environment, open ones first, the worst of them first. */
export function useIncidentsOf({ team, app }: { team: string; app: string }, environment: string): Incident[] {
  const { items } = useCollection<Incident>('incidents', { team, fieldSelector: `spec.app=${app}` })
  return useMemo(() => items.filter((one) => (one.spec.environment ?? environment) === environment).toSorted(byUrgency), [items, environment])
}

export function useOpenIncidents(place: { team: string; app: string }, environment: string): Incident[] {
  return useIncidentsOf(place, environment).filter((one) => !isOver(one))
}
