/** What room telemetry needs from whatever routes requests, runs instances and knows who sends. */
import type { LogLine, LogsCollected, LogsWanted, RequestLogLine, RequestRecords, RequestSpans } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../kernel/actor.ts'

export interface TrafficSource {
  name: string
  /** Records above `after`; those up to it are given up. Throws AGENT_UNAVAILABLE. */
  requests(after: number): Promise<RequestRecords>
}

export interface LogSource {
  name: string
  /** Lines of all instances behind what was taken; waits for one when there is none. Throws AGENT_UNAVAILABLE. */
  collectLogs(wanted: LogsWanted, signal: AbortSignal): Promise<LogsCollected>
}

export interface SpanSource {
  name: string
  /** Requests with a number above `after`; those up to it are given up. Throws AGENT_UNAVAILABLE. */
  spans(after: number): Promise<RequestSpans>
}

/** Finds what apps logged about one request. */
export interface RequestLogs {
  of(request: { team: string; apps: string[]; requestId: string; traceId: string; from: Date; until: Date; limit: number }): Promise<RequestLogLine[]>
}

/** An app in an environment, as its own token says it. */
export interface Sender {
  team: string
  app: string
  environment: string
}

/** Who may send telemetry of which app. */
export interface Senders {
  /** Undefined when the header carries no token of an app's instances. */
  ofToken(authorization: string | undefined): Promise<Sender | undefined>
  /** Of every other token; throws UNAUTHENTICATED. */
  authenticate(request: FastifyRequest): Promise<Actor>
  mayWrite(actor: Actor, team: string, app: string): boolean
  defaultEnvironment(team: string): string
}

/** A running copy of a process. */
export interface RunningInstance extends Sender {
  id: string
  release: number
  process: string
  /** Undefined for what does not listen. */
  port?: number
  healthy: boolean
  asleep: boolean
  /** Where it shows what it measures, if it says so. */
  metrics?: { path: string; intervalSeconds?: number }
  restarts: number
  /** How often it ended because it reached its memory limit. */
  outOfMemoryKills?: number
  cpuSeconds?: number
  memoryBytes?: number
}

export interface Instances {
  /** As last reported. */
  known(): RunningInstance[]
  /** Asked for now, with figures of CPU and memory. Throws AGENT_UNAVAILABLE. */
  current(): Promise<RunningInstance[]>
}

export interface LoggingInstance {
  id: string
  process: string
  release: number
  environment: string
}

/** Logs of instances where they lie. */
export interface InstanceLogs {
  /** Instances of an app that have a log; the function asks for those that run anew at each call. */
  of(actor: Actor, app: { team: string; app: string }): Promise<() => LoggingInstance[]>
  /** Throws NOT_FOUND when there is none. */
  lines(id: string, query: { follow?: boolean; tail?: number; since?: string; offset?: number }, signal: AbortSignal): AsyncIterable<LogLine>
}
