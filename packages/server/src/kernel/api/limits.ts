/** How much one caller may ask for at once and over time. */
import { fail } from '@pavior/contract'
import type { Clock } from '../clock.ts'

export interface ApiLimits {
  /** Largest body of a resource request; routes may have their own. */
  bodyBytes: number
  /** Largest YAML body: YAML is slow to parse. */
  yamlBytes: number
  /** Deepest nesting of a body. */
  bodyDepth: number
  /** Requests that one actor may send over time, and at once after a pause. */
  requestsPerSecond: number
  requestBurst: number
  /** Failed sign-ins that one address may have, over time and at once. */
  failedSignInsPerSecond: number
  failedSignInBurst: number
  /** Requests of one actor that run at the same time, watches not counted. */
  concurrentRequests: number
  concurrentWatches: number
  /** Longest time until all headers, and until the whole request, must have arrived. */
  headersTimeoutMs: number
  requestTimeoutMs: number
  keepAliveTimeoutMs: number
  /** Longest life of a watch; clients resume. */
  watchTimeoutMs: number
  /** Longest wait for requests in flight when the server stops. */
  drainTimeoutMs: number
}

export const defaultLimits: ApiLimits = {
  bodyBytes: 3 * 1024 * 1024,
  yamlBytes: 512 * 1024,
  bodyDepth: 64,
  requestsPerSecond: 1000,
  requestBurst: 3000,
  failedSignInsPerSecond: 1,
  failedSignInBurst: 20,
  concurrentRequests: 500,
  concurrentWatches: 500,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 600_000,
  keepAliveTimeoutMs: 72_000,
  watchTimeoutMs: 45 * 60_000,
  drainTimeoutMs: 5000,
}

interface Bucket {
  tokens: number
  filledAt: number
}

const mostBuckets = 10_000

/** Token buckets by key. A bucket that nobody uses is forgotten when it is full again. */
export class RateLimiter {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#clock = clock
  }

  /** Takes tokens; otherwise the seconds until there are so many. More than a whole burst are taken when it is full, and owed. */
  take(key: string, tokens = 1): number | undefined {
    const bucket = this.#fill(key)
    const needed = Math.min(tokens, this.#burst)
    if (bucket.tokens < needed) return (needed - bucket.tokens) / this.#perSecond
    bucket.tokens -= tokens
    return undefined
  }

  #fill(key: string): Bucket {
    const now = this.#clock.now().getTime()
    let bucket = this.#buckets.get(key)
    if (!bucket) {
      if (this.#buckets.size >= mostBuckets) this.#forgetFull(now)
      bucket = { tokens: this.#burst, filledAt: now }
      this.#buckets.set(key, bucket)
      return bucket
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (Math.max(0, now - bucket.filledAt) / 1000) * this.#perSecond)
    bucket.filledAt = now
    return bucket
  }

  #forgetFull(now: number): void {
    for (const [key, { tokens, filledAt }] of this.#buckets) {
      if (tokens + ((now - filledAt) / 1000) * this.#perSecond >= this.#burst) this.#buckets.delete(key)
    }
    // Everybody is busy: the oldest go, which only gives them a fresh start.
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < mostBuckets) return
      this.#buckets.delete(key)
    }
  }
}

/** Counts what runs by key. */
export class ConcurrencyLimiter {
  readonly #most: number
  readonly #running = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** The function to call at the end; undefined when too many run already. */
  enter(key: string): (() => void) | undefined {
    const running = this.#running.get(key) ?? 0
    if (running >= this.#most) return undefined
    this.#running.set(key, running + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = this.#running.get(key)! - 1
      if (now > 0) this.#running.set(key, now)
      else this.#running.delete(key)
    }
  }
}

/** TOO_MANY_REQUESTS with the wait that Retry-After tells. */
export function tooMany(what: string, waitSeconds: number): Error {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitSeconds))
  return fail('TOO_MANY_REQUESTS', { message: what, facts: { retryAfterSeconds } })
}
