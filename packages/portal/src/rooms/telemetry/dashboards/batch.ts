/** Queries of many panels go in one request; each panel has its answer as soon as it is there. */
import type { AskedQuery, QueryAnswer } from '@pavior/contract'
import { ApiError, postLines } from '../../../frame/api.ts'

/** Panels that come into sight together ask together. */
const gatherMs = 20
/** As many as the server takes at once. */
const mostTogether = 60

export interface AskedTime {
  /** Seconds since the epoch. */
  from: number
  until: number
  step: number
}

interface Waiting {
  query: AskedQuery
  signal: AbortSignal
  resolve: (answer: QueryAnswer) => void
  reject: (error: unknown) => void
}

const gathering = new Map<string, Waiting[]>()

/** The answer to one query; it may hold an error of its own. */
export function ask(team: string, time: AskedTime, query: AskedQuery, signal: AbortSignal): Promise<QueryAnswer> {
  return new Promise((resolve, reject) => {
    const key = JSON.stringify([team, time])
    const waiting = gathering.get(key)
    if (waiting) waiting.push({ query, signal, resolve, reject })
    else {
      gathering.set(key, [{ query, signal, resolve, reject }])
      window.setTimeout(() => {
        const all = gathering.get(key)!
        gathering.delete(key)
        for (let from = 0; from < all.length; from += mostTogether) void send(team, time, all.slice(from, from + mostTogether))
      }, gatherMs)
    }
  })
}

async function send(team: string, time: AskedTime, waiting: Waiting[]): Promise<void> {
  const wanted = waiting.filter(({ signal }) => !signal.aborted)
  if (wanted.length === 0) return
  // Given up when nobody waits any more.
  const gone = new AbortController()
  let left = wanted.length
  for (const { signal, reject } of wanted) {
    signal.addEventListener('abort', () => {
      reject(signal.reason)
      if (--left === 0) gone.abort()
    })
  }
  try {
    await postLines<QueryAnswer>(`/v1/teams/${encodeURIComponent(team)}/queries`, { ...time, queries: wanted.map(({ query }) => query) }, (answer) => wanted[answer.index]?.resolve(answer), gone.signal)
    for (const { reject } of wanted) reject(new ApiError(0, { message: 'The answer ended before all queries were answered.' }))
  } catch (error) {
    for (const { reject } of wanted) reject(error)
  }
}
