/** What room runtime needs from whatever runs instances: the local agent today, Kubernetes when one machine is outgrown. */
import type { Duplex } from 'node:stream'
import type { AgentEvent, DesiredState, LogLine, ObservedState, TaskSpec, TaskStatus } from '@pavior/contract'

export interface LogQuery {
  follow?: boolean
  /** Last lines only. */
  tail?: number
  /** ISO 8601. */
  since?: string
  /** Byte to go on from. */
  offset?: number
}

export interface RuntimeDriver {
  name: string
  /** The last that it reported, kept up to date while it is reachable; undefined before the first contact. */
  observed(): ObservedState | undefined
  /** Asked for now, with the figures of CPU and memory that events do not carry. */
  current(): Promise<ObservedState>
  /** Called for every event, and with a `state` event after each new contact. */
  onEvent(listener: (event: AgentEvent) => void): void
  /** Undefined when it answers; otherwise what is wrong. */
  problem(): string | undefined
  /** Replaces the desired state as a whole. */
  apply(state: DesiredState): Promise<void>
  /** Starts the task unless one with this id exists. */
  startTask(id: string, spec: TaskSpec): Promise<TaskStatus>
  task(id: string): Promise<TaskStatus | undefined>
  cancelTask(id: string, graceMs: number): Promise<void>
  /** Removes a finished task with its log. */
  forgetTask(id: string): Promise<void>
  /** Log of an instance or a task; throws NOT_FOUND when there is none. */
  logs(id: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>
  /** Freezes or thaws everything that runs beside a set in its environment; throws CONFLICT while it is busy. */
  sleep(set: string): Promise<void>
  wake(set: string): Promise<void>
  /** Input and output of a running task. */
  attach(id: string): Promise<Duplex>
}

/** Variables with which an app proves to others who it is. Not for anybody else's eyes. */
export type Identities = (workload: { team: string; app: string; environment: string; release?: number }) => Promise<Record<string, string>>
