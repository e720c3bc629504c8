/** What somebody chose in the palette lately, in this browser. */

const storageKey = 'pavior.palette.recent'
const mostKept = 12

/** Ids, the newest first. */
export function recentIds(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return []
  }
}

export function rememberChoice(id: string): void {
  localStorage.setItem(storageKey, JSON.stringify([id, ...recentIds().filter((other) => other !== id)].slice(0, mostKept)))
}
