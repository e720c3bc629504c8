/** Takes the requests that the router told one by one, once. */
import type { Span } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { SpanSource } from '../ports.ts'
import { spanOfRequest } from './router.ts'
import { takeSpooled, type Known } from '../spooled.ts'
import { insertSpans } from './store.ts'

const intervalMs = 500

/** In the transaction that stores them. */
export type SendOn = (tx: Tx, spans: readonly Span[]) => Promise<void>

/** Gives how many were taken. */
export function takeSpans(database: Database, source: SpanSource, sendOn: SendOn, known: Known = { sequence: 0 }): Promise<number> {
  return takeSpooled(database, `${source.name}/spans`, (after) => source.spans(after), async (tx, records) => {
    const spans = records.map(spanOfRequest)
    await insertSpans(tx, spans)
    await sendOn(tx, spans)
  }, known)
}

export function createSpanCollector({ database, source, log, sendOn }: { database: Database; source: SpanSource; log: Logger; sendOn: SendOn }): Part {
  const known = { sequence: 0 }
  return recurring({
    name: 'requests',
    pauseMs: every(intervalMs),
    once: async () => {
      // A full batch means that there is more.
      while ((await takeSpans(database, source, sendOn, known)) > 0);
    },
    failed: ({ message }) => log.warn({ err: message }, 'requests that the router told of could not be taken; they wait there'),
  })
}
