/** Door of room telemetry: what the router counted, and everything that apps measure, as series. */
import { trafficIntervalMs, type TraceSummary, type Traffic, logLevelNamed } from '@pavior/contract'
import type { Registry } from 'prom-client'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { WriteNote } from '../../kernel/audit/notes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createChanges, type Changes } from './changes/index.ts'
import { dashboard, dashboardRoutes } from './dashboards/index.ts'
import { calledBy, callsOf, type AppName, type CallCounts } from './traffic/calls.ts'
import { createCollector, trafficChannel } from './traffic/collect.ts'
import { trafficMinutes, type TrafficMinutes } from './traffic/minutes.ts'
import { findTraces } from './traces/store.ts'
import { createTraces, type TraceSettings } from './traces/index.ts'
import { samplesOf, trafficOf, type ReleaseSample } from './traffic/plan.ts'
import { createExports, telemetryExport } from './exports/index.ts'
import type { Exporters } from './exports/ports.ts'
import type { OpenSecret } from './exports/reach.ts'
import { createSources, metricSource } from './sources/index.ts'
import type { AskSource } from './sources/ports.ts'
import { createLogs, type LogSettings } from './logs/index.ts'
import { levelNumber } from './logs/line.ts'
import type { LogReads } from './logs/reads.ts'
import { createMetrics, type MetricSettings } from './metrics/index.ts'
import { createOutcomes } from './metrics/outcomes.ts'
import type { SeriesSource } from './metrics/series.ts'
import { intakeRoutes } from './otlp/intake.ts'
import type { InstanceLogs, Instances, LogSource, Senders, SpanSource, TrafficSource } from './ports.ts'
import { Gate } from './query/gate.ts'
import { createQueryReads, type QueryReads } from './query/reads.ts'
import { queryRoutes } from './query/routes.ts'
import { telemetryRoutes } from './traffic/routes.ts'
import { readTraffic } from './traffic/store.ts'

export type { MinuteCounts, TrafficMinutes } from './traffic/minutes.ts'
export type { AppName, CallCounts } from './traffic/calls.ts'
export { exporterVariables } from './exporters.ts'
export { otlpPath } from './otlp/intake.ts'
export { createDashboardRules } from './dashboards/index.ts'
export { compilePattern } from './promql/regex/pattern.ts'

export const kinds = [telemetryExport, metricSource, dashboard]

export interface TelemetryDeps {
  database: PgDatabase
  resources: Resources
  source: TrafficSource & LogSource & SpanSource
  defaultEnvironment: (team: string) => string
  /** Hears of apps that called one which they never called before. */
  newCallers: (callers: AppName[]) => Promise<void>
  /** How long it is remembered that one app called another. */
  keepCallersMs: number
  events: EventRecorder
  senders: Senders
  instances: Instances
  metrics: MetricSettings
  logs: LogSettings
  instanceLogs: InstanceLogs
  traces: TraceSettings
  exporters: Exporters
  askSource: AskSource
  /** The value of a Secret of the team that a resource of ours names. */
  openSecret: OpenSecret
  audit: WriteNote
  /** Largest request with telemetry, packed. */
  bodyBytes: number
  /** What this server counts about itself. */
  registry: Registry
  serverName: () => string
  publicUrl: () => string
  /** Of Pavior. */
  version: string
  clock: Clock
  log: Logger
}

export interface TelemetryReads extends QueryReads {
  minutes: TrafficMinutes
  /** When the router's counts were last asked for with success, by this replica. */
  takenAt: () => Date
  /** What every release of an app did since each moment, by its number; the interval of the router that a moment falls into counts whole. */
  since: (of: { team: string; app: string; environment: string }, moments: Date[]) => Promise<Map<number, ReleaseSample>[]>
  /** What an app did over a time, in whole intervals of the router. */
  totals: (of: { team: string; app: string; environment: string }, from: Date, until: Date) => Promise<Traffic['totals']>
  /** Apps that this one has called since then. */
  calledBy: (app: AppName, since: Date) => Promise<AppName[]>
  /** Every pair that one of these apps is in, with its requests since then. */
  callsOf: (apps: AppName[], since: Date) => Promise<CallCounts[]>
  /** Everything that was measured. */
  series: SeriesSource
  /** Traces in which an app failed, latest first; of others' spans only those of its team. */
  failedTraces: (of: { team: string; app: string; environment: string }, from: Date, until: Date, limit: number) => Promise<TraceSummary[]>
  /** Everything that was logged. */
  logs: LogReads
  /** How many lines of an app hold a text, of a level and worse. */
  countLines: (of: { team: string; app: string; environment: string; match: string; level: string | undefined; from: Date; until: Date }) => Promise<number>
  /** The latest lines of an app of level error. */
  failedLines: (of: { team: string; app: string; environment: string }, from: Date, until: Date, limit: number) => Promise<{ atMs: number; line: string; instance: string }[]>
  /** What others told of changes that they made to these apps, latest first. */
  changes: Changes['of']
  noteChange: Changes['note']
}

export function createTelemetry(deps: TelemetryDeps): Room<TelemetryReads> {
  const { database, resources, source, defaultEnvironment, newCallers, keepCallersMs, clock, log } = deps
  const metrics = createMetrics({ ...deps, settings: deps.metrics, logRates: deps.logs })
  const exports = createExports(deps)
  const sources = createSources(deps)
  const logs = createLogs({ ...deps, sendOn: exports.queue.lines, drops: metrics.drops, settings: deps.logs })
  const collector = createCollector({ database, source, newCallers, also: metrics.countTraffic, keepCallersMs, clock, log })
  const changes = createChanges({ database, resources, events: deps.events, clock, log })
  const traces = createTraces({ database, resources, source, drops: metrics.drops, logs: logs.ofRequests, usual: usualOf(database), settings: deps.traces, clock, log, sendOn: exports.queue.spans })
  const intake = intakeRoutes({ senders: deps.senders, resources, instances: deps.instances, signals: [metrics.signal, logs.signal, traces.signal], others: [metrics.remoteWrite, changes.wayIn], bodyBytes: deps.bodyBytes, clock })
  const gate = new Gate()
  const queries = createQueryReads({ source: metrics.series, gate, elsewhere: sources.query })
  const news = listenTo(database, trafficChannel, 'traffic news')
  return {
    reconcilers: [createOutcomes(deps)],
    routes: [telemetryRoutes({ database, resources, defaultEnvironment, onMore: news.onMore, clock }), metrics.routes, logs.routes, traces.routes, changes.routes, exports.routes, sources.routes, intake, queryRoutes({ source: metrics.series, gate, clock, version: deps.version }), dashboardRoutes({ resources, source: metrics.series, gate, check: queries.check, publicUrl: deps.publicUrl, clock })],
    parts: [exports.first, news.part, collector, ...metrics.parts, ...logs.parts, ...traces.parts, changes.part, exports.part],
    reads: {
      ...queries,
      minutes: trafficMinutes(database),
      takenAt: collector.takenAt,
      since: async (of, moments) => {
        const from = moments.map((moment) => moment.getTime() - trafficIntervalMs)
        const intervals = await readTraffic(database, { ...of, from: new Date(Math.min(...from)), until: clock.now() })
        return from.map((begin) => samplesOf(intervals.filter(({ at }) => at >= begin)))
      },
      totals: (of, from, until) => totalsOf(database, of, from, until),
      calledBy: (app, since) => calledBy(database, app, since),
      callsOf: (apps, since) => callsOf(database, apps, since),
      series: metrics.series,
      failedTraces: (of, from, until, limit) => findTraces(database, { ...of, from, until, failed: true, limit }, [of.team]),
      logs: logs.reads,
      countLines: ({ match, level, from, until, ...place }) => logs.reads.count({ ...place, text: match, level: levelNumber(level === undefined ? undefined : logLevelNamed(level)), fromMs: from.getTime(), untilMs: until.getTime() }),
      failedLines: async (place, from, until, limit) => (await logs.reads.stored({ ...place, level: levelNumber('error'), fromMs: from.getTime(), untilMs: until.getTime() }, limit)).map(({ atMs, body, from: { instance = '' } }) => ({ atMs, line: body, instance })),
      changes: changes.of,
      noteChange: changes.note,
    },
  }
}

/** With fewer requests a percentile says nothing. */
const leastRequests = 20

async function totalsOf(database: PgDatabase, of: { team: string; app: string; environment: string }, from: Date, until: Date): Promise<Traffic['totals']> {
  return trafficOf(await readTraffic(database, { ...of, from, until }), { fromMs: from.getTime(), untilMs: until.getTime(), stepSeconds: 3600 }).totals
}

function usualOf(database: PgDatabase): (of: { team: string; app: string; environment: string; from: Date; until: Date }) => Promise<number | undefined> {
  return async ({ from, until, ...of }) => {
    const totals = await totalsOf(database, of, from, until)
    return totals.requests < leastRequests ? undefined : (totals.p95Ms ?? undefined)
  }
}
