/** Parts of batches of points. Pure. Bits of values are copied, because those of a NaN say that a series ended. */
import type { Points } from '../metrics/encoding.ts'

export interface Slice {
  taken: [id: number, points: Points][]
  count: number
  bytes: number
  /** Points of the batch up to where it ends, of any series; undefined: all of it. */
  done: number | undefined
}

/** `weigh`: bytes of what names a series; undefined for one that is not wanted. At least one point is taken when there is one. */
export function takePoints(batch: readonly (readonly [id: number, points: Points])[], room: { skip: number; items: number; bytes: number }, weigh: (id: number) => number | undefined): Slice {
  const slice: Slice = { taken: [], count: 0, bytes: 0, done: undefined }
  let at = 0
  for (const [id, { times, values }] of batch) {
    const begin = Math.max(0, room.skip - at)
    const weight = begin < times.length ? weigh(id) : undefined
    if (weight !== undefined) {
      if (slice.count >= room.items || slice.bytes >= room.bytes) return { ...slice, done: at + begin }
      const end = Math.min(times.length, begin + room.items - slice.count)
      slice.taken.push([id, { times: times.subarray(begin, end), values: values.subarray(begin, end) }])
      slice.count += end - begin
      slice.bytes += weight
      if (end < times.length) return { ...slice, done: at + end }
    }
    at += times.length
  }
  return slice
}

/** One after the other. */
export function joined(parts: readonly Points[]): Points {
  if (parts.length === 1) return parts[0]!
  const length = parts.reduce((sum, { times }) => sum + times.length, 0)
  const [times, bits] = [new Float64Array(length), new BigUint64Array(length)]
  let at = 0
  for (const part of parts) {
    times.set(part.times, at)
    bits.set(new BigUint64Array(part.values.slice().buffer), at)
    at += part.times.length
  }
  return { times, values: new Float64Array(bits.buffer) }
}
