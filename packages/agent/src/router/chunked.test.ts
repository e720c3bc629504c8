import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkedBody } from './chunked.ts'

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 })

function encode(parts: Uint8Array[], extension = '', trailers = ''): Buffer {
  const sizeLine = (part: Uint8Array): Buffer => Buffer.from(`${part.length.toString(16)}${extension}\r\n`)
  const framed = parts.flatMap((part) => [sizeLine(part), Buffer.from(part), Buffer.from('\r\n')])
  return Buffer.concat([...framed, Buffer.from(`0${extension}\r\n${trailers}\r\n`)])
}

/** Feeds the input in pieces that end at the given places. */
function feed(body: ChunkedBody, input: Buffer, cuts: number[]): { output: Buffer; rest: number } {
  const borders = [...new Set([0, ...cuts.map((cut) => cut % (input.length + 1)), input.length])].sort((a, b) => a - b)
  const outputs: Buffer[] = []
  let consumed = 0
  for (let i = 1; i < borders.length && !body.done && !body.fault; i++) {
    outputs.push(Buffer.from(body.take(input.subarray(borders[i - 1], borders[i]), 0)))
    consumed = borders[i - 1]! + body.position
  }
  return { output: Buffer.concat(outputs), rest: input.length - consumed }
}

test('however it is cut, the data comes out whole, and the bytes behind it are left', () => {
  const extensions = fc.constantFrom('', ';a=b', ';"x y"')
  const places = fc.array(fc.nat(300), { maxLength: 8 })
  fc.assert(fc.property(chunks, extensions, places, fc.string({ maxLength: 5 }), (parts, extension, cuts, behind) => {
    const input = encode(parts, extension)
    const decoded = new ChunkedBody(true)
    expect(feed(decoded, input, cuts).output).toEqual(Buffer.concat(parts))
    expect(decoded.done).toBe(true)
    const framed = new ChunkedBody(false)
    const tail = Buffer.from(behind)
    const { output, rest } = feed(framed, Buffer.concat([input, tail]), cuts)
    expect(output).toEqual(encode(parts))
    // A piece that begins behind the end is not fed at all.
    expect(rest).toBe(tail.length)
  }))
})

test('trailers go on without those that belong into the head', () => {
  fc.assert(fc.property(fc.array(fc.nat(100), { maxLength: 5 }), (cuts) => {
    const input = encode([Buffer.from('abc')], '', 'X-Sum: 1\r\nContent-Length: 5\r\nHost: x\r\n')
    expect(feed(new ChunkedBody(false), input, cuts).output.toString()).toBe('3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n')
  }))
})

test('one wrong byte in the framing is a fault or ends the body elsewhere, never a crash', () => {
  fc.assert(fc.property(chunks, fc.nat(200), fc.nat(255), fc.array(fc.nat(300), { maxLength: 4 }), (parts, at, byte, cuts) => {
    const input = encode(parts)
    input[at % input.length] = byte
    const body = new ChunkedBody(false)
    const { output } = feed(body, input, cuts)
    // Read back, what it wrote is what it understood.
    const again = new ChunkedBody(false)
    expect(feed(again, output, []).output).toEqual(output)
    expect(again.fault).toBe(false)
  }))
})

test.each([
  '\r\n', 'g\r\n', '-1\r\n', ' 1\r\n', '1 \r\n', '0x1\r\n', '1\n', '1\rx', '1;\0\r\n', '10000000000000\r\n', `1;${'x'.repeat(2_000)}\r\n`,
  '1\r\nab', '1\r\na\n',
])('%j is a fault', (input) => {
  const body = new ChunkedBody(false)
  body.take(Buffer.from(input), 0)
  expect(body.fault).toBe(true)
})
