/** Takes the requests that the router told one by one, once. */
import type { Database } from '../../../kernel/db/index.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { SpanSource } from '../ports.ts'
import { spanOfRequest } from './router.ts'
import { insertSpans, lockTaken, noteTaken } from './store.ts'

const intervalMs = 500

/**
 * The spans and how far they go commit together: none is lost, none comes twice, whichever server takes them. Gives how many.
 * `known`: how far an earlier call of this process went; when there is nothing beyond, the database is left alone.
 */
export async function takeSpans(database: Database, source: SpanSource, known: { sequence: number } = { sequence: 0 }): Promise<number> {
  const there = await source.spans(known.sequence)
  if (there.records.length === 0 && there.last >= known.sequence) return 0
  const { taken, upTo } = await take(database, source)
  known.sequence = upTo ?? known.sequence
  return taken
}

function take(database: Database, source: SpanSource): Promise<{ taken: number; upTo?: number }> {
  return database.transaction(async (tx) => {
    const after = await lockTaken(tx, source.name)
    if (after === undefined) return { taken: 0 }
    const { records, last } = await source.spans(after)
    if (records.length === 0) {
      // Its numbers began anew, so it is another spool than the one that was taken from.
      if (last < after) await noteTaken(tx, source.name, 0)
      return { taken: 0, upTo: last < after ? 0 : last }
    }
    await insertSpans(tx, records.map(spanOfRequest))
    await noteTaken(tx, source.name, last)
    return { taken: records.length, upTo: last }
  })
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
