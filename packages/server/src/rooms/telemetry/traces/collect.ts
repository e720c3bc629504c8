/** Takes the requests that the router told one by one, once. */
import type { Database } from '../../../kernel/db/index.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { SpanSource } from '../ports.ts'
import { spanOfRequest } from './router.ts'
import { takeSpooled, type Known } from '../spooled.ts'
import { insertSpans } from './store.ts'

const intervalMs = 500

/** Gives how many were taken. */
export function takeSpans(database: Database, source: SpanSource, known: Known = { sequence: 0 }): Promise<number> {
  return takeSpooled(database, `${source.name}/spans`, (after) => source.spans(after), (tx, records) => insertSpans(tx, records.map(spanOfRequest)), known)
}

export function createSpanCollector({ database, source, log }: { database: Database; source: SpanSource; log: Logger }): Part {
  const known = { sequence: 0 }
  return recurring({
    name: 'requests',
    pauseMs: every(intervalMs),
    once: async () => {
      // A full batch means that there is more.
      while ((await takeSpans(database, source, known)) > 0);
    },
    failed: ({ message }) => log.warn({ err: message }, 'requests that the router told of could not be taken; they wait there'),
  })
}
