/** Notes what people reach for the first time, from the resources that come of it. */
import type { DeploymentSpec, DeploymentStatus, ReleaseSpec, Resource, UserSpec } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Database } from '../../kernel/db/index.ts'
import { done, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { makerOfBuild, note } from './store.ts'

const actor = systemActor('product')

type Deployment = Resource<DeploymentSpec, DeploymentStatus>

export function createMilestoneReconcilers({ database, resources }: { database: Database; resources: Resources }): Reconciler[] {
  return [
    {
      name: 'first-deploys',
      concurrency: 2,
      interests: [{ kind: 'Deployment', keys: (object) => ((object as Deployment).status?.phase === 'Succeeded' ? [resourceKeyText(object)] : []) }],
      reconcile: async (key) => {
        const { namespace: team, name } = splitKey(key)
        const deployment = await resources.get<Deployment>(actor, { kind: 'Deployment', namespace: team, name })
        if (deployment?.status?.phase !== 'Succeeded' || !deployment.status.finishedAt) return done
        const { app, release } = deployment.spec
        const labels = Object.entries({ 'pavior.dev/app': app, 'pavior.dev/number': String(release) }).map(([label, value]) => ({ key: label, operator: 'In' as const, values: [value] }))
        const [made] = (await resources.list<Resource<ReleaseSpec>>(actor, 'Release', team, { labels, limit: 1 })).items
        const maker = made?.spec.build === undefined ? undefined : await makerOfBuild(database, team, made.spec.build)
        if (maker !== undefined) await note(database, maker, 'deployed', new Date(deployment.status.finishedAt))
        return done
      },
    },
    {
      name: 'invitations',
      concurrency: 1,
      interests: [{ kind: 'User', keys: (object) => [resourceKeyText(object)] }],
      reconcile: async (name) => {
        const user = await resources.get<Resource<UserSpec>>(actor, { kind: 'User', namespace: '', name })
        if (user) await note(database, name, 'invited', new Date(user.metadata.creationTimestamp))
        return done
      },
    },
  ]
}
