/** Which runbooks of the team fit an incident, by the words that they name and by their app. Pure. */
import type { ProposedRunbook } from '@pavior/contract'
import type { Alert, Incident, Runbook } from './types.ts'

const mostProposed = 5

/** The one that the alert names first, then by how many of their words fit. */
export function proposedRunbooks(books: readonly Runbook[], { spec }: Pick<Incident, 'spec'>, alerts: readonly Alert[]): ProposedRunbook[] {
  const text = [spec.title, ...alerts.flatMap((alert) => [alert.spec.summary, alert.spec.source.name, ...(alert.status?.examples ?? []).map((example) => example.text ?? '')])].join('\n').toLowerCase()
  const named = new Set([spec.runbook, ...alerts.map((alert) => alert.spec.runbook)])
  return books
    .filter((book) => book.spec.app === undefined || book.spec.app === spec.app)
    .map((book) => ({ book, words: (book.spec.symptoms ?? []).filter((word) => hasWord(text, word.toLowerCase())), isNamed: named.has(book.metadata.name) }))
    .filter(({ words, isNamed }) => isNamed || words.length > 0)
    .toSorted((one, other) => Number(other.isNamed) - Number(one.isNamed) || other.words.length - one.words.length || one.book.metadata.name.localeCompare(other.book.metadata.name))
    .slice(0, mostProposed)
    .map(({ book, words, isNamed }) => ({ name: book.metadata.name, title: book.spec.title, why: isNamed ? 'The alert names it.' : `It is for ${words.map((word) => `“${word}”`).join(', ')}.`, ...(book.status?.stale ? { stale: true } : {}) }))
}

/** Whole words, so that "api" is not found in "rapid". */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) if (!isLetter(text[at - 1]) && !isLetter(text[at + word.length])) return true
  return false
}

function isLetter(sign: string | undefined): boolean {
  return sign !== undefined && /[\p{L}\p{N}]/u.test(sign)
}
