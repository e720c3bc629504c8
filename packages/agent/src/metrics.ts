/** Prometheus text of the agent itself. See the text exposition format of Prometheus, version 0.0.4. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ObservedState } from '@pavior/contract'

const states = ['starting', 'healthy', 'unhealthy', 'draining', 'stopping', 'backoff', 'stopped'] as const

export interface MetricsInput {
  observed: ObservedState
  spooledBytes: number
  droppedSegments: number
  /** Times that a request woke an app. */
  wakes: number
  /** Looks at who calls through the router. */
  callerLooks: { looks: number; seconds: number }
  /** Text of the router's own metrics. */
  router: string
}

const loopDelay = monitorEventLoopDelay({ resolution: 200 })

export function startMeasuring(): void {
  loopDelay.enable()
}

export function metricsText({ observed, droppedSegments, spooledBytes, wakes, callerLooks, router }: MetricsInput): string {
  const { instances, tasks, processes } = observed
  const lines = [
    ...metric('pavior_agent_info', 'gauge', 'Version of the agent.', [[`{version="${observed.version}"}`, 1]]),
    ...metric('pavior_agent_generation', 'gauge', 'Generation of the desired state in force.', [['', observed.generation]]),
    ...metric('pavior_agent_routed_generation', 'gauge', 'Newest generation that every router worker serves.', [
      ['', observed.routedGeneration],
    ]),
    ...metric(
      'pavior_agent_instances',
      'gauge',
      'Instances by state.',
      states.map((state) => [`{state="${state}"}`, instances.filter((each) => each.state === state).length]),
    ),
    ...metric('pavior_agent_instances_asleep', 'gauge', 'Instances that are frozen until somebody asks for them.', [
      ['', instances.filter((each) => each.asleepSince !== undefined).length],
    ]),
    ...metric('pavior_agent_wakes_total', 'counter', 'Times that a request woke an app.', [['', wakes]]),
    ...metric('pavior_agent_instance_restarts', 'gauge', 'Restarts of the instances that there are.', [
      ['', instances.reduce((sum, each) => sum + each.restarts, 0)],
    ]),
    ...metric('pavior_agent_crash_loops', 'gauge', 'Instances that exit again and again.', [
      ['', instances.filter((each) => each.crashLoop).length],
    ]),
    ...metric(
      'pavior_agent_tasks',
      'gauge',
      'Tasks by state.',
      (['running', 'exited'] as const).map((state) => [`{state="${state}"}`, tasks.filter((each) => each.state === state).length]),
    ),
    ...metric('pavior_agent_spooled_bytes', 'gauge', 'Request records that the server has not taken yet.', [['', spooledBytes]]),
    ...metric('pavior_agent_spool_dropped_segments_total', 'counter', 'Parts of the spool that were dropped because it was full.', [
      ['', droppedSegments],
    ]),
    ...metric('pavior_agent_caller_looks_total', 'counter', 'Looks at which apps call through the router.', [['', callerLooks.looks]]),
    ...metric('pavior_agent_caller_look_seconds_total', 'counter', 'CPU time that these looks took.', [['', callerLooks.seconds]]),
    ...metric(
      'pavior_agent_resident_memory_bytes',
      'gauge',
      'Resident memory by process.',
      processes.map((each) => [`{role="${each.role}",pid="${each.pid}"}`, each.memoryBytes]),
    ),
    ...metric('pavior_agent_cpu_seconds_total', 'counter', 'CPU time of the agent process.', [['', cpuSeconds()]]),
    ...metric('pavior_agent_event_loop_delay_seconds', 'gauge', '99th percentile of the delay of the event loop.', [
      ['', loopDelay.percentile(99) / 1e9],
    ]),
  ]
  return `${lines.join('\n')}\n${router}`
}

function metric(name: string, type: string, text: string, values: [string, number][]): string[] {
  return [`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`, ...values.map(([labels, value]) => `${name}${labels} ${value}`)]
}

/** CPU time of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
