/** Which entries the palette shows, in which order. Pure. */
import { fuzzyScore } from './fuzzy.ts'

interface Rankable {
  id: string
  label: string
  note?: string
  keywords?: string
  cli?: string
  group: string
}

const mostShown = 40
/** What one used lately is likely meant again; the newest most. */
const recentBonus = 80
/** Apps, teams and people are looked for more often than what the platform makes by itself. */
const everydayKinds = /^(App|Team|User|Environment)\b/
const everydayBonus = 40
/** A word beside the name counts less than the name. */
const besideFactor = 0.5

/** Without a query: what was used lately, then what can be gone to and done. `recent` are ids, the newest first. */
export function rank<E extends Rankable>(query: string, entries: E[], recent: string[]): E[] {
  const place = new Map(recent.map((id, index) => [id, index]))
  if (query.trim() === '') {
    const lately = entries.filter(({ id }) => place.has(id)).toSorted((one, other) => place.get(one.id)! - place.get(other.id)!)
    return [...lately, ...entries.filter(({ id, group }) => group !== 'Found' && !place.has(id))].slice(0, mostShown)
  }
  return entries
    .flatMap((entry) => {
      const score = entryScore(query, entry)
      if (score === undefined) return []
      const at = place.get(entry.id)
      return [{ entry, score: score + (at === undefined ? 0 : recentBonus / (1 + at)) + (everydayKinds.test(entry.note ?? '') ? everydayBonus : 0) }]
    })
    .toSorted((one, other) => other.score - one.score)
    .slice(0, mostShown)
    .map(({ entry }) => entry)
}

function entryScore(query: string, { label, note, keywords, cli }: Rankable): number | undefined {
  const own = fuzzyScore(query, label)
  if (own !== undefined && own >= 200) return own
  const beside = fuzzyScore(query, [label, note, keywords, cli].filter(Boolean).join(' '))
  return own === undefined && beside === undefined ? undefined : Math.max(own ?? 0, (beside ?? 0) * besideFactor)
}
