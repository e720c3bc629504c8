/** Sums that lose little, quantiles and lines, step by step as Prometheus computes them: only so do the last digits agree. */

/** Kahan's sum with Neumaier's improvement. */
export class ExactSum {
  sum = 0
  rest = 0

  add(value: number): void {
    const total = this.sum + value
    this.rest += Math.abs(this.sum) >= Math.abs(value) ? this.sum - total + value : value - total + this.sum
    this.sum = total
  }

  get value(): number {
    return this.sum + this.rest
  }
}

/** Interpolated between the two nearest; NaN counts as the smallest. `values` is put in order. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  sortNanFirst(values)
  const rank = q * (values.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(values.length - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return values[lower]! * (1 - weight) + values[upper]! * weight
}

function sortNanFirst(values: Float64Array): void {
  values.sort()
  const numbers = values.findLastIndex((value) => !Number.isNaN(value)) + 1
  if (numbers === values.length) return
  values.copyWithin(values.length - numbers, 0, numbers)
  values.fill(NaN, 0, values.length - numbers)
}

/** The line of least squares through points `from` to `to`; x is seconds since `zeroMs`. */
export function lineThrough(times: Float64Array, values: Float64Array, from: number, to: number, zeroMs: number): { slope: number; intercept: number } {
  const [sumX, sumY, sumXY, sumXX] = [new ExactSum(), new ExactSum(), new ExactSum(), new ExactSum()]
  const first = values[from]!
  let constant = true
  for (let index = from; index < to; index++) {
    const [x, y] = [(times[index]! - zeroMs) / 1000, values[index]!]
    if (y !== first) constant = false
    sumX.add(x)
    sumY.add(y)
    sumXY.add(x * y)
    sumXX.add(x * x)
  }
  if (constant) return Number.isFinite(first) ? { slope: 0, intercept: first } : { slope: NaN, intercept: NaN }
  const count = to - from
  const slope = (sumXY.value - (sumX.value * sumY.value) / count) / (sumXX.value - (sumX.value * sumX.value) / count)
  return { slope, intercept: sumY.value / count - (slope * sumX.value) / count }
}
