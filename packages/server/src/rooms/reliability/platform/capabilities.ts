/** What the platform promises of itself, each measured by its own figures. */
import { randomUUID } from 'node:crypto'
import { platformTeam, type ChangeEvent, type DesiredProbe, type SloIndicator, type SloSpec } from '@pavior/contract'
import { defaultEnvironment } from '../slo/evaluate.ts'

export interface Capability {
  /** Name of its Slo, and of the app that its probe counts for. */
  name: string
  spec: SloSpec
  /** What is asked from outside of the server: who, for which path, and the status of the right answer. */
  probe?: { of: keyof Addresses; path: string; expects: number }
  /** Capabilities without which it does not work: when they fail, nobody is told of this one too. */
  needs?: string[]
}

/** Where the parts of the platform answer. */
export interface Addresses {
  /** `http://127.0.0.1:4400`. */
  server: string
  /** The same of the router; undefined until the agent told it. */
  router: string | undefined
}

const probeTimeoutMs = 10_000
/** One that fails now and then is no reason to wake anybody: as many probes as come in two minutes and a half. */
const minimumBad = 5

const available = (what: string): Pick<SloSpec, 'description' | 'indicator' | 'objective'> => ({ description: `${what} answers when it is asked, every 30 s, from outside of the server.`, indicator: { golden: 'requests' }, objective: 0.9995 })
const within = (seconds: string, histogram: string, of = ''): SloIndicator => ({ ratio: { good: `sum(increase(${histogram}_bucket{le="${seconds}"${of}}[1m]))`, total: `sum(increase(${histogram}_count{${of.replace(/^,/, '')}}[1m]))` } })
/** Minutes are good or bad; one bad one wakes nobody. */
const byMinute: Pick<SloSpec, 'budgeting' | 'alerting'> = { budgeting: 'Timeslices', alerting: { minimumBad: 2 } }
const good = ',outcome="Succeeded"'

/** Objectives and starting targets are those of the platform's own list of promises; whoever runs it changes them as any other. */
export const capabilities: readonly Capability[] = [
  { name: 'api', probe: { of: 'server', path: '/readyz', expects: 200 }, spec: available('The API') },
  { name: 'api-latency', spec: { app: 'api', description: 'The API answers probes within half a second.', indicator: { golden: 'latency', thresholdMs: 500 }, objective: 0.99 } },
  { name: 'api-errors', spec: { description: 'Requests to the API end without a server error.', indicator: { ratio: { bad: 'sum(increase(http_server_request_duration_seconds_count{status="5xx"}[1m]))', total: 'sum(increase(http_server_request_duration_seconds_count[1m]))' } }, objective: 0.999 } },
  { name: 'portal', needs: ['api'], probe: { of: 'server', path: '/', expects: 200 }, spec: available('The portal') },
  { name: 'git', needs: ['api'], probe: { of: 'server', path: '/git/platform/probe.git/info/refs?service=git-upload-pack', expects: 401 }, spec: available('The git endpoint') },
  { name: 'router', probe: { of: 'router', path: '/', expects: 404 }, spec: available('The router') },
  { name: 'deployments', spec: { description: 'Deployments end well, without being rolled back.', indicator: { ratio: { good: 'sum(increase(pavior_deployment_duration_seconds_count{outcome="Succeeded"}[1m]))', total: 'sum(increase(pavior_deployment_duration_seconds_count{outcome=~"Succeeded|Failed|RolledBack"}[1m]))' } }, objective: 0.98 } },
  { name: 'builds', spec: { description: 'Builds that succeed take 10 minutes at most.', indicator: within('600', 'pavior_build_duration_seconds', good), objective: 0.95 } },
  { name: 'instance-starts', spec: { description: 'Instances are healthy 30 s after their start.', indicator: within('30', 'pavior_instance_start_seconds'), objective: 0.99 } },
  { name: 'log-lag', spec: { description: 'Lines of logs can be asked for 2 s after they were written.', indicator: { threshold: { query: 'max(max_over_time(pavior_telemetry_log_waiting_seconds[1m]))', op: 'lt', value: 2 } }, ...byMinute, objective: 0.99 } },
  { name: 'watch-lag', spec: { description: 'Watchers hear of changes within a second.', indicator: within('1', 'pavior_watch_lag_seconds'), objective: 0.999 } },
  { name: 'database-connections', spec: { description: 'Less than 70 % of the connections to the database are in use.', indicator: { threshold: { query: 'max(pavior_database_connections / pavior_database_connections_limit)', op: 'lt', value: 0.7 } }, ...byMinute, objective: 0.99 } },
]

/** The Slo of a capability as it is proposed. */
export function sloOf({ name, probe, spec }: Capability): SloSpec {
  return { environment: defaultEnvironment, ...(probe ? { app: name } : {}), window: { rolling: '28d' }, alerting: { minimumBad }, ...spec }
}

export function probesOf(addresses: Addresses, intervalMs: number): DesiredProbe[] {
  return capabilities.flatMap(({ name, probe }) => {
    const base = probe && addresses[probe.of]
    return base ? [{ team: platformTeam, app: name, environment: defaultEnvironment, url: `${base}${probe.path}`, expects: probe.expects, intervalMs, timeoutMs: probeTimeoutMs }] : []
  })
}

/** A start of a server, as a change of the platform itself: its incidents show it. */
export function serverStarted({ server, version, at }: { server: string; version: string; at: Date }): ChangeEvent {
  return { id: randomUUID(), source: `/servers/${server}`, type: 'dev.pavior.server.started', at: at.toISOString(), team: platformTeam, app: 'api', environment: defaultEnvironment, text: `The server ${server} began, with Pavior ${version}.` }
}
