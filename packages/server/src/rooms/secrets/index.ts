/** Door of room secrets: values that apps get and nobody reads. */
import type { EnvironmentSpec, Resource, SecretRef } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { WriteNote } from '../../kernel/audit/notes.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database, Tx } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createHandOut, openOwn, type HandOut, type OwnUse } from './hand-out.ts'
import { secret, secretStore } from './kinds.ts'
import { givenIn, type Given, type Secret } from './plan.ts'
import type { ExternalStore, MasterKeys } from './ports.ts'
import { createRotationReconciler, createSecretReconciler, secretsController } from './reconcile.ts'
import { createRekey } from './rekey.ts'
import { secretRoutes } from './routes.ts'
import { createStoreReconciler } from './stores.ts'
import { pruneAccesses, storedVersions } from './store.ts'

export { createSecretRules } from './admission.ts'
export type { HandOut, Reader } from './hand-out.ts'
export type { Given } from './plan.ts'
export const kinds = [secret, secretStore]

export interface SecretsDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  keys: MasterKeys
  audit: WriteNote
  store: ExternalStore
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string }[]) => Promise<void>
  /** For how long is kept who had to do with a secret. */
  keepAccessesMs: number
  clock: Clock
  log: Logger
}

export interface SecretsReads {
  /** What a release of the app would get in each of these environments now. */
  givenIn(team: string, app: string, environments: string[], tx?: Tx): Promise<Map<string, Given>>
  /** Those whose value does not exist any more: revoked, or of a secret that was removed. */
  missing(refs: readonly SecretRef[]): Promise<SecretRef[]>
  handOut: HandOut
  /** The value of a secret that the platform itself uses; undefined when there is none. */
  openOwn(use: OwnUse): Promise<string | undefined>
}

const system = systemActor('secrets')
const pruneEveryMs = 3600_000

export function createSecretsRoom(deps: SecretsDeps): Room<SecretsReads> {
  const { database, resources, keys, audit, request, log } = deps
  const handOut = createHandOut({
    database,
    keys,
    audit,
    onRead: (read) => void request([...new Set(read.map(({ team, name }) => `${team}/${name}`))].map((key) => ({ controller: secretsController, key }))).catch((error: Error) => log.warn({ err: error.message }, 'a read of a secret is not in its status yet')),
    log,
  })
  const rekey = createRekey({ database, keys, log })
  return {
    reconcilers: [createSecretReconciler(deps), createRotationReconciler(deps), createStoreReconciler({ ...deps, handOut })],
    routes: [secretRoutes({ ...deps, rekey })],
    parts: [rekey.part, createPruning(deps)],
    reads: {
      givenIn: async (team, app, environments, tx) => {
        const secrets = (await resources.list<Secret>(system, 'Secret', team, { limit: 0 }, tx)).items
        if (secrets.length === 0) return new Map(environments.map((environment) => [environment, { refs: [], mark: '' }]))
        const tiers = new Map((await resources.list<Resource<EnvironmentSpec>>(system, 'Environment', team, { limit: 0 }, tx)).items.map(({ metadata, spec }) => [metadata.name, spec.tier]))
        return new Map(environments.map((environment) => [environment, givenIn(secrets, { app, environment, tier: tiers.get(environment) ?? 'production' })]))
      },
      missing: async (refs) => {
        if (refs.length === 0) return []
        const there = new Set((await storedVersions(database, refs.map(({ uid, version }) => ({ secret: uid, version })))).map(({ secret: uid, version }) => `${uid}/${version}`))
        return refs.filter(({ uid, version }) => !there.has(`${uid}/${version}`))
      },
      handOut,
      openOwn: (use) => openOwn(handOut, resources, use),
    },
  }
}

function createPruning({ database, keepAccessesMs, log }: SecretsDeps): Part {
  let timer: NodeJS.Timeout | undefined
  return {
    name: 'accesses of secrets',
    start: async () => {
      timer = setInterval(() => void pruneAccesses(database, keepAccessesMs).catch((error: Error) => log.warn({ err: error.message }, 'old accesses of secrets stay for now')), pruneEveryMs).unref()
    },
    stop: async () => clearInterval(timer),
  }
}
