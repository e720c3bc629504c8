/** What a repository is like, in one word. Pure. */
import type { ConfigRepoSpec, ConfigRepoStatus, Resource } from '@pavior/contract'
import type { Tone } from '../../pieces/status.tsx'

export type ConfigRepo = Resource<ConfigRepoSpec, ConfigRepoStatus>

const words: Record<string, { word: string; tone: Tone }> = {
  Synced: { word: 'In force', tone: 'good' },
  Drift: { word: 'Differs', tone: 'warn' },
  Invalid: { word: 'Refused', tone: 'bad' },
  Unreachable: { word: 'Unreachable', tone: 'bad' },
  Empty: { word: 'Empty', tone: 'idle' },
  Syncing: { word: 'Syncing', tone: 'busy' },
}

export function stateOf({ spec, status }: ConfigRepo): { word: string; tone: Tone } {
  if (spec.suspended) return { word: 'Suspended', tone: 'idle' }
  return words[status?.conditions?.find(({ type }) => type === 'Synced')?.reason ?? ''] ?? { word: 'New', tone: 'busy' }
}

export function repositoryPath(team: string, name: string): string {
  return `/repositories/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
}
