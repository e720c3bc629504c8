import {
  indexByHost, matchPath, parseHost, pathOf, pickInstance, pickWeighted, routesOfHost, type HostAndPort, type HostIndex,
} from './plan.ts'
import type { RouteFault, RouteFaults } from './faults.ts'
import type { Addressee } from './pages.ts'
import type { Endpoint, RouterSet, RouterTable } from './protocol.ts'
import { RequestCounter } from './records.ts'
import { UpstreamPool, type UpstreamStats } from './upstream.ts'
import type { RouterSettings } from './settings.ts'
import { bearsMark, markOf, type TestersMark } from './testers.ts'

interface TargetSet {
  id: string
  /** Changes when its instances are thawed. */
  asleep: boolean
  pools: UpstreamPool[]
  reason?: string
  cursor: number
}

/** A route with its releases and their instances at hand. */
export interface CompiledRoute {
  host: string
  path: string
  requestTimeoutMs: number
  addressee: Addressee
  sets: TargetSet[]
  /** 0 for sets that have no instance, so that the others take over. */
  weights: number[]
  current: number[]
  /** One of its sets that was asleep when the table was made. */
  sleeper?: TargetSet
  reason?: string
  /** Where requests go that bear this mark. */
  testers?: { mark: TestersMark; set: TargetSet }
  /** Counts what the router answers because there is no instance. */
  unserved: RequestCounter
  /** What a game day does to its requests. */
  fault?: RouteFault
}

export interface HostEntry {
  host: HostAndPort
  routes: CompiledRoute[]
}

// Names that clients make up must not fill the memory.
const maxCachedHosts = 4_096

/** The routes in force, ready to be asked per request. */
export class Table {
  readonly generation: number
  private readonly index: HostIndex<CompiledRoute>
  private readonly hosts = new Map<string, HostEntry>()

  constructor(generation: number, routes: CompiledRoute[]) {
    this.generation = generation
    this.index = indexByHost(routes)
  }

  /** The routes that a Host value may take; undefined when it is not a valid one. */
  lookup(hostValue: string): HostEntry | undefined {
    const known = this.hosts.get(hostValue)
    if (known) return known
    const host = parseHost(hostValue)
    if (!host) return undefined
    const entry = { host, routes: routesOfHost(this.index, host.name) }
    if (this.hosts.size < maxCachedHosts) this.hosts.set(hostValue, entry)
    return entry
  }
}

/** The route of a request target among those of its host. */
export function routeFor(entry: HostEntry, target: string): CompiledRoute | undefined {
  if (entry.routes.length === 0) return undefined
  return matchPath(entry.routes, pathOf(target))
}

/** Picks release and instance for a request; undefined when no instance is there. `avoid` is where it failed before. */
export function chooseTarget(route: CompiledRoute, fields: string, now: number, avoid?: UpstreamPool): UpstreamPool | undefined {
  const { testers } = route
  if (testers && testers.set.pools.length > 0 && bearsMark(fields, testers.mark)) {
    testers.set.cursor = pickInstance(testers.set.pools, testers.set.cursor, now, avoid)
    return testers.set.pools[testers.set.cursor]
  }
  const set = route.sets[pickWeighted(route.weights, route.current)]
  if (!set) return undefined
  set.cursor = pickInstance(set.pools, set.cursor, now, avoid)
  const pool = set.pools[set.cursor]!
  if (pool !== avoid && pool.ejectedUntil <= now) return pool
  const others = route.sets.filter((_, index) => route.weights[index]! > 0).flatMap((other) => other.pools)
  return others[pickInstance(others, others.indexOf(pool), now, avoid)]
}

function sleeperOf(sets: TargetSet[]): Pick<CompiledRoute, 'sleeper'> {
  const sleeper = sets.find(({ asleep }) => asleep)
  return sleeper ? { sleeper } : {}
}

/** Keeps the connections to instances over changes of the table. */
export class TargetRegistry {
  private readonly settings: RouterSettings
  private readonly stats: UpstreamStats
  private readonly now: () => number
  private readonly changed: RequestCounter[]
  private readonly faults: RouteFaults
  private readonly pools = new Map<string, UpstreamPool>()
  private readonly counters = new Map<string, RequestCounter>()
  private sets = new Map<string, TargetSet>()

  constructor(settings: RouterSettings, stats: UpstreamStats, now: () => number, changed: RequestCounter[], faults: RouteFaults) {
    this.settings = settings
    this.stats = stats
    this.now = now
    this.changed = changed
    this.faults = faults
  }

  /** Builds the table; instances that it does not name any more lose their idle connections. */
  compile(table: RouterTable): Table {
    const used = new Set<string>()
    const countersUsed = new Set<string>()
    this.faults.take(table.faults ?? [])
    const sets = this.sets = new Map(table.sets.map((set) => [set.id, this.compileSet(set, used, countersUsed)]))
    const releases = new Map(table.sets.map((set) => [set.id, set.release]))
    const routes = table.routes.map((route): CompiledRoute => {
      const backends = route.backends.filter((backend) => backend.weight > 0 && sets.has(backend.set))
      const chosen = backends.map((backend) => sets.get(backend.set)!)
      const testersSet = route.testers && sets.get(route.testers.set)
      const addressee = { team: route.team, app: route.app, environment: route.environment }
      const heaviest = [...backends].sort((a, b) => b.weight - a.weight)[0]
      return {
        host: route.host, path: route.path, requestTimeoutMs: route.requestTimeoutMs, addressee, sets: chosen,
        ...(testersSet ? { testers: { mark: markOf(route.testers!), set: testersSet } } : {}),
        weights: backends.map((backend, index) => (chosen[index]!.pools.length > 0 ? backend.weight : 0)),
        current: backends.map(() => 0),
        ...sleeperOf(testersSet ? [...chosen, testersSet] : chosen),
        reason: heaviest ? sets.get(heaviest.set)!.reason : 'No release of it is routed yet.',
        unserved: this.counterOf({ ...addressee, release: heaviest ? releases.get(heaviest.set)! : 0, instance: '' }, countersUsed),
        fault: this.faults.of(addressee),
      }
    })
    this.retireAllBut(used)
    for (const key of this.counters.keys()) if (!countersUsed.has(key)) this.counters.delete(key)
    return new Table(table.generation, routes)
  }

  /** These are awake, whatever the table in force says. */
  wake(ids: readonly string[]): void {
    for (const id of ids) {
      const set = this.sets.get(id)
      if (set) set.asleep = false
    }
  }

  isAsleep(id: string): boolean {
    return this.sets.get(id)?.asleep === true
  }

  poolsOf(instance: string): UpstreamPool[] {
    return [...this.pools.values()].filter((pool) => pool.endpoint.instance === instance)
  }

  /** Closes idle connections whose time is over. Returns whether any are left. */
  expireIdle(now: number): boolean {
    let left = false
    for (const [key, pool] of this.pools) {
      pool.expireIdle(now)
      left ||= pool.hasIdle
      if (pool.isRetired && pool.isUnused) this.pools.delete(key)
    }
    return left
  }

  get inFlight(): number {
    let sum = 0
    for (const pool of this.pools.values()) sum += pool.inFlight
    return sum
  }

  private compileSet(set: RouterSet, used: Set<string>, countersUsed: Set<string>): TargetSet {
    const { id, team, app, environment, release, reason, asleep = false } = set
    const pools = set.endpoints.map((endpoint) => {
      const counter = this.counterOf({ team, app, environment, release, instance: endpoint.instance }, countersUsed)
      return this.poolOf(endpoint, counter, used)
    })
    // By the time it is thawed an instance may have closed what it finds idle.
    if (asleep) for (const pool of pools) pool.closeIdle()
    return { id, asleep, pools, reason, cursor: -1 }
  }

  private poolOf(endpoint: Endpoint, counter: RequestCounter, used: Set<string>): UpstreamPool {
    const key = `${endpoint.instance} ${endpoint.port}`
    const pool = this.pools.get(key) ?? new UpstreamPool(endpoint, counter, this.settings, this.stats, this.now)
    pool.restore()
    this.pools.set(key, pool)
    used.add(key)
    return pool
  }

  private counterOf(labels: RequestCounter['labels'], used: Set<string>): RequestCounter {
    const key = [labels.team, labels.app, labels.environment, labels.release, labels.instance].join('\n')
    const counter = this.counters.get(key) ?? new RequestCounter(labels, this.changed)
    this.counters.set(key, counter)
    used.add(key)
    return counter
  }

  private retireAllBut(used: ReadonlySet<string>): void {
    for (const [key, pool] of this.pools) {
      if (used.has(key)) continue
      pool.retire()
      if (pool.isUnused) this.pools.delete(key)
    }
  }
}
