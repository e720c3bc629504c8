/** What pages about alerts read, and how they say it. */
import type { AlertSpec, AlertStatus, NotificationChannelSpec, NotificationChannelStatus, NotificationRow, OnCallScheduleSpec, OnCallScheduleStatus, OnCallShift, Resource, SilenceSpec } from '@pavior/contract'
import { channelTypes } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import type { Tone } from '../../pieces/status.tsx'

export type Alert = Resource<AlertSpec, AlertStatus>
export type Silence = Resource<SilenceSpec>
export type Channel = Resource<NotificationChannelSpec, NotificationChannelStatus>
export type Schedule = Resource<OnCallScheduleSpec, OnCallScheduleStatus>
export type Shift = OnCallShift & { nobody?: true }

const ranks: Record<string, number> = { Firing: 0, Acknowledged: 1, Resolved: 2 }

export function stateOf({ spec, status = {} }: Alert): { word: string; tone: Tone } {
  const { state = 'Firing', quiet } = status
  if (state === 'Acknowledged') return { word: 'Taken', tone: 'busy' }
  if (state === 'Resolved') return { word: 'Over', tone: 'good' }
  return quiet ? { word: 'Quiet', tone: 'idle' } : { word: 'Firing', tone: spec.severity === 'page' ? 'bad' : 'warn' }
}

/** What fires and nobody has first; pages before tickets, the newest first. */
export function byUrgency(one: Alert, other: Alert): number {
  const rank = ({ spec, status }: Alert): number => ranks[status?.state ?? 'Firing']! * 4 + (status?.quiet ? 2 : 0) + Number(spec.severity !== 'page')
  return rank(one) - rank(other) || (other.status?.since ?? '').localeCompare(one.status?.since ?? '')
}

export function alertPath({ metadata }: Pick<Alert, 'metadata'>): string {
  return `/alerts/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

export function channelPath({ metadata }: Pick<Channel, 'metadata'>): string {
  return `/channels/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

export function typeOf({ spec }: Channel): string {
  return channelTypes.find((type) => spec[type] !== undefined) ?? ''
}

/** `user:ada` as people say it. */
export function person(name: string | undefined): string {
  return (name ?? '').replace(/^user:/, '')
}

export function isOver({ spec }: Silence, now: number): boolean {
  return spec.until !== undefined && Date.parse(spec.until) <= now
}

export function apiOf(kind: 'alerts' | 'notificationchannels' | 'oncall', { metadata }: Pick<Resource, 'metadata'>, rest: string): string {
  return `/v1/teams/${encodeURIComponent(metadata.namespace!)}/${kind}/${encodeURIComponent(metadata.name)}/${rest}`
}

const settlingMs = 3000

/** The delivery log: read again with each change of the resource, and while something is under way. */
export const logQuery = (kind: 'alerts' | 'notificationchannels', of: Alert | Channel | undefined) =>
  queryOptions({
    queryKey: ['notifications', kind, of?.metadata.uid, of?.metadata.resourceVersion],
    enabled: of !== undefined,
    queryFn: async ({ signal }) => (await get<{ items: NotificationRow[] }>(apiOf(kind, of!, 'notifications'), signal)).items,
    placeholderData: (before) => before,
    refetchInterval: ({ state }) => (state.data?.some(({ state: sent }) => sent === 'Queued' || sent === 'Sending') ? settlingMs : false),
  })

export const shiftsQuery = (schedule: Schedule | undefined, from: string, days: number, layer?: string) =>
  queryOptions({
    queryKey: ['shifts', schedule?.metadata.uid, schedule?.metadata.generation, from, days, layer],
    enabled: schedule !== undefined,
    queryFn: async ({ signal }) => (await get<{ items: Shift[] }>(apiOf('oncall', schedule!, `shifts?${new URLSearchParams({ from, days: String(days), ...(layer === undefined ? {} : { layer }) }).toString()}`), signal)).items,
    placeholderData: (before) => before,
  })
