/** Which keys sign, which are published, which have to be made: pure. */

export type Algorithm = 'ES256' | 'RS256'
export const algorithms: Algorithm[] = ['ES256', 'RS256']

export interface KeyTimes {
  id: string
  algorithm: Algorithm
  signsFrom: Date
  retiresAt: Date
  goneAt: Date
}

export interface KeySettings {
  /** How long a key signs. */
  signsMs: number
  /** How long a key is published before it signs, so that whoever keeps a copy has it by then. */
  overlapMs: number
  /** Longest life of a token; a key is published until the last one that it signed has ended. */
  longestTokenMs: number
}

export interface NewKey {
  algorithm: Algorithm
  signsFrom: Date
  retiresAt: Date
  goneAt: Date
}

/** The keys that are missing now, and those that nobody needs any more. */
export function planKeys(keys: KeyTimes[], now: Date, { signsMs, overlapMs, longestTokenMs }: KeySettings): { make: NewKey[]; remove: string[] } {
  const make = algorithms.flatMap((algorithm): NewKey[] => {
    const latest = keys.filter((key) => key.algorithm === algorithm).toSorted((one, other) => other.retiresAt.getTime() - one.retiresAt.getTime())[0]
    const signsUntil = latest?.retiresAt.getTime() ?? 0
    if (signsUntil - overlapMs > now.getTime()) return []
    const signsFrom = new Date(Math.max(signsUntil, now.getTime()))
    const retiresAt = new Date(signsFrom.getTime() + signsMs)
    return [{ algorithm, signsFrom, retiresAt, goneAt: new Date(retiresAt.getTime() + longestTokenMs + overlapMs) }]
  })
  return { make, remove: keys.filter(({ goneAt }) => goneAt <= now).map(({ id }) => id) }
}

/** The key that signs now. */
export function signingKey<K extends KeyTimes>(keys: K[], algorithm: Algorithm, now: Date): K | undefined {
  return keys.filter((key) => key.algorithm === algorithm && key.signsFrom <= now && now < key.retiresAt).toSorted((one, other) => other.signsFrom.getTime() - one.signsFrom.getTime())[0]
}
