/** The pure decisions of the router: which route, which release, which instance, which ids. */
import type { RequestHead } from './request-head.ts'

export interface HostAndPort {
  /** Lower case, without port and without the dot of a fully qualified name. */
  name: string
  /** Digits, or empty when the client named none. */
  port: string
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]+?)\.?(?::([0-9]{0,5}))?$/

/** Takes the value of a Host field apart; undefined when it is none (RFC 9110 §7.2). */
export function parseHost(value: string): HostAndPort | undefined {
  const match = hostPattern.exec(value.toLowerCase())
  if (!match) return undefined
  return { name: match[1]!, port: match[2] ?? '' }
}

/** Path of a request target, without query and fragment. `*` (OPTIONS) counts as `/`. */
export function pathOf(target: string): string {
  if (target === '*') return '/'
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  const fragment = path.indexOf('#')
  return fragment === -1 ? path : path.slice(0, fragment)
}

/** Whether `path` lies under `prefix`, where `/api` covers `/api` and `/api/x` but not `/apiary`. */
export function fitsPath(prefix: string, path: string): boolean {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  if (bare === '') return true
  if (!path.startsWith(bare)) return false
  return path.length === bare.length || path.charCodeAt(bare.length) === 47
}

/** Routes by host, those of one host with the longest path first. */
export interface HostIndex<R> {
  exact: Map<string, R[]>
  /** Keyed by what stands behind `*.`. */
  suffixes: Map<string, R[]>
}

/** Sorts routes into an index. Hosts are compared in lower case. */
export function indexByHost<R extends { host: string; path: string }>(routes: readonly R[]): HostIndex<R> {
  const index: HostIndex<R> = { exact: new Map(), suffixes: new Map() }
  for (const route of routes) {
    const host = route.host.toLowerCase()
    const [map, key] = host.startsWith('*.') ? [index.suffixes, host.slice(2)] : [index.exact, host]
    map.set(key, [...(map.get(key) ?? []), route])
  }
  for (const list of [...index.exact.values(), ...index.suffixes.values()]) {
    list.sort((a, b) => b.path.length - a.path.length)
  }
  return index
}

/** Every route that a host may take, most specific first: the exact name, then the longest suffix. */
export function routesOfHost<R>(index: HostIndex<R>, host: string): R[] {
  const found = [...(index.exact.get(host) ?? [])]
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (dot > 0) found.push(...(index.suffixes.get(host.slice(dot + 1)) ?? []))
  }
  return found
}

/** First of the candidates (most specific first) that covers the path. */
export function matchPath<R extends { path: string }>(candidates: readonly R[], path: string): R | undefined {
  for (const route of candidates) if (fitsPath(route.path, path)) return route
  return undefined
}

/**
 * Smooth weighted round-robin (as in nginx): over a full turn of `sum(weights)` picks each gets exactly its weight, and
 * picks of one are spread out. `current` is the state between picks, one number per weight; it is changed.
 * Returns the index, or -1 when no weight is above 0.
 */
export function pickWeighted(weights: readonly number[], current: number[]): number {
  let total = 0
  let best = -1
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!
    if (weight <= 0) continue
    total += weight
    current[i] = (current[i] ?? 0) + weight
    if (best === -1 || current[i]! > current[best]!) best = i
  }
  if (best !== -1) current[best]! -= total
  return best
}

export interface Candidate {
  inFlight: number
  /** Milliseconds on the caller's clock; in the past when it may serve. */
  ejectedUntil: number
}

/**
 * Picks the instance with the fewest requests in flight, beginning behind `cursor` so that equals take turns.
 * Excluded ones are passed over unless all are; `avoid` (where the first try failed) is taken only when it is alone.
 * Returns the index, or -1 for an empty list.
 */
export function pickInstance(instances: readonly Candidate[], cursor: number, now: number, avoid?: Candidate): number {
  let best = -1
  let bestRank = Infinity
  for (let step = 1; step <= instances.length; step++) {
    const index = (cursor + step) % instances.length
    const instance = instances[index]!
    const rank = instance.inFlight + (instance.ejectedUntil > now ? 1e9 : 0) + (instance === avoid ? 1e12 : 0)
    if (rank < bestRank) [best, bestRank] = [index, rank]
  }
  return best
}

/** How long an instance that failed `failures` (≥ 1) times in a row is passed over. */
export function ejectionMs(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
}

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || method === 'OPTIONS' || method === 'TRACE'
}

/** Methods whose body has no defined meaning, so that a careless instance may leave it unread. */
function hasUndefinedBody(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'OPTIONS' || method === 'TRACE'
}

/** A request that an instance might read differently than we do gets a connection that nobody else uses. */
export function needsOwnConnection({ upgrade, framing, codings, method }: Pick<RequestHead, 'upgrade' | 'framing' | 'codings' | 'method'>): boolean {
  return upgrade !== undefined || (framing === 'chunked' && codings !== 'chunked') || (framing !== 'none' && hasUndefinedBody(method))
}

const requestIdPattern = /^[A-Za-z0-9._~:+/=@-]{1,128}$/

/** Whether a client's request id may go into logs and headers as it is. */
export function isSaneRequestId(value: string): boolean {
  return requestIdPattern.test(value)
}

const traceparentPattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/** Whether the value is a W3C Trace Context `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header). */
export function isTraceparent(value: string): boolean {
  const match = traceparentPattern.exec(value)
  return match !== null && (match[1] !== '00' || match[2] === undefined)
}

/** An address as it goes into X-Forwarded-For: without the prefix that IPv4 has on an IPv6 socket. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
