/** Outcomes, modes and phases as shape, word and colour. */
import type { PolicySpec } from '@pavior/contract'
import { Status, type Tone } from '../../pieces/status.tsx'

const tones: Record<string, Tone> = { kept: 'good', broken: 'bad', error: 'bad', exempt: 'warn', unknown: 'idle', enforce: 'good', warn: 'warn', audit: 'busy', off: 'idle', Requested: 'busy', Granted: 'good', Denied: 'bad', Expired: 'idle' }

export function Word({ word }: { word: string }) {
  return <Status word={word} tone={tones[word] ?? 'idle'} />
}

const severities: PolicySpec['severity'][] = ['low', 'medium', 'high', 'critical']

/** Sorts as people rank them. */
export function rankOf(severity: PolicySpec['severity']): number {
  return severities.indexOf(severity)
}
