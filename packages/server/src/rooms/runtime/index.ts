/** Door of room runtime: instance sets, and what runs where. */
import type { DesiredProbe } from '@pavior/contract'
import type { Registry } from 'prom-client'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { ArtifactTasks } from '../release/index.ts'
import type { HandOut } from '../secrets/index.ts'
import type { Room } from '../../kernel/room.ts'
import { instanceSet } from './kinds.ts'
import { runningInstances, withIdentity, workloadImage, type InstanceSet, type RunningInstance } from './plan.ts'
import { instanceLogs, type InstanceLogs } from './logs.ts'
import type { Identities, RuntimeDriver } from './ports.ts'
import { createDesiredReconciler, createInstanceSetReconciler, desiredWork } from './reconcile.ts'
import { runtimeRoutes } from './routes.ts'
import { measureStarts } from './starts.ts'

export { desiredWork } from './reconcile.ts'
export const kinds = [instanceSet]

export interface RuntimeReads {
  /** One-off work in the files of an artifact. */
  tasks: ArtifactTasks
  /** What runs, as last reported, or asked for now with figures of CPU and memory. */
  instances: { known: () => RunningInstance[]; current: () => Promise<RunningInstance[]> }
  /** What they wrote, where it lies. */
  logs: InstanceLogs
}

export interface RuntimeDeps {
  database: Database
  resources: Resources
  driver: RuntimeDriver & Part
  directoryOf: (digest: string) => string
  secrets: HandOut
  identity: Identities
  /** What is asked from outside of this server. */
  probes: () => DesiredProbe[]
  /** What this server counts about itself. */
  registry: Registry
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string; afterMs?: number }[]) => Promise<void>
  clock: Clock
  log: Logger
}

/** Without the key of identities apps still start and serve; only they cannot prove who they are until it is back. */
function whereKnown(identity: Identities, log: Logger): Identities {
  return (workload) =>
    identity(workload).catch((error: Error) => {
      if (!hasCode(error, 'KEY_UNAVAILABLE')) throw error
      log.warn({ err: error.message, team: workload.team, app: workload.app }, 'an app gets no credential of its own now')
      return {}
    })
}

export function createRuntime(given: RuntimeDeps): Room<RuntimeReads> {
  const deps = { ...given, identity: whereKnown(given.identity, given.log) }
  const { resources, driver, log } = deps
  const sets = new Mirror<InstanceSet>(resources, 'InstanceSet', log)
  const desired = createDesiredReconciler(deps)
  const statuses = createInstanceSetReconciler(deps)
  relayObservations(deps, sets, statuses.name)
  measureStarts(driver, deps.registry)
  return {
    reconcilers: [desired, statuses],
    routes: [runtimeRoutes({ resources, driver, sets })],
    parts: [sets, driver],
    reads: {
      tasks: artifactTasks(deps),
      logs: instanceLogs({ resources, driver, sets }),
      instances: {
        known: () => runningInstances(sets.values(), driver.observed()?.instances ?? []),
        current: async () => runningInstances(sets.values(), (await driver.current()).instances),
      },
    },
  }
}

function artifactTasks({ driver, directoryOf, secrets, identity }: Pick<RuntimeDeps, 'driver' | 'directoryOf' | 'secrets' | 'identity'>): ArtifactTasks {
  return {
    task: (id) => driver.task(id),
    cancelTask: (id, graceMs) => driver.cancelTask(id, graceMs),
    run: async (id, { team, app, environment, artifact, command, env, secrets: refs, mounts, image, limits, timeoutMs, interactive, terminal }) =>
      driver.startTask(id, {
        workload: { team, app, directory: directoryOf(artifact), writable: false, ownCopy: true, command, env, secrets: withIdentity(await secrets.forTask({ id, name: id, team, app, environment, refs }), await identity({ team, app, environment }), env), limits, mounts: mounts.map((path) => ({ source: path, target: path, readOnly: true })), ...(image === undefined ? {} : { image: workloadImage(image) }) },
        timeoutMs,
        ...(interactive ? { interactive } : {}),
        ...(terminal ? { terminal } : {}),
      }),
    attach: (id) => driver.attach(id),
  }
}

/** What the agent reports becomes reconcile requests; many reports in a moment become one statement. */
function relayObservations({ driver, request, log }: RuntimeDeps, sets: Mirror<InstanceSet>, statuses: string): void {
  const pending = new Set<string>()
  let sending = false
  const send = async (): Promise<void> => {
    sending = true
    while (pending.size > 0) {
      const entries = [...pending].map((text) => ({ controller: text.slice(0, text.indexOf('\n')), key: text.slice(text.indexOf('\n') + 1) }))
      pending.clear()
      await request(entries).catch((error: Error) => log.warn({ err: error.message }, 'a report of the agent could not be queued; the next state will bring it'))
    }
    sending = false
  }
  const keyOfSet = (uid: string): string | undefined => {
    for (const set of sets.values()) if (set.metadata.uid === uid) return `${set.metadata.namespace}/${set.metadata.name}`
    return undefined
  }
  const queue = (controller: string, key: string | undefined): void => {
    if (key === undefined) return
    pending.add(`${controller}\n${key}`)
    if (!sending) void send()
  }
  driver.onEvent((event) => {
    if (event.type === 'instance') queue(statuses, keyOfSet(event.instance.set))
    else if (event.type === 'removed') queue(statuses, keyOfSet(event.set))
    else if (event.type === 'task') queue('tasks', undefined)
    else if (event.type === 'state') {
      // New contact: the agent may have lost what we gave it last, and we may have missed what it reported.
      queue(desiredWork.controller, desiredWork.key)
      for (const set of sets.values()) queue(statuses, `${set.metadata.namespace}/${set.metadata.name}`)
    }
  })
}
