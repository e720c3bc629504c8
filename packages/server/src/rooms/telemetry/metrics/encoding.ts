/**
 * Points as bytes, pure. Times are the change of their distance, so that a regular interval costs one byte a point. Values are
 * differences where all are whole numbers (counters), otherwise the bytes in which a value differs from the one before.
 */

/** Points of one series in the order of their times. */
export interface Points {
  /** Milliseconds since the epoch, whole. */
  times: Float64Array
  values: Float64Array
}

const wholeNumbers = 0
const differingBytes = 1
const largestDifference = 2 ** 51
/** What Prometheus writes where a series ended; a NaN of its own, told by its bits. */
const [staleHigh, staleLow] = [0x7ff00000, 2]

/**
 * Stands for "the series ended here" among plain numbers, where the bits of a NaN are not kept. Nothing measures it: it is the
 * third smallest number below zero.
 */
export const staleInput = -1.5e-323

/** Whether the point says that the series ended there. */
export function isStale(values: Float64Array, index: number): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2)
  return bits[1] === staleHigh && bits[0] === staleLow
}

/** Takes plain numbers over, with the mark of an ended series as its bits. */
export function pointsOf(times: readonly number[], values: readonly number[]): Points {
  const points = { times: new Float64Array(times), values: new Float64Array(values) }
  if (!values.includes(staleInput)) return points
  const bits = new Uint32Array(points.values.buffer)
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== staleInput) continue
    bits[index * 2] = staleLow
    bits[index * 2 + 1] = staleHigh
  }
  return points
}

class Writer {
  #bytes = Buffer.allocUnsafe(512)
  length = 0

  reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + more))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }

  byte(value: number): void {
    this.reserve(1)
    this.#bytes[this.length++] = value
  }

  /** Whole and not negative. */
  varint(value: number): void {
    this.reserve(8)
    let left = value
    while (left >= 0x80) {
      this.#bytes[this.length++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#bytes[this.length++] = left
  }

  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  append(other: Writer): void {
    this.reserve(other.length)
    other.#bytes.copy(this.#bytes, this.length, 0, other.length)
    this.length += other.length
  }

  taken(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length))
  }
}

class Reader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  byte(): number {
    return this.#bytes[this.at++]!
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#bytes[this.at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
  }

  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** A block: the points of one series. */
export function encodeBlock(points: Points): Buffer {
  const writer = new Writer()
  writePoints(writer, points, 0)
  return writer.taken()
}

export function decodeBlock(data: Uint8Array): Points {
  return readPoints(new Reader(data), 0)
}

function writePoints(writer: Writer, { times, values }: Points, baseMs: number): void {
  writer.varint(times.length)
  let before = baseMs
  let distance = 0
  for (const time of times) {
    const next = time - before
    writer.signed(next - distance)
    // The first is far from its base, and says nothing about the distance of the others.
    distance = before === baseMs ? 0 : next
    before = time
  }
  if (areDifferences(values)) {
    writer.byte(wholeNumbers)
    let last = 0
    for (const value of values) {
      writer.signed(value - last)
      last = value
    }
  } else {
    writer.byte(differingBytes)
    writeDifferingBytes(writer, values)
  }
}

function areDifferences(values: Float64Array): boolean {
  let last = 0
  for (const value of values) {
    if (!Number.isSafeInteger(value) || Math.abs(value - last) > largestDifference || Object.is(value, -0)) return false
    last = value
  }
  return true
}

/** For each value one byte that says where the bytes lie in which it differs, and those. */
function writeDifferingBytes(writer: Writer, values: Float64Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.length * 8)
  writer.reserve(values.length * 9)
  for (let index = 0; index < values.length; index++) {
    const at = index * 8
    const before = at - 8
    const differs = (place: number): boolean => bytes[at + place] !== (index === 0 ? 0 : bytes[before + place])
    let first = 0
    while (first < 8 && !differs(first)) first++
    let end = 8
    while (end > first && !differs(end - 1)) end--
    writer.byte((first << 4) | (end - first))
    for (let place = first; place < end; place++) writer.byte(bytes[at + place]!)
  }
}

function readPoints(reader: Reader, baseMs: number): Points {
  const count = reader.varint()
  const times = new Float64Array(count)
  const values = new Float64Array(count)
  let before = baseMs
  let distance = 0
  for (let index = 0; index < count; index++) {
    const next = reader.signed() + distance
    distance = before === baseMs ? 0 : next
    before += next
    times[index] = before
  }
  if (reader.byte() === wholeNumbers) {
    let last = 0
    for (let index = 0; index < count; index++) values[index] = last += reader.signed()
  } else {
    const bytes = new Uint8Array(values.buffer)
    for (let index = 0; index < count; index++) {
      const at = index * 8
      if (index > 0) bytes.copyWithin(at, at - 8, at)
      const head = reader.byte()
      const first = head >> 4
      for (let place = first; place < first + (head & 15); place++) bytes[at + place] = reader.byte()
    }
  }
  return { times, values }
}

/** A batch: the points of many series, with a directory before them so that those of a few can be read alone. */
export function encodeBatch(series: ReadonlyMap<number, Points>): { data: Buffer; fromMs: number; untilMs: number; points: number } {
  const ids = [...series.keys()].toSorted((one, other) => one - other)
  let [fromMs, untilMs, points] = [Infinity, -Infinity, 0]
  for (const { times } of series.values()) {
    fromMs = Math.min(fromMs, times[0]!)
    untilMs = Math.max(untilMs, times.at(-1)!)
    points += times.length
  }
  const head = new Writer()
  const body = new Writer()
  head.varint(fromMs)
  head.varint(ids.length)
  let before = 0
  for (const id of ids) {
    const begin = body.length
    writePoints(body, series.get(id)!, fromMs)
    head.varint(id - before)
    head.varint(body.length - begin)
    before = id
  }
  head.append(body)
  return { data: head.taken(), fromMs, untilMs, points }
}

/** `wanted` undefined: all series. */
export function decodeBatch(data: Uint8Array, wanted?: { has(id: number): boolean }): [id: number, points: Points][] {
  const reader = new Reader(data)
  const baseMs = reader.varint()
  const count = reader.varint()
  const places: [id: number, offset: number][] = []
  let id = 0
  let offset = 0
  for (let index = 0; index < count; index++) {
    id += reader.varint()
    if (!wanted || wanted.has(id)) places.push([id, offset])
    offset += reader.varint()
  }
  const begin = reader.at
  return places.map(([of, from]) => [of, readPoints(new Reader(data, begin + from), baseMs)])
}
