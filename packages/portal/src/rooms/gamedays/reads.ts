/** What pages about game days share. */
import type { GameDaySpec, GameDayStatus, GameDayStep, GameDayStepState, Resource } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get, post } from '../../frame/api.ts'
import type { Tone } from '../../pieces/status.tsx'

export type GameDay = Resource<GameDaySpec, GameDayStatus>
export type LibraryItem = { name: string; spec: Omit<GameDaySpec, 'app' | 'environment'> }

export const libraryQuery = queryOptions({ queryKey: ['gameday-library'], staleTime: Infinity, queryFn: async ({ signal }) => (await get<{ items: LibraryItem[] }>('/v1/gamedays/library', signal)).items })

export function gameDayPath({ metadata }: Pick<GameDay, 'metadata'>): string {
  return `/gamedays/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

export function perform({ metadata }: GameDay, act: 'start' | 'stop' | 'again' | 'verdict', body?: object): Promise<GameDay> {
  return post<GameDay>(`/v1/teams/${encodeURIComponent(metadata.namespace!)}/gamedays/${encodeURIComponent(metadata.name)}/${act}`, body)
}

const states: Record<string, Tone> = { Planned: 'idle', Running: 'busy', Finished: 'good', Aborted: 'bad', Stopped: 'warn' }
const stepStates: Record<GameDayStepState['state'], Tone> = { Pending: 'idle', Running: 'busy', Settling: 'busy', Done: 'good', Cut: 'bad', Skipped: 'idle' }
const stepWords: Record<GameDayStepState['state'], string> = { Pending: 'To come', Running: 'At work', Settling: 'Recovering', Done: 'Done', Cut: 'Cut short', Skipped: 'Left out' }

export function stateOf({ status }: Pick<GameDay, 'status'>): { word: string; tone: Tone } {
  const word = status?.state ?? 'Planned'
  return { word, tone: states[word] ?? 'idle' }
}

export function stepStateOf(state: GameDayStepState['state']): { word: string; tone: Tone } {
  return { word: stepWords[state], tone: stepStates[state] }
}

export function isOver({ status }: Pick<GameDay, 'status'>): boolean {
  return status?.state === 'Finished' || status?.state === 'Aborted' || status?.state === 'Stopped'
}

export function verdictOf({ spec }: Pick<GameDay, 'spec'>): { word: string; tone: Tone } | undefined {
  return spec.verdict && (spec.verdict.result === 'held' ? { word: 'Held', tone: 'good' } : { word: 'Refuted', tone: 'warn' })
}

export function personText(name: string | undefined): string {
  return (name ?? '').replace(/^(user|token):/, '')
}

/** What a step does, before it has a state that says so. */
export function stepText({ name, latency, errors, kill, cpu, memory, seconds }: GameDayStep): string {
  if (name !== undefined) return name
  if (latency) return `${latency.percent} % of the requests wait ${latency.ms} ms`
  if (errors) return `${errors.percent} % of the requests get ${errors.status}`
  if (kill) return `${kill.instances ?? 1} of the instances killed`
  if (cpu) return `${cpu.cores} cores busy`
  if (memory) return `${memory.percent} % of the memory in use`
  return `the control plane away for ${seconds} s`
}
