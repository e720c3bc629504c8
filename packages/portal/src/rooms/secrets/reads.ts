/** What the pages of secrets read, and how they say it. */
import type { Resource, Rotation, SecretAccess, SecretSpec, SecretStatus } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import type { Tone } from '../../pieces/status.tsx'

export type Secret = Resource<SecretSpec, SecretStatus>

export function secretApi({ metadata }: Secret, rest: string): string {
  return `/v1/teams/${encodeURIComponent(metadata.namespace!)}/secrets/${encodeURIComponent(metadata.name)}/${rest}`
}

/** Read again whenever the secret says that something happened to it. */
export const accessQuery = (secret: Secret) =>
  queryOptions({
    queryKey: ['secrets', 'access', secret.metadata.uid, secret.metadata.resourceVersion],
    queryFn: ({ signal }) => get<{ items: SecretAccess[] }>(secretApi(secret, 'access'), signal),
    placeholderData: (before) => before,
  })

export function whereText({ environments, previews }: SecretSpec): string {
  if (environments === undefined) return previews ? 'all environments' : 'all but previews'
  return [...environments, ...(previews ? ['previews'] : [])].join(', ') || 'nowhere'
}

/** When the version in force was stored. */
export function currentSince({ status }: Secret): string | undefined {
  return status?.versions?.find(({ version }) => version === status.version)?.at
}

export interface State {
  word: string
  tone: Tone
  text: string
}

const rotationTones: Record<Rotation['phase'], Tone> = { RollingOut: 'busy', Succeeded: 'good', Reverted: 'warn', Failed: 'bad' }
const words: Record<string, string> = { Expired: 'Expired', ExpiresWithin3Days: 'Expires soon', ExpiresWithin14Days: 'Expires soon', RotationDue: 'Due', NoValue: 'No value' }

/** Is it fine? What is worst comes first. */
export function stateOf({ status = {} }: Secret): State {
  const { rotation, problem, conditions = [] } = status
  if (rotation?.phase === 'RollingOut') return { word: 'Rolling out', tone: 'busy', text: rotation.message }
  if (problem) return { word: 'Store fails', tone: 'bad', text: problem.message }
  const due = conditions.find(({ type }) => type === 'Fresh')
  if (due?.status === 'False') return { word: words[due.reason] ?? due.reason, tone: due.reason === 'Expired' || due.reason === 'ExpiresWithin3Days' ? 'bad' : due.reason === 'NoValue' ? 'idle' : 'warn', text: due.message }
  if (rotation && rotation.phase !== 'Succeeded') return { word: 'Taken back', tone: rotationTones[rotation.phase], text: rotation.message }
  return { word: 'Fresh', tone: 'good', text: rotation?.message ?? '' }
}

export const versionTones: Record<string, Tone> = { current: 'good', previous: 'idle', stored: 'busy', rejected: 'bad', revoked: 'idle' }
export const targetTones: Record<string, Tone> = { pending: 'busy', refused: 'warn', underway: 'busy', watched: 'good', done: 'good', failed: 'bad', left: 'warn' }
