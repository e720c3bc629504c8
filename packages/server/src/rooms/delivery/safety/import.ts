/** Takes in advisories of OSV, all of them or none. */
import { fail } from '@pavior/contract'
import type { Database } from '../../../kernel/db/index.ts'
import type { Advisory } from './osv.ts'
import { addAdvisories, endImport, nextImport } from './store.ts'

const batch = 500

export interface Imported {
  ecosystems: { ecosystem: string; advisories: number; newestAt: string }[]
}

type Entry = Parameters<typeof addAdvisories>[2][number]

/** Throws ADVISORIES_INVALID with the line; what was there before stays then. */
export function importAdvisories(database: Database, lines: AsyncIterable<string>): Promise<Imported> {
  return database.transaction(async (tx) => {
    const number = await nextImport(tx)
    const counts = new Map<string, { advisories: number; newest: string }>()
    let entries: Entry[] = []
    let line = 0
    const flush = async (): Promise<void> => {
      // One statement must not name a row twice.
      const once = new Map(entries.map((entry) => [`${entry.ecosystem} ${entry.package} ${entry.id}`, entry]))
      if (once.size > 0) await addAdvisories(tx, number, [...once.values()])
      entries = []
    }
    for await (const text of lines) {
      line++
      if (text.trim() === '') continue
      const advisory = advisoryIn(text, line)
      entries.push(...entriesOf(advisory))
      for (const ecosystem of new Set((advisory.affected ?? []).flatMap((one) => one.package?.ecosystem?.split(':', 1)[0] ?? []))) {
        const { advisories = 0, newest = '' } = counts.get(ecosystem) ?? {}
        counts.set(ecosystem, { advisories: advisories + 1, newest: advisory.modified > newest ? advisory.modified : newest })
      }
      if (entries.length >= batch) await flush()
    }
    await flush()
    if (counts.size === 0) throw fail('ADVISORIES_INVALID', { message: 'There was no advisory in what was sent.' })
    await endImport(tx, number, counts)
    return { ecosystems: [...counts].map(([ecosystem, { advisories, newest }]) => ({ ecosystem, advisories, newestAt: newest })) }
  })
}

function advisoryIn(text: string, line: number): Advisory {
  const wrong = (why: string): Error => fail('ADVISORIES_INVALID', { message: `Line ${line} is no advisory: ${why}`, state: 'Nothing was imported; what was known before stays.' })
  let parsed: Partial<Advisory>
  try {
    parsed = JSON.parse(text) as Partial<Advisory>
  } catch {
    throw wrong('it is no JSON.')
  }
  if (typeof parsed !== 'object' || parsed === null || typeof parsed.id !== 'string' || parsed.id.length > 200) throw wrong('it has no id.')
  if (typeof parsed.modified !== 'string' || Number.isNaN(Date.parse(parsed.modified))) throw wrong('it does not say when it was modified.')
  if (parsed.affected !== undefined && !Array.isArray(parsed.affected)) throw wrong('what it affects is no list.')
  return parsed as Advisory
}

/** For each package what it is asked for: the rest of the text stays outside. */
function entriesOf({ id, aliases, modified, withdrawn, summary, details, severity, affected = [], database_specific: own }: Advisory): Entry[] {
  const short = { id, aliases, modified, withdrawn, summary, details: summary === undefined ? details?.slice(0, 300) : undefined, severity, database_specific: own?.severity === undefined ? undefined : { severity: own.severity } }
  const packages = new Map<string, { ecosystem: string; name: string }>()
  for (const { package: one } of affected) if (typeof one?.ecosystem === 'string' && typeof one.name === 'string') packages.set(`${one.ecosystem} ${one.name}`, { ecosystem: one.ecosystem, name: one.name })
  return [...packages.values()].map(({ ecosystem, name }) => ({
    ecosystem,
    package: name,
    id,
    data: { ...short, affected: affected.filter((one) => one.package?.ecosystem === ecosystem && one.package.name === name) } as Advisory,
  }))
}
