/** Watches: a JSON object a line, as long as the caller listens and the server runs. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { fail, type Resource } from '@pavior/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { asPaviorError, failureStatus } from '../kube/status.ts'
import { makeTable, partialMetadata } from '../kube/table.ts'
import type { Logger } from '../log.ts'
import type { Change } from '../resources/types.ts'
import { negotiate, type Wanted } from './negotiation.ts'
import { flag, includeObject, parameter, wholeNumber, type Query } from './query.ts'
import type { Presentation } from './respond.ts'

const initialEventsEnd = 'k8s.io/initial-events-end'

export interface WatchRequest<R extends object> {
  presentation: Presentation<R>
  /** Begins the watch; throws at once when it is not allowed. */
  open: (options: { resourceVersion: string | undefined; signal: AbortSignal }) => AsyncIterable<Change>
  /** The version to begin from when the caller wants no initial state. */
  currentVersion: () => Promise<string>
  /** Resources as this endpoint shows them. */
  show: (resource: Resource) => R
}

export class Watches {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #timeoutMs: number
  readonly #running = new Set<AbortController>()
  #closed = false
  /** Changes are shared by all watchers of a process; each is written as JSON once. */
  readonly #texts = new WeakMap<object, string>()

  constructor(clock: Clock, log: Logger, timeoutMs: number) {
    this.#clock = clock
    this.#log = log
    this.#timeoutMs = timeoutMs
  }

  get count(): number {
    return this.#running.size
  }

  /** Ends every watch; clients resume elsewhere. */
  close(): void {
    this.#closed = true
    for (const controller of this.#running) controller.abort()
  }

  async serve<R extends object>(request: FastifyRequest, reply: FastifyReply, watch: WatchRequest<R>): Promise<void> {
    if (this.#closed) throw fail('SHUTTING_DOWN', { message: 'The server is stopping.' })
    const query = request.query as Query
    const wanted = negotiate(request.headers.accept)
    const { start, bookmarks, markInitial } = startOf(query)
    const seconds = wholeNumber(query, 'timeoutSeconds')
    const columns = wanted.form === 'Table' ? includeObject(query) : 'None'
    const resourceVersion = start === 'now' ? await watch.currentVersion() : start
    const controller = new AbortController()
    const changes = watch.open({ resourceVersion, signal: controller.signal })

    const timer = setTimeout(() => controller.abort(), Math.min(this.#timeoutMs, seconds ? seconds * 1000 : this.#timeoutMs))
    const { raw } = reply
    const stop = (): void => controller.abort()
    request.endWith = (error) => {
      if (controller.signal.aborted || raw.destroyed) return
      this.#fail(request, raw, error)
      stop()
    }
    this.#running.add(controller)
    raw.on('close', stop)
    reply.hijack()
    let headers = true
    let initial = markInitial
    const line = (change: Change): string | undefined => {
      if (change.type === 'BOOKMARK') {
        if (!bookmarks) return undefined
        const text = this.#bookmark(watch.presentation, wanted, change.resourceVersion, initial)
        initial = false
        return text
      }
      const text = `{"type":"${change.type}","object":${this.#text(watch, wanted, change.object, columns, headers)}}\n`
      headers = false
      return text
    }
    try {
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'application/json',
        'cache-control': 'no-cache, private',
        'x-request-id': request.id,
      })
      raw.flushHeaders()
      await pour(raw, changes, line, controller.signal)
    } catch (error) {
      if (!controller.signal.aborted && !raw.destroyed) this.#fail(request, raw, error)
    } finally {
      clearTimeout(timer)
      raw.off('close', stop)
      this.#running.delete(controller)
      controller.abort()
      if (!raw.destroyed) raw.end()
    }
  }

  #text<R extends object>(
    { presentation, show }: WatchRequest<R>,
    wanted: Wanted,
    object: Resource,
    columns: 'None' | 'Metadata' | 'Object',
    headers: boolean,
  ): string {
    if (wanted.form === 'Object') {
      if (show !== (same as unknown)) return JSON.stringify(show(object))
      let text = this.#texts.get(object)
      if (text === undefined) this.#texts.set(object, (text = JSON.stringify(object)))
      return text
    }
    const shown = show(object)
    const apiVersion = `meta.k8s.io/${wanted.version}`
    if (wanted.form === 'PartialObjectMetadata') return JSON.stringify(partialMetadata(shown as { metadata: object }, apiVersion))
    const metadata = { resourceVersion: object.metadata.resourceVersion }
    return JSON.stringify(
      makeTable(presentation.table, [shown], { metadata, includeObject: columns, apiVersion, headers, now: this.#clock.now() }),
    )
  }

  #bookmark({ kind, apiVersion, table }: Presentation<never>, wanted: Wanted, resourceVersion: string, initial: boolean): string {
    const metadata = { resourceVersion, creationTimestamp: null, ...(initial ? { annotations: { [initialEventsEnd]: 'true' } } : {}) }
    const meta = `meta.k8s.io/${wanted.version}`
    const object =
      wanted.form === 'Table'
        ? makeTable(table, [], {
            metadata: { resourceVersion },
            includeObject: 'None',
            apiVersion: meta,
            headers: false,
            now: this.#clock.now(),
          })
        : wanted.form === 'PartialObjectMetadata'
          ? { kind: 'PartialObjectMetadata', apiVersion: meta, metadata }
          : { kind, apiVersion, metadata }
    return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`
  }

  /** Headers have gone out: what goes wrong now is an event. */
  #fail(request: FastifyRequest, raw: ServerResponse, error: unknown): void {
    const known = asPaviorError(error, request.id)
    if (known.code === 'INTERNAL') this.#log.error({ err: error, requestId: request.id }, 'a watch failed')
    raw.write(`${JSON.stringify({ type: 'ERROR', object: failureStatus(known) })}\n`)
  }
}

/** For resources that are shown as they are, so that watchers share their text. */
export const same = (resource: Resource): Resource => resource

async function pour(
  raw: ServerResponse,
  changes: AsyncIterable<Change>,
  line: (change: Change) => string | undefined,
  signal: AbortSignal,
): Promise<void> {
  for await (const change of changes) {
    if (signal.aborted) return
    const text = line(change)
    if (text !== undefined && !raw.write(text)) await once(raw, 'drain', { signal })
  }
}

/** Where the watch begins, and which bookmarks it gets, by the parameters of the Kubernetes API. */
function startOf(query: Query): { start: string | undefined; bookmarks: boolean; markInitial: boolean } {
  const bookmarks = flag(query, 'allowWatchBookmarks')
  const resourceVersion = parameter(query, 'resourceVersion')
  const sendInitial = parameter(query, 'sendInitialEvents')
  if (sendInitial === undefined) return { start: resourceVersion, bookmarks, markInitial: false }
  if (parameter(query, 'resourceVersionMatch') !== 'NotOlderThan') {
    throw fail('INVALID', {
      message: 'sendInitialEvents needs resourceVersionMatch=NotOlderThan.',
      causes: [
        {
          field: 'resourceVersionMatch',
          reason: 'FieldValueRequired',
          message: 'Required value: must be NotOlderThan when sendInitialEvents is given',
        },
      ],
    })
  }
  if (flag(query, 'sendInitialEvents')) return { start: undefined, bookmarks, markInitial: true }
  return { start: resourceVersion === undefined || resourceVersion === '0' ? 'now' : resourceVersion, bookmarks, markInitial: false }
}
