/** The router's single requests as spans. Pure. */
import type { RequestSpan, Span } from '@pavior/contract'

const serverErrors = 500

export function spanOfRequest({ at, durationMs, sentMs, answeredMs, traceId, spanId, parentId, requestId, method, host, path, status, error, team, app, environment, release, instance, tries, woke, fault, bytesIn, bytesOut }: RequestSpan): Span {
  return {
    traceId, spanId, ...(parentId === undefined ? {} : { parentId }), team, app, environment, ...(release > 0 ? { release } : {}), ...(instance === '' ? {} : { instance }),
    name: `${method} ${path}`,
    kind: 'server',
    atMs: Date.parse(at),
    durationMs,
    failed: status >= serverErrors || error !== undefined,
    attributes: {},
    events: [],
    links: [],
    request: {
      requestId, method, host, path, status, ...(error === undefined ? {} : { error }), tries, woke: woke ?? false, ...(fault === undefined ? {} : { fault }),
      ...(sentMs === undefined ? {} : { sentMs }), ...(answeredMs === undefined ? {} : { answeredMs }), bytesIn, bytesOut,
    },
  }
}
