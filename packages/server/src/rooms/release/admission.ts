/** What a Deployment may say depends on who says it and on what was before: rules that a schema cannot hold. */
import { fail, type DeploymentSpec, type EnvironmentSpec } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import { mayAct, type About, type Resources } from '../../kernel/resources/index.ts'
import type { AdmissionRequest } from '../../kernel/resources/resources.ts'
import { byApp, type Deployment } from './context.ts'
import { deployment } from './kinds.ts'
import { filled } from './measure.ts'
import type { MetricReadings } from './ports.ts'

/** A query that cannot be read is refused where it is declared, and not found out by a rollout. */
export function createRolloutRules(check: MetricReadings['check']): (request: AdmissionRequest) => Promise<void> {
  return async ({ verb, kind, object }) => {
    if ((kind.kind !== 'Environment' && kind.kind !== 'Deployment') || verb === 'delete') return
    const { rollout } = object.spec as Pick<EnvironmentSpec, 'rollout'>
    for (const { query } of rollout?.judge?.queries ?? []) await check(filled(query, { team: 'team', app: 'app', environment: 'environment', release: 2, stable: 1 }))
  }
}

export function createDeploymentRules(resources: () => Pick<Resources, 'list'>): (request: AdmissionRequest) => Promise<void> {
  return async ({ actor, verb, kind, object, previous }) => {
    if (kind.kind !== 'Deployment' || verb === 'delete' || actor.kind === 'system') return
    const team = object.metadata.namespace!
    const next = object.spec as DeploymentSpec
    if (next.override && next.override.reason !== (previous?.spec as DeploymentSpec | undefined)?.override?.reason) mayOverride(actor, team, { name: object.metadata.name, spec: next })
    if (verb === 'create' && next.rollbackTo && !(await servedBefore(resources(), team, next))) {
      throw fail('INVALID', { message: `v${next.release} of ${next.app} never served in ${next.environment}, so it cannot be rolled back to.`, fix: 'Leave out rollbackTo, or choose a release that served there.' })
    }
  }
}

/** Freezes and soak times may be passed by those who answer for the team. */
function mayOverride(actor: Actor, team: string, about: About): void {
  if (mayAct(actor, 'override', deployment, team, about)) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not override a freeze in team ${team}.`, why: 'It takes the role admin, or one that may override Deployments.', fix: `Ask an administrator of team ${team}.` })
}

/** A rollback passes every gate, so it leads only to where the environment was before. */
async function servedBefore(resources: Pick<Resources, 'list'>, team: string, { app, environment, release }: DeploymentSpec): Promise<boolean> {
  const deployments = await byApp<Deployment>(resources as Resources, 'Deployment', team, app)
  return deployments.some(({ spec, status }) => spec.environment === environment && spec.release === release && status?.phase === 'Succeeded')
}
