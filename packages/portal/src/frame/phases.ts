/** What the phases of a Deployment mean for those who look at it. Pure. */
import type { DeploymentStatus } from '@pavior/contract'

export type Phase = NonNullable<DeploymentStatus['phase']>

const ended: ReadonlySet<string> = new Set<Phase>(['Succeeded', 'Failed', 'RolledBack', 'Superseded', 'Canceled'])
const wrong: ReadonlySet<string> = new Set<Phase>(['Failed', 'RolledBack'])
/** Nothing of what serves has been touched. */
const early: ReadonlySet<string> = new Set<Phase>(['Pending', 'Waiting', 'Releasing', 'Starting'])
/** Traffic is on the new release, and the way back is open. */
const abortable: ReadonlySet<string> = new Set<Phase>(['Shifting', 'Completing', 'Watching'])

export function isOver(phase: string | undefined): boolean {
  return ended.has(phase ?? '')
}

/** It did not become what serves, and somebody should know why. */
export function wentWrong(phase: string | undefined): boolean {
  return wrong.has(phase ?? '')
}

/** Its platform is at work on it: what waits for people or a time is not. */
export function isUnderway(phase: string | undefined): boolean {
  return phase !== undefined && phase !== 'Waiting' && !ended.has(phase)
}

/** How it can still be stopped; undefined when it cannot. */
export function stopOf(phase: string | undefined): 'cancel' | 'abort' | undefined {
  if (early.has(phase ?? 'Pending')) return 'cancel'
  return abortable.has(phase ?? '') ? 'abort' : undefined
}
