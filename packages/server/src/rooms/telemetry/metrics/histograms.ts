/** OpenTelemetry's histograms as buckets with upper bounds, counted from below as Prometheus does. Pure. */

/** How many were at most `le`; without that of everything. */
export interface Bucket {
  le: number
  count: number
}

const mostBuckets = 500

/** Undefined when counts and bounds do not fit each other. */
export function explicitBuckets(bounds: readonly number[], counts: readonly number[]): Bucket[] | undefined {
  if (counts.length === 0) return []
  if (counts.length !== bounds.length + 1 || bounds.length > mostBuckets || bounds.some((bound, index) => !Number.isFinite(bound) || (index > 0 && bound <= bounds[index - 1]!))) return undefined
  let below = 0
  return bounds.map((le, index) => ({ le, count: (below += counts[index]!) }))
}

export interface Exponential {
  /** Bounds are the powers of 2^(2^-scale). */
  scale: number
  zeroCount: number
  zeroThreshold: number
  positive: { offset: number; counts: readonly number[] }
  negative: { offset: number; counts: readonly number[] }
}

/** Two bounds for each doubling are kept: finer ones would make a series each. */
const finestScale = 1
/** Differences need bounds that are the same whatever was measured: powers of two, from a tenth of a millisecond to 17 billion. */
const fixedPowers = { first: -14, last: 34 }

/**
 * Exact at each bound that is given, because bounds of a coarser scale are bounds of a finer one. `fixed`: always the same
 * bounds, so that differences of each can be added up. Undefined for what cannot be.
 */
export function exponentialBuckets({ scale, zeroCount, zeroThreshold, positive, negative }: Exponential, fixed: boolean): Bucket[] | undefined {
  if (!Number.isInteger(scale) || scale < -10 || scale > 20) return undefined
  if (positive.counts.length > mostBuckets || negative.counts.length > mostBuckets) return undefined
  // A measurement is counted below the upper bound of its bucket; of a negative one that is the bound nearer to zero.
  const upper = (index: number): number => 2 ** ((index + 1) * 2 ** -scale)
  const exact = (index: number): number => {
    const step = Math.max(0, scale - (fixed ? 0 : finestScale))
    const groups = 2 ** step
    return 2 ** ((Math.floor(index / groups) + 1) * groups * 2 ** -scale)
  }
  const counts = new Map<number, number>()
  const add = (le: number, count: number): void => {
    counts.set(le, (counts.get(le) ?? 0) + count)
  }
  for (const [index, count] of negative.counts.entries()) if (count > 0) add(-upper(negative.offset + index - 1), count)
  if (zeroCount > 0) add(Math.max(0, zeroThreshold), zeroCount)
  for (const [index, count] of positive.counts.entries()) if (count > 0) add(exact(positive.offset + index), count)
  if (!fixed) return counted([...counts].sort(([one], [other]) => one - other))
  const bounds = Array.from({ length: fixedPowers.last - fixedPowers.first + 1 }, (_, index) => 2 ** (fixedPowers.first + index))
  return [0, ...bounds].map((le) => ({ le, count: [...counts].reduce((sum, [bound, count]) => (bound <= le ? sum + count : sum), 0) }))
}

function counted(sorted: [number, number][]): Bucket[] {
  let below = 0
  return sorted.map(([le, count]) => ({ le, count: (below += count) }))
}
