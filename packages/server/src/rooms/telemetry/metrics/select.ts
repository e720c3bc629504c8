/** Series for whoever evaluates: which there are, then their points out of blocks and of what has just come. */
import { fail } from '@pavior/contract'
import type { Database } from '../../../kernel/db/index.ts'
import { merge, within } from './plan.ts'
import type { Selection, SeriesSource } from './series.ts'
import { findSeries, readMetadata, readPoints, seenSeries } from './store.ts'

const mostSeries = 10_000
const mostPoints = 1_000_000
/** Blocks reach out of the window on both sides. */
const mostRead = mostPoints * 2
/** A series is noted as seen only now and then. */
export const seenEveryMs = 600_000

type Found = Awaited<ReturnType<typeof findSeries>>

export function createSeriesSource(database: Database): SeriesSource {
  const find = async ({ teams, matchers, fromMs, untilMs }: Selection, signal: AbortSignal): Promise<{ found: Found; ids: number[]; owners: string[]; window: { fromMs: number; untilMs: number } }> => {
    const found = await findSeries(database, { teams, matchers: usable(matchers), fromMs: fromMs - seenEveryMs * 2, most: mostSeries + 1 }).catch(badPattern)
    signal.throwIfAborted()
    if (found.length > mostSeries) throw tooLarge(`more than ${mostSeries} series`)
    return { found, ids: found.map(({ id }) => id), owners: [...new Set(found.map(({ team, app }) => `${team}/${app}`))], window: { fromMs: Math.ceil(fromMs), untilMs: Math.floor(untilMs) } }
  }
  return {
    select: async (selection, signal) => {
      const { found, ids, owners, window } = await find(selection, signal)
      const parts = await readPoints(database, ids, owners, { ...window, most: mostRead })
      signal.throwIfAborted()
      if (!parts) throw tooLarge(`more than ${mostPoints} points`)
      const series = found.flatMap(({ id, labels }) => {
        const own = parts.get(id)
        const points = own && within(merge(own), window.fromMs, window.untilMs)
        return points && points.times.length > 0 ? [{ labels, ...points }] : []
      })
      if (series.reduce((sum, { times }) => sum + times.length, 0) > mostPoints) throw tooLarge(`more than ${mostPoints} points`)
      return series
    },
    series: async (selection, signal) => {
      const { found, ids, owners, window } = await find(selection, signal)
      const seen = await seenSeries(database, ids, owners, window)
      return found.filter(({ id }) => seen.has(id)).map(({ labels }) => labels)
    },
    metadata: (teams) => readMetadata(database, teams),
  }
}

/** Backward references do not exist in PromQL; in the database they would take for ever. */
function usable(matchers: Selection['matchers']): Selection['matchers'] {
  for (const { op, value } of matchers) {
    if ((op === '=~' || op === '!~') && /\\[1-9]/.test(value)) throw fail('BAD_REQUEST', { message: `The regular expression "${value}" refers back to a group.`, fix: 'Write it without \\1.' })
  }
  return matchers
}

function badPattern(error: Error): never {
  if ((error as { code?: string }).code === '2201B') throw fail('BAD_REQUEST', { message: 'A regular expression of the selection is not valid.', why: error.message })
  throw error
}

function tooLarge(what: string): Error {
  return fail('QUERY_TOO_LARGE', { message: `The question is about ${what}.` })
}
