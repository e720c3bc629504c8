/** The runtime driver for the agent of this machine. */
import type { AgentEvent, FaultReports, LogLine, LogsCollected, ObservedState, RequestRecords, RequestSpans, SyntheticAnswers, TaskStatus } from '@pavior/contract'
import { ignore } from '../../kernel/errors.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Prober } from '../../rooms/release/ports.ts'
import type { FaultInjector } from '../../rooms/reliability/game-days/ports.ts'
import type { LogQuery, RuntimeDriver } from '../../rooms/runtime/ports.ts'
import type { LogSource, SpanSource, TrafficSource } from '../../rooms/telemetry/ports.ts'
import { callAgent, jsonLines, openStream, upgradeTo } from './client.ts'

const reconnectDelayMs = 200
/** The agent sends `alive` every few seconds; a silent connection is dead. */
const silenceMs = 20_000

export function createAgentDriver(socketPath: string, log: Logger): RuntimeDriver & TrafficSource & LogSource & SpanSource & Prober & FaultInjector & Part {
  const listeners: ((event: AgentEvent) => void)[] = []
  let state: ObservedState | undefined
  let connected = false
  let following: Promise<void> | undefined

  const note = (event: AgentEvent): void => {
    state = reduce(state, event)
    for (const listener of listeners) listener(event)
  }

  const follow = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const silence = new AbortController()
      let timer: NodeJS.Timeout | undefined
      try {
        const stream = await openStream(socketPath, { method: 'GET', path: '/observed?watch=1', signal: AbortSignal.any([signal, silence.signal]) })
        timer = setTimeout(() => silence.abort(), silenceMs)
        for await (const event of jsonLines<AgentEvent>(stream)) {
          timer.refresh()
          connected = true
          note(event)
        }
      } catch (error) {
        if (connected && !signal.aborted) log.warn({ err: (error as Error).message }, 'lost the agent; trying again')
      }
      clearTimeout(timer)
      connected = false
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, reconnectDelayMs))
    }
  }

  return {
    name: 'agent',
    observed: () => state,
    current: () => callAgent<ObservedState>(socketPath, { method: 'GET', path: '/observed' }),
    onEvent: (listener) => listeners.push(listener),
    problem: () => (connected ? undefined : 'The agent on this machine does not answer.'),
    start: async (signal) => {
      following = follow(signal)
    },
    stop: async () => {
      await following
    },
    apply: async (desired) => {
      await callAgent(socketPath, { method: 'PUT', path: '/desired', body: desired })
    },
    inject: (faults) => callAgent<FaultReports>(socketPath, { method: 'PUT', path: '/faults', body: faults }),
    injected: () => callAgent<FaultReports>(socketPath, { method: 'GET', path: '/faults' }),
    startTask: (id, spec) => callAgent<TaskStatus>(socketPath, { method: 'PUT', path: `/tasks/${encodeURIComponent(id)}`, body: spec }),
    task: (id) => callAgent<TaskStatus>(socketPath, { method: 'GET', path: `/tasks/${encodeURIComponent(id)}` }).catch(ignore('NOT_FOUND')),
    cancelTask: async (id, graceMs) => {
      await callAgent(socketPath, { method: 'POST', path: `/tasks/${encodeURIComponent(id)}/cancel?graceMs=${graceMs}` }).catch(ignore('NOT_FOUND'))
    },
    forgetTask: async (id) => {
      await callAgent(socketPath, { method: 'DELETE', path: `/tasks/${encodeURIComponent(id)}` }).catch(ignore('NOT_FOUND'))
    },
    logs: async function* (id, query, signal) {
      const stream = await openStream(socketPath, { method: 'GET', path: `/logs/${encodeURIComponent(id)}${searchOf(query)}`, signal })
      yield* jsonLines<LogLine>(stream)
    },
    sleep: (set) => callAgent(socketPath, { method: 'POST', path: `/sets/${encodeURIComponent(set)}/sleep` }),
    wake: (set) => callAgent(socketPath, { method: 'POST', path: `/sets/${encodeURIComponent(set)}/wake` }),
    requests: (after) => callAgent<RequestRecords>(socketPath, { method: 'GET', path: `/requests?after=${after}` }),
    collectLogs: (wanted, signal) => callAgent<LogsCollected>(socketPath, { method: 'POST', path: '/logs', body: wanted, signal }),
    spans: (after) => callAgent<RequestSpans>(socketPath, { method: 'GET', path: `/spans?after=${after}` }),
    ask: (set, path, requests) => callAgent<SyntheticAnswers>(socketPath, { method: 'POST', path: `/sets/${encodeURIComponent(set)}/requests?${new URLSearchParams({ path, count: String(requests) })}` }),
    attach: (id) => upgradeTo(socketPath, `/tasks/${encodeURIComponent(id)}/attach`, 'pavior-attach'),
  }
}

/** The state as it is after an event. */
function reduce(state: ObservedState | undefined, event: AgentEvent): ObservedState | undefined {
  if (event.type === 'state') return event.state
  if (!state) return state
  if (event.type === 'instance') return { ...state, instances: [...state.instances.filter(({ id }) => id !== event.instance.id), event.instance] }
  if (event.type === 'removed') return { ...state, instances: state.instances.filter(({ id }) => id !== event.id) }
  if (event.type === 'task') return { ...state, tasks: [...state.tasks.filter(({ id }) => id !== event.task.id), event.task] }
  if (event.type === 'routed') return { ...state, routedGeneration: event.generation }
  return state
}

function searchOf({ follow, tail, since, offset }: LogQuery): string {
  const search = new URLSearchParams()
  if (follow) search.set('follow', '1')
  if (tail !== undefined) search.set('tail', String(tail))
  if (since !== undefined) search.set('since', since)
  if (offset !== undefined) search.set('offset', String(offset))
  return search.size > 0 ? `?${search}` : ''
}
