/** What runs, with its live figures. */
import { setTimeout } from 'node:timers/promises'
import type { InstanceStatus, ObservedState } from '@pavior/contract'
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../kernel/actor.ts'
import { sendLines } from '../../kernel/api/lines.ts'
import { flag } from '../../kernel/api/query.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { InstanceSet } from './plan.ts'
import type { RuntimeDriver } from './ports.ts'

/** CPU and memory of instances are told this often while somebody looks. */
const figuresEveryMs = 2000

export interface InstanceRow extends InstanceStatus {
  process: string
  release: number
  environment: string
}

interface AppParams {
  team: string
  app: string
}

/** Of an app, out of what the agent said. */
export function instancesOf(sets: Mirror<InstanceSet>, { team, app }: AppParams, observed: ObservedState | undefined): InstanceRow[] {
  const own = new Map([...sets.values()].filter(({ metadata, spec }) => metadata.namespace === team && spec.app === app).map((set) => [set.metadata.uid, set]))
  return (observed?.instances ?? []).flatMap((instance) => {
    const set = own.get(instance.set)
    return set ? [{ ...instance, process: set.spec.process, release: set.spec.release, environment: set.spec.environment }] : []
  })
}

export function runtimeRoutes({ resources, driver, sets }: { resources: Resources; driver: RuntimeDriver; sets: Mirror<InstanceSet> }): Routes {
  const mustSee = (actor: Actor, { team, app }: AppParams): Promise<unknown> => resources.mustGet(actor, { kind: 'App', namespace: team, name: app })

  return (server: FastifyInstance) => {
    server.get<{ Params: AppParams; Querystring: { follow?: string } }>('/v1/teams/:team/apps/:app/instances', async ({ actor, params, query }, reply) => {
      await mustSee(actor, params)
      const read = async (): Promise<{ at: string; items: InstanceRow[] }> => ({ at: new Date().toISOString(), items: instancesOf(sets, params, await driver.current()) })
      if (!flag({ ...query }, 'follow')) return { items: (await read()).items }
      return sendLines(reply, async (write, signal) => {
        while (!signal.aborted) {
          await write(await read())
          await setTimeout(figuresEveryMs, undefined, { signal }).catch(() => {})
        }
      })
    })

    for (const verb of ['sleep', 'wake'] as const) {
      server.post<{ Params: AppParams & { environment: string } }>(`/v1/teams/:team/apps/:app/environments/:environment/${verb}`, async ({ actor, params }) => {
        const { team, app, environment } = params
        // For those who may deploy.
        await resources.mutate(actor, { kind: 'App', namespace: team, name: app }, (current) => current!, { dryRun: true })
        const set = [...sets.values()].find(({ metadata, spec }) => metadata.namespace === team && spec.app === app && spec.environment === environment && !metadata.deletionTimestamp)
        if (!set) throw fail('NOT_FOUND', { message: `Nothing of ${app} runs in ${environment}.`, fix: 'Deploy it there first.' })
        await driver[verb](set.metadata.uid)
        return { app, environment, asleep: verb === 'sleep' }
      })
    }
  }
}
