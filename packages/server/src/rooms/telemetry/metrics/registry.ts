/**
 * Which series an app has, in memory: a point of a known series costs no question to the database. All of an app that had points
 * lately are known from the first one on, so that what is unknown is new, and can be refused without a question too.
 */
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { isOwnName } from './names.ts'
import { activeSeries, hashOf, keyOf, makeSeries, type Labels } from './store.ts'

export interface SeriesOwner {
  team: string
  app: string
}

export interface RegistrySettings {
  /** Series that an app may write at once. */
  appSeries: number
  /** Series that a server remembers, of all apps. */
  rememberedSeries: number
  /** A series that nobody wrote for so long counts no more. */
  activeMs: number
}

interface Known {
  id: number
  usedAtMs: number
  /** Made by the platform itself, which does not count against the app. */
  own: boolean
}

interface AppSeries {
  series: Map<string, Known>
  sweptAtMs: number
  /** Questions about the same app go one after the other. */
  last: Promise<unknown>
}

const sweepEveryMs = 60_000

export class SeriesRegistry {
  readonly #database: Database
  readonly #clock: Clock
  readonly #settings: RegistrySettings
  /** The least recently used first. */
  readonly #apps = new Map<string, AppSeries>()
  #remembered = 0

  constructor(database: Database, clock: Clock, settings: RegistrySettings) {
    this.#database = database
    this.#clock = clock
    this.#settings = settings
  }

  /** How many series of an app count against its limit. */
  async used(owner: SeriesOwner): Promise<number> {
    const app = await this.#appOf(owner)
    this.#sweep(app)
    return counted(app)
  }

  /** Ids in the order of what is wanted; undefined for what would be beyond the limit. `own`: made by the platform itself. */
  async idsOf(owner: SeriesOwner, wanted: readonly Labels[], own: boolean): Promise<(number | undefined)[]> {
    const app = await this.#appOf(owner)
    const nowMs = this.#clock.now().getTime()
    const keys = wanted.map(keyOf)
    let missing = false
    const look = (key: string): number | undefined => {
      const known = app.series.get(key)
      if (!known) {
        missing = true
        return undefined
      }
      known.usedAtMs = nowMs
      return known.id
    }
    const found = keys.map(look)
    if (!missing) return found
    const turn = app.last.then(() => this.#make(owner, app, keys, wanted, own))
    app.last = turn.catch(() => {})
    await turn
    return keys.map((key) => app.series.get(key)?.id)
  }

  async #make(owner: SeriesOwner, app: AppSeries, keys: string[], wanted: readonly Labels[], own: boolean): Promise<void> {
    const fresh = new Map<string, Labels>()
    for (const [index, key] of keys.entries()) if (!app.series.has(key)) fresh.set(key, wanted[index]!)
    if (fresh.size === 0) return
    if (!own && counted(app) + fresh.size > this.#settings.appSeries) this.#sweep(app)
    const room = own ? Infinity : Math.max(0, this.#settings.appSeries - counted(app))
    const taken = [...fresh].slice(0, Math.min(fresh.size, room)).map(([key, labels]) => ({ key, labels, hash: hashOf(key) }))
    if (taken.length === 0) return
    const ids = await makeSeries(this.#database, owner, taken)
    const usedAtMs = this.#clock.now().getTime()
    for (const { key, hash } of taken) app.series.set(key, { id: ids.get(hash.toString('hex'))!, usedAtMs, own })
    this.#remembered += taken.length
    this.#forget(app)
  }

  /** Reads what is there at the first question about an app. */
  async #appOf(owner: SeriesOwner): Promise<AppSeries> {
    const name = `${owner.team}/${owner.app}`
    let app = this.#apps.get(name)
    if (app) this.#apps.delete(name)
    else {
      app = { series: new Map(), sweptAtMs: 0, last: Promise.resolve() }
      const reading = this.#read(owner, app)
      app.last = reading.catch(() => this.#apps.delete(name))
      this.#apps.set(name, app)
      await reading
    }
    this.#apps.set(name, app)
    if (app.series.size === 0) await app.last
    return app
  }

  async #read(owner: SeriesOwner, app: AppSeries): Promise<void> {
    const { activeMs, appSeries } = this.#settings
    const usedAtMs = this.#clock.now().getTime()
    for (const { id, labels } of await activeSeries(this.#database, owner, activeMs, appSeries * 2)) {
      const key = keyOf(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      app.series.set(key, { id, usedAtMs, own: isOwnName(labels.__name__ ?? '') })
    }
    this.#remembered += app.series.size
    this.#forget(app)
  }

  /** Forgets what nobody writes any more, at most once in a while. */
  #sweep(app: AppSeries): void {
    const nowMs = this.#clock.now().getTime()
    if (Math.abs(nowMs - app.sweptAtMs) < sweepEveryMs) return
    app.sweptAtMs = nowMs
    for (const [key, { usedAtMs }] of app.series) {
      if (usedAtMs > nowMs - this.#settings.activeMs) continue
      app.series.delete(key)
      this.#remembered--
    }
  }

  /** Whole apps go, those that were used least lately first. */
  #forget(but: AppSeries): void {
    for (const [name, app] of this.#apps) {
      if (this.#remembered <= this.#settings.rememberedSeries) return
      if (app === but) continue
      this.#apps.delete(name)
      this.#remembered -= app.series.size
    }
  }
}

function counted({ series }: AppSeries): number {
  let count = 0
  for (const { own } of series.values()) if (!own) count++
  return count
}
