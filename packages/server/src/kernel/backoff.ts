/** How long to wait before something that failed is tried again. Pure. */

/** Half of the pause is fixed, half is by lot, so that what failed together does not come back together. */
const fixedShare = 0.5

export interface Pauses {
  firstMs: number
  longestMs: number
}

/** After so many failures; `lot` is from 0 to 1. What the other side asks for, in milliseconds, counts within bounds. */
export function pauseAfter(failures: number, { firstMs, longestMs }: Pauses, asked: number | undefined, lot: number): number {
  const pause = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20))
  const own = pause * (fixedShare + (1 - fixedShare) * lot)
  return Math.round(Math.min(longestMs, Math.max(own, asked ?? 0)))
}
