/** Pure: who gets which secret, what is due, and where a rotation stands. */
import type { Condition, Resource, Rotation, RotationTarget, SecretRef, SecretSpec, SecretStatus, SecretVersion } from '@pavior/contract'

export type Secret = Resource<SecretSpec, SecretStatus>

/** Where something runs. */
export interface Place {
  app: string
  environment: string
  tier: string
}

/** Whether a secret is given out there, if no other of its key fits better. */
export function isBound({ app, environments, previews = false }: SecretSpec, place: Place): boolean {
  if (app !== undefined && app !== place.app) return false
  if (environments?.includes(place.environment)) return true
  return place.tier === 'preview' ? previews : environments === undefined
}

/** One for an app wins over one for the team; then one that names the environment, then one that names any. */
export function precision({ app, environments }: SecretSpec, { environment }: Place): number {
  const named = environments === undefined ? 0 : environments.includes(environment) ? 2 : 1
  return (app === undefined ? 0 : 3) + named
}

/** What something there gets, by key. Only what is in force; the order is always the same. */
export function refsFor(secrets: readonly Secret[], place: Place): SecretRef[] {
  const byKey = new Map<string, Secret>()
  const bound = secrets.filter(({ metadata, spec, status }) => !metadata.deletionTimestamp && status?.version !== undefined && isBound(spec, place))
  for (const secret of bound.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))) {
    const known = byKey.get(secret.spec.key)
    if (!known || precision(secret.spec, place) > precision(known.spec, place)) byKey.set(secret.spec.key, secret)
  }
  return [...byKey.values()]
    .map(({ metadata, spec, status }) => ({ secret: metadata.name, uid: metadata.uid, key: spec.key, version: status!.version!, as: spec.as ?? 'env' }) satisfies SecretRef)
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
}

export interface Given {
  refs: SecretRef[]
  /** Another one whenever a version is put in force, be it the same again after a failure. */
  mark: string
}

export function givenIn(secrets: readonly Secret[], place: Place): Given {
  const refs = refsFor(secrets, place)
  const began = (uid: string): string => secrets.find(({ metadata }) => metadata.uid === uid)?.status?.rotation?.startedAt ?? ''
  return { refs, mark: refs.map(({ key, secret, version, as, uid }) => `${key}=${secret}@v${version}${as === 'file' ? ' as file' : ''} of ${began(uid)}`).join(', ') }
}

/** The other secret that has the same key with the same precision somewhere: nobody could tell which one an app gets. */
export function clashOf(secret: Pick<Secret, 'metadata' | 'spec'>, others: readonly Secret[]): Secret | undefined {
  const { spec, metadata } = secret
  return others.find(
    (other) =>
      other.metadata.name !== metadata.name &&
      !other.metadata.deletionTimestamp &&
      other.spec.key === spec.key &&
      other.spec.app === spec.app &&
      (other.spec.environments === undefined) === (spec.environments === undefined) &&
      overlap(spec, other.spec),
  )
}

function overlap(one: SecretSpec, other: SecretSpec): boolean {
  if (one.environments === undefined && other.environments === undefined) return true
  return (one.environments ?? []).some((environment) => other.environments?.includes(environment)) || (one.previews === true && other.previews === true)
}

/** Versions whose names are kept; the values of older ones are destroyed. */
export const keptVersions = 50

export interface VersionChange {
  versions: SecretVersion[]
  version: SecretVersion
  /** Those that fell off the end. */
  dropped: number[]
}

export function withNewVersion({ versions = [] }: SecretStatus, by: string, at: string, number?: number): VersionChange {
  const version: SecretVersion = { version: number ?? (versions.at(-1)?.version ?? 0) + 1, at, by, state: 'stored' }
  const all = [...versions, version]
  const dropped = all.slice(0, -keptVersions).filter(({ state }) => state !== 'current')
  return { versions: all.filter((one) => !dropped.includes(one)), version, dropped: dropped.map((one) => one.version) }
}

/** The status with another version in force, and its rotation begun. */
export function inForce(status: SecretStatus, version: number, by: string, now: string): SecretStatus {
  const from = status.version
  return {
    ...status,
    version,
    versions: (status.versions ?? []).map((one) => {
      if (one.version === version) return { ...one, state: 'current' as const }
      return one.state === 'current' ? { ...one, state: 'previous' as const } : one
    }),
    rotation: { version, ...(from === undefined || from === version ? {} : { from }), phase: 'RollingOut', by, startedAt: now, message: `Version ${version} is brought out.`, targets: [] },
  }
}

/** What runs of one app in one environment, as far as this secret goes. */
export interface Running {
  app: string
  environment: string
  /** Version that the release has which serves; undefined when it has none of this secret. */
  serving: number | undefined
  /** Why what is set for the app is not brought out. */
  refused: string | undefined
  /** The newest deployment, and the version that its release has. */
  newest: { name: string; version: number | undefined; endedAt: string | undefined; rollback: boolean; createdAt: string; phase: string; message: string }
}

export function targetOf({ app, environment, serving, refused, newest }: Running, { version, startedAt }: Pick<Rotation, 'version' | 'startedAt'>): RotationTarget {
  const place = { app, environment }
  // One that had ended before tried the same version an earlier time.
  const brings = newest.version === version && (newest.endedAt === undefined || newest.endedAt >= startedAt)
  if (brings && newest.phase === 'Succeeded') return { ...place, state: 'done', deployment: newest.name }
  if (brings && newest.phase === 'Watching') return { ...place, state: 'watched', deployment: newest.name, message: newest.message }
  if (brings && newest.endedAt === undefined) return { ...place, state: 'underway', deployment: newest.name, message: newest.message }
  if (brings && failedPhases.has(newest.phase) && serving !== version) return { ...place, state: 'failed', deployment: newest.name, message: newest.message }
  if (serving === version) return { ...place, state: 'done' }
  // Whole seconds: of one in the second in which the rotation began nobody knows, and the rotation goes on.
  if (newest.rollback && Date.parse(newest.createdAt) >= Date.parse(startedAt)) return { ...place, state: 'left', deployment: newest.name, message: 'Somebody rolled the app back meanwhile.' }
  if (refused !== undefined) return { ...place, state: 'refused', message: refused.slice(0, 500) }
  return { ...place, state: 'pending', ...(newest.endedAt === undefined ? { message: `${newest.name} is under way; it goes first.` } : {}) }
}

const openStates = new Set(['pending', 'refused', 'underway'])
const failedPhases = new Set(['Failed', 'RolledBack', 'Canceled'])

export type RotationStep = { type: 'goesOn' | 'succeeded' | 'failed' } & Pick<Rotation, 'targets' | 'message'>

/** Where a rotation stands. One app that fails is enough to take the version back everywhere. */
export function planRotation(rotation: Rotation, running: readonly Running[]): RotationStep {
  const targets = running.map((one) => targetOf(one, rotation)).toSorted((one, other) => (`${one.app}/${one.environment}` < `${other.app}/${other.environment}` ? -1 : 1))
  const failed = targets.find(({ state }) => state === 'failed')
  if (failed) return { type: 'failed', targets, message: `${failed.app} does not work with version ${rotation.version} in ${failed.environment}: ${failed.message ?? failed.deployment ?? ''}` }
  const left = targets.filter(({ state }) => openStates.has(state))
  if (left.length === 0 && targets.some(({ state }) => state === 'watched')) return { type: 'goesOn', targets, message: `Version ${rotation.version} serves everywhere and is still watched; it is taken back if it fails.` }
  if (left.length > 0) return { type: 'goesOn', targets, message: `Version ${rotation.version} serves in ${targets.length - left.length} of ${targets.length} places.` }
  return { type: 'succeeded', targets, message: targets.length === 0 ? `Version ${rotation.version} is in force; nothing runs with it yet.` : `Version ${rotation.version} serves everywhere.` }
}

/** The status after apps failed with a version: the one before is in force again, where there is one that can be. */
export function afterFailure(status: SecretStatus, { targets, message }: RotationStep, now: string): SecretStatus {
  const rotation = status.rotation!
  const before = status.versions?.find(({ version }) => version === rotation.from)
  const back = rotation.from !== undefined && before !== undefined && before.state !== 'revoked'
  // A first version is taken back to none; a version whose predecessor is destroyed stays, because nothing is better.
  const reverts = back || rotation.from === undefined
  const { version: _, ...rest } = status
  return {
    ...(reverts ? { ...rest, ...(back ? { version: rotation.from! } : {}) } : status),
    versions: (status.versions ?? []).map((one) => {
      if (!reverts) return one
      if (one.version === rotation.version && one.state === 'current') return { ...one, state: 'rejected' as const }
      return one.version === rotation.from ? { ...one, state: 'current' as const } : one
    }),
    rotation: {
      ...rotation,
      targets,
      phase: reverts ? 'Reverted' : 'Failed',
      finishedAt: now,
      message: `${message} ${back ? `Version ${rotation.from} is in force again.` : reverts ? 'No version is in force.' : 'The version before it is revoked, so it stays in force.'}`.slice(0, 1000),
    },
  }
}

const dayMs = 24 * 3600_000
export const warnBeforeDays = [3, 14] as const

export interface Due {
  condition: Omit<Condition, 'lastTransitionTime'>
  /** When this would be told differently. */
  nextAt: number | undefined
}

/** Whether it can be used for a while yet: its end, and its age. */
export function dueOf({ spec, status, metadata }: Secret, now: Date): Due {
  const nowMs = now.getTime()
  const condition = (healthy: boolean, reason: string, message: string): Due['condition'] => ({ type: 'Fresh', status: healthy ? 'True' : 'False', reason, message, observedGeneration: metadata.generation })
  const since = status?.versions?.find(({ version }) => version === status.version)?.at
  if (since === undefined) return { condition: condition(false, 'NoValue', 'It has no value yet.'), nextAt: undefined }
  const endMs = spec.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(spec.expiresAt)
  const dueMs = spec.rotateEveryDays === undefined ? Number.POSITIVE_INFINITY : Date.parse(since) + spec.rotateEveryDays * dayMs
  const steps = [endMs, dueMs, ...warnBeforeDays.map((days) => endMs - days * dayMs)].filter((at) => Number.isFinite(at) && at > nowMs)
  const nextAt = steps.length > 0 ? Math.min(...steps) : undefined
  if (endMs <= nowMs) return { condition: condition(false, 'Expired', `It expired on ${spec.expiresAt!.slice(0, 10)}.`), nextAt }
  const warning = warnBeforeDays.find((days) => endMs - days * dayMs <= nowMs)
  if (warning !== undefined) return { condition: condition(false, `ExpiresWithin${warning}Days`, `It expires on ${spec.expiresAt!.slice(0, 10)}; set a new version before.`), nextAt }
  if (dueMs <= nowMs) return { condition: condition(false, 'RotationDue', `Version ${status!.version} is older than ${spec.rotateEveryDays} days; set a new version.`), nextAt }
  return { condition: condition(true, 'Fresh', 'It is neither expired nor due to be rotated.'), nextAt }
}
