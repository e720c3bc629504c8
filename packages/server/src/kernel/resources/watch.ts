/** A watch: what is there or what happened since a version, then everything as it happens, filtered by selection. */
import { fail, type Resource } from '@pavior/contract'
import type { PgDatabase } from '../db/index.ts'
import type { KindDefinition } from '../kind.ts'
import type { Feed } from '../store/feed.ts'
import { readChanges, readPage, readVersions, type StoredChange } from '../store/store.ts'
import type { Change, Selection, WatchOptions } from './types.ts'

const replayBatch = 1000
const listPage = 1000
/** A watcher that lags this many changes behind is cut off; it resumes from its last version. */
const largestBacklog = 50_000
/** A watcher to whom nothing happens is told this often how far it is. */
const bookmarkIntervalMs = 10_000

interface WatchDeps {
  database: PgDatabase
  feed: Feed
  kind: KindDefinition
  /** Undefined: every team. */
  namespaces: string[] | undefined
  options: WatchOptions
  matches: (resource: Partial<Resource>, selection: Selection) => boolean
}

export async function* watchChanges(deps: WatchDeps): AsyncIterable<Change> {
  const { database, feed, options } = deps
  const inbox = new Inbox(deps, options.signal)
  const unsubscribe = feed.subscribe(inbox)
  try {
    // Changes after `live` reach the inbox; those before are read from the database.
    const live = feed.published
    let version: bigint
    if (options.resourceVersion === undefined || options.resourceVersion === '0' || options.resourceVersion === '') {
      version = yield* initialState(deps)
    } else {
      version = parseVersion(options.resourceVersion)
      const { compacted } = await readVersions(database)
      if (version < compacted) throw expired(version, compacted)
    }
    while (version < live) {
      const changes = await readChanges(database, version, live, replayBatch)
      if (changes.length === 0) break
      for (const change of changes) yield* visible(deps, change)
      version = changes.at(-1)!.version
    }
    yield* inbox.read(version)
  } finally {
    unsubscribe()
  }
}

async function* initialState({ database, kind, namespaces, options }: WatchDeps): AsyncGenerator<Change, bigint> {
  let first: bigint | undefined
  let after: { namespace: string; name: string } | undefined
  for (;;) {
    const query = { kind: kind.kind, namespaces, labels: options.labels, fields: options.fields, after, limit: listPage }
    // What a watcher is told must not be lost with the database afterwards.
    const page = first === undefined ? await database.durable(() => readPage(database, query)) : await readPage(database, query)
    first ??= page.version
    for (const object of page.items) yield { type: 'ADDED', resourceVersion: object.metadata.resourceVersion, object }
    const last = page.items.at(-1)
    if (!page.more || !last) break
    after = { namespace: last.metadata.namespace ?? '', name: last.metadata.name }
  }
  // Later pages may show newer states; those changes come again, which is harmless, because nothing is left out.
  yield { type: 'BOOKMARK', resourceVersion: String(first) }
  return first
}

/** How this watcher sees a change: a resource that enters or leaves the selection is added or deleted for it. */
function* visible({ kind, namespaces, options, matches }: WatchDeps, change: StoredChange): Generator<Change> {
  if (change.kind !== kind.kind || (namespaces && !namespaces.includes(change.namespace))) return
  const now = matches(change.object, options)
  const before = change.type !== 'ADDED' && (change.before ? matches(change.before, options) : now)
  const type = change.type === 'DELETED' || !now ? 'DELETED' : before ? 'MODIFIED' : 'ADDED'
  if (now || before) yield { type, resourceVersion: String(change.version), object: change.object }
}

/** Buffers published changes between the feed, which never waits, and a reader that may be slow. */
class Inbox {
  readonly #deps: WatchDeps
  readonly #signal: AbortSignal
  #pending: Change[] = []
  #caughtUpTo = 0n
  #overrun = false
  #wake: (() => void) | undefined

  constructor(deps: WatchDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  publish(changes: StoredChange[], caughtUpTo: bigint): void {
    for (const change of changes) this.#pending.push(...visible(this.#deps, change))
    this.#caughtUpTo = caughtUpTo
    if (this.#pending.length > largestBacklog) {
      this.#overrun = true
      this.#pending = []
    }
    if (this.#pending.length > 0 || this.#overrun) this.#wake?.()
  }

  async *read(after: bigint): AsyncGenerator<Change> {
    let told = after
    while (!this.#signal.aborted) {
      if (this.#overrun) throw expired(told, this.#caughtUpTo)
      const batch = this.#pending
      this.#pending = []
      for (const change of batch) {
        // What the database already gave is not given again.
        if (BigInt(change.resourceVersion) <= after) continue
        yield change
        told = BigInt(change.resourceVersion)
      }
      if (this.#pending.length > 0) continue
      if (await this.#news()) continue
      if (this.#caughtUpTo > told) {
        told = this.#caughtUpTo
        yield { type: 'BOOKMARK', resourceVersion: String(told) }
      }
    }
  }

  /** True when something arrived; false when it is time for a bookmark or for the end. */
  #news(): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (arrived: boolean): void => {
        clearTimeout(timer)
        this.#signal.removeEventListener('abort', aborted)
        this.#wake = undefined
        resolve(arrived)
      }
      const aborted = (): void => finish(false)
      const timer = setTimeout(() => finish(false), bookmarkIntervalMs)
      this.#signal.addEventListener('abort', aborted)
      this.#wake = () => finish(true)
      if (this.#signal.aborted) finish(false)
    })
  }
}

function parseVersion(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw fail('BAD_REQUEST', { message: `"${text.slice(0, 40)}" is not a resource version.` })
}

function expired(version: bigint, oldest: bigint): Error {
  return fail('EXPIRED', { message: `too old resource version: ${version} (${oldest})` })
}
