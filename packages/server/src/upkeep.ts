/** Housekeeping at intervals: old changes, old remarks, old audit rows, old idempotency keys; sources and artifacts that nothing needs. */
import type { Resource } from '@pavior/contract'
import type { AuditLog } from './kernel/audit/audit.ts'
import type { EventRecorder } from './kernel/audit/events.ts'
import { systemActor } from './kernel/actor.ts'
import type { Database } from './kernel/db/index.ts'
import type { Part } from './kernel/lifecycle/lifecycle.ts'
import { every, recurring } from './kernel/lifecycle/recurring.ts'
import type { Logger } from './kernel/log.ts'
import type { Resources } from './kernel/resources/index.ts'
import { compactChanges } from './kernel/store/store.ts'
import { finalPhases } from './rooms/release/index.ts'

const intervalMs = 60_000
const keepChangesMs = 3600_000
const dayMs = 24 * 3600_000
const keepEventsMs = 7 * dayMs
const keepIdempotencyMs = dayMs
/** A tree that is named by nothing yet may be on its way into a build or release. */
const keepUnnamedMs = 3600_000
const keepHistory = 50

interface Collectable {
  collect(live: ReadonlySet<string>, keepMs: number): Promise<number>
}

export interface UpkeepDeps {
  database: Database
  events: EventRecorder
  audit: AuditLog
  idempotency: { prune(keepMs: number): Promise<void> }
  resources: Resources
  sources: Collectable
  artifacts: Collectable
  /** Results of builds whose artifact is not among these need not be remembered. */
  forgetMissing: (artifacts: string[]) => Promise<void>
  config: { keepReleases: number; auditRetentionDays: number }
  log: Logger
}

export function createUpkeep(deps: UpkeepDeps): Part {
  const { database, events, audit, idempotency, config, log } = deps
  const once = async (signal: AbortSignal): Promise<void> => {
    await compactChanges(database, keepChangesMs)
    await events.prune(keepEventsMs)
    await audit.prune(config.auditRetentionDays * dayMs, signal)
    await idempotency.prune(keepIdempotencyMs)
    await pruneHistory(deps)
    await collectTrees(deps)
  }
  return recurring({ name: 'upkeep', pauseMs: every(intervalMs), once, failed: ({ message }) => log.warn({ err: message }, 'upkeep failed; trying again later') })
}

const actor = systemActor('upkeep')

function byApp(items: Resource[]): Resource[][] {
  const groups = new Map<string, Resource[]>()
  for (const item of items) {
    const key = `${item.metadata.namespace}/${String((item.spec as { app: string }).app)}`
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return [...groups.values()].map((group) => group.toSorted((one, other) => numberOf(one) - numberOf(other)))
}

function numberOf({ metadata }: Resource): number {
  return Number(metadata.labels?.['pavior.dev/number'] ?? 0)
}

/** Ended builds and deployments beyond the newest; never what serves. */
async function pruneHistory({ resources }: UpkeepDeps): Promise<void> {
  const serving = new Set((await resources.listAll(actor, 'InstanceSet')).map(({ metadata }) => metadata.labels?.['pavior.dev/deployment']))
  const neededBuilds = new Set((await resources.listAll(actor, 'Release')).map(({ spec }) => (spec as { build?: string }).build))
  for (const kind of ['Deployment', 'Build']) {
    for (const group of byApp(await resources.listAll(actor, kind))) {
      const old = group.slice(0, -keepHistory).filter(({ metadata, status }) => finalPhases.has(String((status as { phase?: string } | undefined)?.phase)) && !serving.has(metadata.name) && !neededBuilds.has(metadata.name))
      for (const { metadata } of old) await resources.delete(actor, { kind, namespace: metadata.namespace!, name: metadata.name }).catch(() => {})
    }
  }
}

/** Artifacts of live releases and of the newest for rollback; sources of builds that have not ended. */
async function collectTrees({ forgetMissing, resources, sources, artifacts, config, log }: UpkeepDeps): Promise<void> {
  const releases = await resources.listAll(actor, 'Release')
  const sets = await resources.listAll(actor, 'InstanceSet')
  const builds = await resources.listAll(actor, 'Build')
  const artifactOf = ({ spec }: Resource): string => String((spec as { artifact: string }).artifact)
  const kept = byApp(releases).flatMap((group) => group.slice(-config.keepReleases).map(artifactOf))
  const recent = byApp(builds).flatMap((group) => group.slice(-config.keepReleases))
  const live = new Set([...kept, ...sets.map(artifactOf), ...recent.map(({ status }) => String((status as { artifact?: string } | undefined)?.artifact))])
  const liveSources = new Set(builds.filter((build) => recent.includes(build) || !(build.status as { finishedAt?: string } | undefined)?.finishedAt).map(({ spec }) => (spec as { revision: { source: string } }).revision.source))
  await forgetMissing([...live])
  const removed = (await artifacts.collect(live, keepUnnamedMs)) + (await sources.collect(liveSources, keepUnnamedMs))
  if (removed > 0) log.info({ removed }, 'removed sources and artifacts that nothing needs any more')
}
