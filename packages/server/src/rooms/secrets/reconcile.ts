/**
 * `secrets`: warns of ends, notes the last read, and destroys the values of a deleted secret.
 * `secret-rotations`: follows a version that was put in force through the apps of its team, and takes it back when one fails.
 */
import type { AppSpec, AppStatus, DeploymentSpec, DeploymentStatus, EnvironmentSpec, InstanceSetSpec, ReleaseSpec, Resource } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { withTransition } from '../../kernel/conditions.ts'
import type { Database } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, itself, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { valuesFinalizer } from './admission.ts'
import { secret as secretKind } from './kinds.ts'
import { afterFailure, dueOf, planRotation, refsFor, type Running, type Secret } from './plan.ts'
import { destroyValues, lastRead } from './store.ts'

const actor = systemActor('secrets')
export const secretsController = 'secrets'
/** Looked at this often at least, because clocks are set. */
const lookAgainMs = 6 * 3600_000
const inUseAgainMs = 5000

export interface ReconcileDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  clock: Clock
}

export function createSecretReconciler(deps: ReconcileDeps): Reconciler {
  const { resources, database, events, clock } = deps
  return {
    name: secretsController,
    concurrency: 2,
    interests: [itself(secretKind)],
    reconcile: async (text) => {
      const key = { kind: 'Secret', ...splitKey(text) }
      const secret = await resources.get<Secret>(actor, key)
      if (!secret) return done
      if (secret.metadata.deletionTimestamp) return letGo(deps, secret)
      const now = clock.now()
      const { condition, nextAt } = dueOf(secret, now)
      const before = secret.status?.conditions?.find(({ type }) => type === condition.type)
      const read = await lastRead(database, secret.metadata.uid)
      const status = (current: Secret): Secret['status'] => ({
        ...current.status,
        ...(read === undefined ? {} : { lastReadAt: read.toISOString() }),
        conditions: [withTransition(condition, current.status?.conditions, now.toISOString())],
        observedGeneration: secret.metadata.generation,
      })
      await resources.mutate<Secret>(actor, key, (current) => ({ ...current!, status: status(current!) }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
      const warns = condition.status === 'False' && condition.reason !== 'NoValue'
      if (warns && before?.reason !== condition.reason) await events.record(secret, 'Warning', condition.reason, condition.message, 'secrets')
      return after(nextAt === undefined ? lookAgainMs : Math.min(lookAgainMs, nextAt - now.getTime()))
    },
  }
}

/** Values are destroyed when nothing runs with them any more. */
async function letGo({ resources, database }: ReconcileDeps, { metadata }: Secret): Promise<Outcome> {
  if (!metadata.finalizers?.includes(valuesFinalizer)) return done
  if ((await usersOf(resources, metadata.namespace!, metadata.uid)).length > 0) return after(inUseAgainMs)
  await destroyValues(database, metadata.uid)
  await resources
    .mutate<Secret>(actor, { kind: 'Secret', namespace: metadata.namespace!, name: metadata.name }, (current) => ({ ...current!, metadata: { ...current!.metadata, finalizers: (current!.metadata.finalizers ?? []).filter((name) => name !== valuesFinalizer) } }))
    .catch(ignore('NOT_FOUND'))
  return done
}

/** Instance sets that have a secret, in this version or in any. */
export async function usersOf(resources: Resources, team: string, uid: string, version?: number): Promise<string[]> {
  const sets = await resources.listAll<Resource<InstanceSetSpec>>(actor, 'InstanceSet', team)
  return sets.filter(({ spec }) => spec.secrets?.some((ref) => ref.uid === uid && (version === undefined || ref.version === version))).map(({ metadata }) => metadata.name)
}

type App = Resource<AppSpec, AppStatus>

/** By team: apps and secrets cross each other, and few teams rotate at once. */
export function createRotationReconciler(deps: ReconcileDeps): Reconciler {
  const { resources } = deps
  return {
    name: 'secret-rotations',
    concurrency: 2,
    interests: [
      { kind: 'Secret', keys: (object) => ((object as unknown as Secret).status?.rotation?.phase === 'RollingOut' ? [object.metadata.namespace!] : []) },
      { kind: 'App', keys: (object, previous) => (placesText(object) === placesText(previous) ? [] : [object.metadata.namespace!]) },
    ],
    reconcile: async (team) => {
      const fields = [{ path: 'status.rotation.phase', operator: '=' as const, value: 'RollingOut' }]
      const rotating = await resources.listAll<Secret>(actor, 'Secret', team, { fields })
      if (rotating.length === 0) return done
      const secrets = await resources.listAll<Secret>(actor, 'Secret', team)
      const places = await placesOf(resources, team)
      for (const secret of rotating) await follow(deps, secret, await runningOf(resources, team, secret, secrets, places))
      return done
    },
  }
}

function placesText(app: Resource | undefined): string {
  return JSON.stringify((app as App | undefined)?.status?.environments ?? {})
}

interface PlaceOf {
  app: string
  environment: string
  tier: string
  release: number
  deployment: string
  refused: string | undefined
}

/** Everything of the team that serves. */
async function placesOf(resources: Resources, team: string): Promise<PlaceOf[]> {
  const environments = new Map((await resources.listAll<Resource<EnvironmentSpec>>(actor, 'Environment', team)).map(({ metadata, spec }) => [metadata.name, spec.tier]))
  const apps = await resources.listAll<App>(actor, 'App', team)
  return apps.flatMap(({ metadata, status }) =>
    Object.entries(status?.environments ?? {}).flatMap(([environment, { release, deployment, refused }]) =>
      release === undefined || deployment === undefined ? [] : [{ app: metadata.name, environment, tier: environments.get(environment) ?? 'production', release, deployment, refused: refused?.message }],
    ),
  )
}

async function runningOf(resources: Resources, team: string, { metadata }: Secret, secrets: Secret[], places: PlaceOf[]): Promise<Running[]> {
  const bound = places.filter((place) => refsFor(secrets, place).some(({ uid }) => uid === metadata.uid))
  const versionIn = async (app: string, release: number): Promise<number | undefined> => {
    const found = await resources.get<Resource<ReleaseSpec>>(actor, { kind: 'Release', namespace: team, name: `${app}-v${release}` })
    return found?.spec.secrets?.find(({ uid }) => uid === metadata.uid)?.version
  }
  return Promise.all(
    bound.map(async ({ app, environment, release, deployment, refused }) => {
      const newest = await resources.get<Resource<DeploymentSpec, DeploymentStatus>>(actor, { kind: 'Deployment', namespace: team, name: deployment })
      return {
        app,
        environment,
        serving: await versionIn(app, release),
        refused,
        newest: {
          name: deployment,
          version: newest && (await versionIn(app, newest.spec.release)),
          endedAt: newest?.status?.finishedAt,
          rollback: newest?.spec.rollbackTo === true,
          createdAt: newest?.metadata.creationTimestamp ?? '',
          phase: newest?.status?.phase ?? 'Pending',
          message: newest?.status?.problem?.message ?? newest?.status?.message ?? '',
        },
      }
    }),
  )
}

async function follow({ resources, events, clock }: ReconcileDeps, secret: Secret, running: Running[]): Promise<void> {
  const seen = secret.status!.rotation!
  const step = planRotation(seen, running)
  const now = clock.now().toISOString()
  let applied = false
  await resources
    .mutate<Secret>(
      actor,
      { kind: 'Secret', namespace: secret.metadata.namespace!, name: secret.metadata.name },
      (current) => {
        const { rotation } = current!.status ?? {}
        // Another version was put in force meanwhile: that rotation is looked at by itself.
        applied = rotation?.phase === 'RollingOut' && rotation.startedAt === seen.startedAt && rotation.version === seen.version
        if (!applied) return current!
        if (step.type === 'failed') return { ...current!, status: afterFailure(current!.status!, step, now) }
        const ended = step.type === 'succeeded' ? { phase: 'Succeeded' as const, finishedAt: now } : {}
        return { ...current!, status: { ...current!.status, rotation: { ...rotation!, ...ended, targets: step.targets, message: step.message } } }
      },
      { subresource: 'status' },
    )
    .catch(ignore('NOT_FOUND'))
  if (!applied || step.type === 'goesOn') return
  if (step.type === 'failed') await events.record(secret, 'Warning', 'RotationReverted', step.message, 'secrets')
  else await events.record(secret, 'Normal', 'Rotated', step.message, 'secrets')
}
