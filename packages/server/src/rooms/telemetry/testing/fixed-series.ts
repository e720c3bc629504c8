/** Two hours of made-up metrics, the same every time: counters that reset, gaps, stale markers, histograms, labels that are missing. */
import type { Series } from '../metrics/series.ts'

/** A full hour, so that subqueries have round steps. */
export const firstMs = Date.UTC(2026, 0, 5, 10)
export const lastMs = firstMs + 2 * 3600_000
const everyMs = 15_000

const staleMarker = new Float64Array(new Uint32Array([2, 0x7ff00000]).buffer)

/** Numbers between 0 and 1, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface Shape {
  /** Undefined: no point then. */
  value: (step: number, random: number) => number | undefined
  everyMs?: number
  /** Steps at which the series ends with a marker. */
  stale?: number[]
}

function series(labels: Record<string, string>, seed: number, { value, everyMs: interval = everyMs, stale = [] }: Shape): Series {
  const random = chance(seed)
  const points: [number, number][] = []
  for (let step = 0; firstMs + step * interval <= lastMs; step++) {
    const jitter = Math.floor(random() * 900)
    const each = value(step, random())
    if (each !== undefined || stale.includes(step)) points.push([firstMs + step * interval + jitter, stale.includes(step) ? NaN : each!])
  }
  const values = Float64Array.from(points, ([, each]) => each)
  // A number would lose the bits of the marker.
  const bits = new Uint32Array(values.buffer)
  const marker = new Uint32Array(staleMarker.buffer)
  const steps = points.map(([time]) => Math.floor((time - firstMs) / interval))
  for (const [index, step] of steps.entries()) if (stale.includes(step)) bits.set(marker, index * 2)
  return { labels, times: Float64Array.from(points, ([time]) => time), values }
}

/** Rises by about `rate` a second, and begins anew at some steps. */
function counter(rate: number, resets: number[] = [], gap: [number, number] = [-1, -1]): Shape {
  let total = 0
  return {
    value: (step, random) => {
      total = resets.includes(step) ? Math.floor(random * 10) : total + Math.floor(random * rate * 30)
      return step >= gap[0] && step <= gap[1] ? undefined : total
    },
  }
}

const wave = (base: number, height: number, period: number): Shape => ({ value: (step, random) => base + height * Math.sin(step / period) + random })

const bounds = ['0.005', '0.05', '0.1', '0.5', '1', '+Inf']

function histogram(labels: Record<string, string>, seed: number): Series[] {
  return bounds.map((le, index) => series({ __name__: 'request_seconds_bucket', ...labels, le }, seed, counter(1 + index, seed % 2 === 0 ? [200] : [])))
}

export function fixedSeries(): Series[] {
  const requests = ['a', 'b', 'c'].flatMap((instance, index) =>
    ['200', '404', '500'].flatMap((code, place) =>
      series({ __name__: 'http_requests_total', job: index < 2 ? 'shop' : 'blog', instance, code, ...(place === 0 ? { method: 'GET' } : {}) }, 100 + index * 10 + place, counter(10 / (place * 3 + 1), index === 1 ? [100, 333] : [], index === 2 ? [220, 270] : undefined)),
    ),
  )
  return [
    ...requests,
    series({ __name__: 'memory_bytes', job: 'shop', instance: 'a' }, 1, wave(5e8, 1e8, 20)),
    series({ __name__: 'memory_bytes', job: 'shop', instance: 'b' }, 2, { ...wave(4e8, 5e7, 7), stale: [180] }),
    series({ __name__: 'memory_bytes', job: 'blog', instance: 'c' }, 3, { value: (step, random) => (step > 100 && step < 180 ? undefined : 1e8 + random * 1e7), stale: [101, 400] }),
    series({ __name__: 'temperature_celsius', room: 'north' }, 4, wave(0, 30, 50)),
    series({ __name__: 'temperature_celsius', room: 'south' }, 5, { value: (step, random) => (step % 97 === 0 ? NaN : step % 101 === 0 ? Infinity : random * 20 - 10) }),
    series({ __name__: 'temperature_celsius', room: 'cellar' }, 6, { value: () => 12 }),
    series({ __name__: 'queue_length', queue: 'mail' }, 7, { value: (_step, random) => Math.floor(random * 4) }),
    series({ __name__: 'queue_length', queue: 'jobs' }, 8, { value: (_step, random) => Math.floor(random * 3), everyMs: 60_000 }),
    series({ __name__: 'queue_length', queue: 'slow' }, 9, { value: (step) => step, everyMs: 400_000 }),
    series({ __name__: 'tiny_share', kind: 'x' }, 10, { value: (_step, random) => random * 1e-9 }),
    series({ __name__: 'tiny_share', kind: 'y' }, 11, { value: (_step, random) => random * 1e22 }),
    ...['a', 'b', 'c'].map((instance, index) => series({ __name__: 'node_info', instance, version: index === 1 ? 'v2' : 'v1', ...(index < 2 ? { zone: 'east' } : {}) }, 20 + index, { value: () => 1 })),
    series({ __name__: 'birthday_seconds', who: 'ada' }, 30, { value: () => 1_582_934_400.7 }),
    series({ __name__: 'birthday_seconds', who: 'bob' }, 31, { value: (step) => 951_782_400 + step * 86_400 * 3 }),
    ...histogram({ path: '/', instance: 'a' }, 40),
    ...histogram({ path: '/cart', instance: 'a' }, 41),
    ...histogram({ path: '/', instance: 'b' }, 42),
    series({ __name__: 'broken_bucket', le: '1' }, 50, counter(5)),
    series({ __name__: 'broken_bucket', le: 'many' }, 51, counter(5)),
    series({ __name__: 'only_inf_bucket', le: '+Inf' }, 52, counter(5)),
  ]
}
