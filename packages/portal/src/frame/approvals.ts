/** Deployments that wait for somebody to agree, and who may. */
import type { EnvironmentSpec, Resource } from '@pavior/contract'
import { useMemo } from 'react'
import type { Deployment } from './apps.ts'
import { useCollection, useNewest } from './collections.ts'
import { mayAs, type Session } from './session.ts'

export type Environment = Resource<EnvironmentSpec>

export function waitsForApproval({ status, spec }: Deployment): boolean {
  return status?.phase === 'Waiting' && spec.canceled !== true && status.waitingFor?.some(({ gate }) => gate === 'approval') === true
}

/** Whether it is theirs to say; that nobody approves a change of their own is for the server to tell. */
export function mayApprove(session: Session, { metadata, status }: Deployment, environment: Environment | undefined): boolean {
  const role = environment?.spec.protection?.approvals?.role ?? 'developer'
  return holds(session, role, metadata.namespace!) && !status?.approvals?.some(({ by }) => by === session.name)
}

function holds(session: Session, role: string, team: string): boolean {
  return mayAs(session, role === 'developer' ? role : 'admin', team) || session.grants?.some((grant) => grant.role === role && (grant.team ?? team) === team) === true
}

export interface Approvals {
  /** Newest first. */
  waiting: { deployment: Deployment; may: boolean }[]
  loading: boolean
}

/** Of one team, or of all that the person may read. */
export function useApprovals(session: Session, team: string | undefined): Approvals {
  const { items, loading } = useCollection<Deployment>('deployments', { team, fieldSelector: 'status.phase=Waiting' })
  const environments = useCollection<Environment>('environments', { team })
  const newest = useNewest(items)
  const waiting = useMemo(
    () =>
      newest.filter(waitsForApproval).map((deployment) => {
        const { metadata, spec } = deployment
        const environment = environments.items.find((each) => each.metadata.namespace === metadata.namespace && each.metadata.name === spec.environment)
        return { deployment, may: mayApprove(session, deployment, environment) }
      }),
    [newest, environments.items, session],
  )
  return { waiting, loading: loading || environments.loading }
}
