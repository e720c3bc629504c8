/** Which deployments a person is told about: those of their teams that came to an end, failures first. Pure. */
import type { DeploymentSpec, DeploymentStatus, Resource } from '@pavior/contract'
import { wentWrong } from './phases.ts'

export type Deployment = Resource<DeploymentSpec, DeploymentStatus>

const mostShown = 20

export function hasEnded({ status }: Deployment): boolean {
  return status?.finishedAt !== undefined && (status.phase === 'Succeeded' || wentWrong(status.phase))
}

/** Whose deployments these are: the teams one is a member of; administrators without a team look at all. */
export function isMine({ metadata }: Pick<Deployment, 'metadata'>, { admin, roles }: { admin: boolean; roles: Record<string, unknown> }): boolean {
  return Object.keys(roles).length === 0 ? admin : (metadata.namespace ?? '') in roles
}

export interface Told {
  shown: Deployment[]
  /** Ended after `readAt`. */
  unread: number
}

/** Unread failures, then everything else, each with the newest first. */
export function toldAbout(deployments: Deployment[], readAt: string): Told {
  const ended = deployments.filter(hasEnded)
  const isUnread = ({ status }: Deployment): boolean => status!.finishedAt! > readAt
  const weight = (deployment: Deployment): number => (isUnread(deployment) && wentWrong(deployment.status!.phase) ? 1 : 0)
  const shown = ended.toSorted((one, other) => weight(other) - weight(one) || other.status!.finishedAt!.localeCompare(one.status!.finishedAt!)).slice(0, mostShown)
  return { shown, unread: ended.filter(isUnread).length }
}

/** Those that were going on in `before` (or were not there yet) and have ended now. */
export function justEnded(before: ReadonlySet<string>, now: Deployment[]): Deployment[] {
  return now.filter((deployment) => hasEnded(deployment) && !before.has(deployment.metadata.uid))
}
