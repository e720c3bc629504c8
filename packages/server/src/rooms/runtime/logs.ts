/** Logs of an app's instances where they lie: with the agent. */
import type { DeploymentSpec, DeploymentStatus, LogLine, Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { InstanceSet } from './plan.ts'
import type { LogQuery, RuntimeDriver } from './ports.ts'
import { instancesOf, type InstanceRow } from './routes.ts'

export type LoggingInstance = Pick<InstanceRow, 'id' | 'process' | 'release' | 'environment'>

export interface InstanceLogs {
  /** Instances of an app that have a log: those that run, asked anew at each call, and those of rollouts that failed. */
  of(actor: Actor, app: { team: string; app: string }): Promise<() => LoggingInstance[]>
  /** Throws NOT_FOUND when there is none. */
  lines(id: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>
}

export function instanceLogs({ resources, driver, sets }: { resources: Resources; driver: RuntimeDriver; sets: Mirror<InstanceSet> }): InstanceLogs {
  return {
    of: async (actor, app) => {
      const gone = await failedInstances(resources, actor, app)
      return () => [...instancesOf(sets, app, driver.observed()), ...gone]
    },
    lines: (id, query, signal) => driver.logs(id, query, signal),
  }
}

/** Instances of rollouts that failed are gone, but their logs say why. */
async function failedInstances(resources: Resources, actor: Actor, { team, app }: { team: string; app: string }): Promise<LoggingInstance[]> {
  const { items } = await resources.list<Resource<DeploymentSpec, DeploymentStatus>>(actor, 'Deployment', team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 })
  return items.flatMap(({ spec, status }) => {
    const { instance, process } = (status?.problem?.facts ?? {}) as { instance?: string; process?: string }
    return instance === undefined ? [] : [{ id: instance, process: process ?? 'web', release: spec.release, environment: spec.environment }]
  })
}
