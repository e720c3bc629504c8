/** What is special about metrics among the ways in, and what an app uses of its limits. */
import { fail, type TelemetryUse } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { OwnedResource, Rejected, Signal, WayIn } from '../otlp/intake.ts'
import { decode } from '../otlp/protobuf.ts'
import { dropReasons, signalOf, type Drops } from '../drops.ts'
import type { Ingest } from './ingest.ts'
import type { LogRates } from '../logs/limits.ts'
import { convertResource } from './otlp.ts'
import type { DropReason } from './plan.ts'
import type { SeriesRegistry } from './registry.ts'
import { convertWrite } from './remote-write.ts'
import { readDropped } from './store.ts'

const writePath = '/v1/prom/write'

interface Takers {
  ingest: Ingest
  drops: Drops
}

export function metricSignal(takers: Takers): Signal {
  return { name: 'metrics', request: 'ExportMetricsServiceRequest', response: 'ExportMetricsServiceResponse', list: 'resourceMetrics', rejected: 'rejectedDataPoints', take: (resources) => takeAll(resources, takers) }
}

/** Nothing is stored when one of the resources cannot be read. */
async function takeAll(resources: OwnedResource[], { ingest, drops }: Takers): Promise<Rejected> {
  const lost = new Map<DropReason, number>()
  const count = (reason: DropReason, points: number): void => void (points > 0 && lost.set(reason, (lost.get(reason) ?? 0) + points))
  const converted = resources.map((resource) => ({ owner: resource.owner, ...convertResource(resource, { ...resource.owner }) }))
  await Promise.all(
    converted.map(async ({ owner, incoming, metadata, unsupported }) => {
      const { dropped } = await ingest.take(owner, incoming, metadata)
      for (const [reason, points] of dropped) count(reason, points)
      count('unsupported', unsupported)
      if (unsupported > 0) drops.count(owner, new Map([['unsupported', unsupported]]))
    }),
  )
  return { count: [...lost.values()].reduce((sum, points) => sum + points, 0), why: explain(lost) }
}

/** Prometheus' remote write 1.0. */
export function remoteWrite({ ingest }: Pick<Takers, 'ingest'>): WayIn {
  return (scope, { config, unpacked, ownerOf }) => {
    scope.post(writePath, { config }, async (request, reply) => {
      const message = await decode('WriteRequest', await unpacked(request))
      const owner = await ownerOf(request, new Map())
      const { incoming, metadata } = convertWrite(message, { ...owner })
      const { dropped } = await ingest.take(owner, incoming, metadata)
      // What is dropped by rule would be dropped again: the sender must not repeat it, and is told.
      if (dropped.size > 0) throw fail('BAD_REQUEST', { message: explain(dropped) })
      return reply.code(204).send()
    })
  }
}

function explain(dropped: ReadonlyMap<DropReason, number>): string {
  return [...dropped].map(([reason, points]) => `${points} points were dropped (${reason}): ${dropReasons[reason]}`).join(' ')
}

export interface MetricRoutesDeps {
  database: Database
  resources: Resources
  registry: SeriesRegistry
  drops: Drops
  limits: { appSeries: number; appPointsPerSecond: number; dropDays: number; logs: LogRates }
}

export function metricRoutes({ database, resources, registry, drops, limits }: MetricRoutesDeps): Routes {
  return (server: FastifyInstance) => {
    server.get<{ Params: { team: string; app: string } }>('/v1/teams/:team/apps/:app/telemetry', async ({ actor, params }): Promise<TelemetryUse> => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      await drops.settled()
      const dropped = await readDropped(database, params.team, params.app, limits.dropDays)
      return {
        app: params.app,
        metrics: { series: { used: await registry.used(params), limit: limits.appSeries }, pointsPerSecond: { limit: limits.appPointsPerSecond } },
        logs: { linesPerSecond: { limit: limits.logs.linesPerSecond }, bytesPerSecond: { limit: limits.logs.bytesPerSecond } },
        dropped: dropped.map(({ reason, points, lastAt }) => ({ signal: signalOf(reason), reason, meaning: dropReasons[reason as DropReason] ?? '', points, lastAt: lastAt.toISOString() })),
        droppedDays: limits.dropDays,
      }
    })
  }
}
