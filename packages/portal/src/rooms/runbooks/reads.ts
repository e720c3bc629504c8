/** What pages about runbooks share. */
import type { Resource, RunbookRunSpec, RunbookRunStatus, RunbookSpec, RunbookStatus, RunbookStepState } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import type { Tone } from '../../pieces/status.tsx'

export type Runbook = Resource<RunbookSpec, RunbookStatus>
export type Run = Resource<RunbookRunSpec, RunbookRunStatus>

export const libraryQuery = queryOptions({ queryKey: ['runbook-library'], staleTime: Infinity, queryFn: async ({ signal }) => (await get<{ items: { name: string; spec: RunbookSpec }[] }>('/v1/runbooks/library', signal)).items })

export function runbookPath(team: string, name: string): string {
  return `/runbooks/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
}

export function runPath(team: string, run: string): string {
  return `/runbooks/${encodeURIComponent(team)}/runs/${encodeURIComponent(run)}`
}

const phases: Record<string, Tone> = { Running: 'busy', Waiting: 'warn', Succeeded: 'good', Stopped: 'idle', Failed: 'bad', Canceled: 'idle' }
const states: Record<RunbookStepState['state'], Tone> = { Pending: 'idle', Running: 'busy', Waiting: 'warn', Done: 'good', Failed: 'bad', Skipped: 'idle' }

export function phaseOf({ spec, status }: Run): { word: string; tone: Tone } {
  const word = status?.phase ?? 'Running'
  return { word: spec.dryRun ? `${word}, dry run` : word, tone: phases[word] ?? 'idle' }
}

export function toneOfStep(state: RunbookStepState['state']): Tone {
  return states[state]
}

export function personText(name: string | undefined): string {
  return (name ?? '').replace(/^user:/, '')
}

/** How far it is to be trusted. */
export function trustOf({ status }: Runbook): { word: string; tone: Tone } {
  if (status?.stale) return { word: 'Stale', tone: 'warn' }
  if (status?.lastSuccessAt) return { word: 'Proven', tone: 'good' }
  return { word: status?.lastRunAt ? 'Unproven' : 'Never tried', tone: 'idle' }
}
