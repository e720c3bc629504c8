import { trafficIntervalMs } from '@pavior/contract'

/** What a router can be tuned by. Every limit is per worker process. 240 bytes a second is what Kestrel asks for by default. */
export interface RouterSettings {
  /** From the first byte (or the new connection) until a request head is complete; then 408. */
  headersTimeoutMs: number
  /** A client connection without a request is closed after this long. */
  keepAliveTimeoutMs: number
  /** A request body from which no byte came for this long is given up with 408. */
  bodyIdleTimeoutMs: number
  /**
   * A request body that comes more slowly than this, over `bodyPaceWindowMs`, is given up with 408; 0 takes any pace. Counts
   * only while the router reads, so an instance that takes its time is not held against the client.
   */
  bodyMinBytesPerSecond: number
  /** How long a body may come too slowly. */
  bodyPaceWindowMs: number
  /** A client that took no byte of its response for this long is cut off. */
  clientStallTimeoutMs: number
  /** A client that closed its sending side waits this long between two bytes; then it counts as gone. */
  halfCloseGraceMs: number
  /** After a refusal, what the client still sends is read and thrown away for this long, so that it sees the answer. */
  lingerMs: number
  /** Until an instance that is asleep is awake. */
  wakeTimeoutMs: number
  /** Until an instance accepts a connection. */
  connectTimeoutMs: number
  /** An idle connection to an instance is closed after this long, when the instance names no time itself. */
  upstreamIdleMs: number
  /** Longest that an idle connection is kept when the instance names a longer time. */
  upstreamIdleMaxMs: number
  /** A request that cannot be repeated is not sent over a connection that was idle for longer than this. */
  upstreamTrustedIdleMs: number
  /** Idle connections kept to one instance. */
  maxIdlePerInstance: number
  /** First exclusion of an instance that refuses connections; it doubles with each further one. */
  ejectMs: number
  /** Longest exclusion. */
  ejectMaxMs: number
  /** Bytes of a request or response head. */
  maxHeadBytes: number
  /** Header fields of a request or response head. */
  maxHeaderFields: number
  /** Client connections; further ones are closed at once. */
  maxConnections: number
  /** Networks in CIDR notation whose X-Forwarded-* are believed; those of everybody else are replaced. */
  trustedProxies: readonly string[]
  /** Requests that took this long are told one by one, like those that failed. */
  slowRequestMs: number
  /** Single requests of an instance that are told in a second, of those that went well and of the others. */
  usualSpansPerSecond: number
  badSpansPerSecond: number
  /** How long what is told of single requests is gathered. */
  spanIntervalMs: number
  /** Length of one interval of the request records. */
  recordIntervalMs: number
  /** Connections of this machine whose owner is looked for at once; of more than these nobody knows whose they are. */
  callersWaiting: number
  /** How often the counters for the metrics are passed on while there is traffic. */
  statsIntervalMs: number
  /** Longest wait for requests in flight when the router closes. */
  closeGraceMs: number
}

export const defaultSettings: RouterSettings = {
  headersTimeoutMs: 15_000,
  keepAliveTimeoutMs: 65_000,
  bodyIdleTimeoutMs: 30_000,
  bodyMinBytesPerSecond: 240,
  bodyPaceWindowMs: 30_000,
  clientStallTimeoutMs: 120_000,
  halfCloseGraceMs: 500,
  lingerMs: 1_000,
  wakeTimeoutMs: 10_000,
  connectTimeoutMs: 2_000,
  upstreamIdleMs: 4_000,
  upstreamIdleMaxMs: 60_000,
  upstreamTrustedIdleMs: 1_000,
  maxIdlePerInstance: 256,
  ejectMs: 1_000,
  ejectMaxMs: 30_000,
  maxHeadBytes: 32_768,
  maxHeaderFields: 128,
  maxConnections: 10_000,
  trustedProxies: [],
  slowRequestMs: 1_000,
  usualSpansPerSecond: 20,
  badSpansPerSecond: 100,
  spanIntervalMs: 250,
  recordIntervalMs: trafficIntervalMs,
  callersWaiting: 2_048,
  statsIntervalMs: 1_000,
  closeGraceMs: 5_000,
}
