import type { Body } from './body.ts'
import { isText, scanFields, type FieldHandlers, type Verdict } from './fields.ts'

// A size of 13 hexadecimal digits is 4 PB; more would lose precision.
const maxSizeDigits = 13
const maxExtensionBytes = 1_024
const maxTrailerBytes = 8_192

type State = 'size' | 'extension' | 'size-end' | 'data' | 'data-end-cr' | 'data-end-lf' | 'trailers' | 'done' | 'fault'

// Fields that a trailer may not bring in behind the checks that were made on the head (RFC 9110 §6.5.1).
const trailerHandlers: FieldHandlers<undefined> = new Map<string, () => Verdict>(
  ['content-length', 'transfer-encoding', 'host', 'connection', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive', 'authorization',
    'cookie', 'set-cookie', 'content-type', 'content-encoding', 'content-range', 'cache-control', 'location', 'forwarded',
    'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port', 'x-real-ip', 'x-request-id', 'proxy-connection',
    'proxy-authorization',
  ].map((name) => [name, (): Verdict => 'drop']),
)

function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/**
 * Reads chunked coding strictly (RFC 9112 §7.1) and writes it anew, so that what an instance reads is never a matter of
 * interpretation: sizes in plain form, no extensions, trailers without fields that belong into the head.
 */
export class ChunkedBody implements Body {
  readonly ownsOutput = true
  position = 0
  private readonly decode: boolean
  private state: State = 'size'
  private size = 0
  private digits = 0
  private extensionBytes = 0
  private trailers = ''
  private output: Buffer = Buffer.alloc(0)
  private written = 0

  constructor(decode: boolean) {
    this.decode = decode
  }

  get done(): boolean {
    return this.state === 'done'
  }

  get fault(): boolean {
    return this.state === 'fault'
  }

  take(input: Buffer, start: number): Buffer {
    // Never longer than the input, but for a size line that began in an earlier one and held trailers.
    this.output = Buffer.allocUnsafe(input.length - start + maxSizeDigits + 16 + this.trailers.length)
    this.written = 0
    this.position = start
    while (this.position < input.length && this.state !== 'done' && this.state !== 'fault') {
      if (this.state === 'data') this.copyData(input)
      else if (this.state === 'trailers') this.readTrailers(input)
      else this.state = this.readFraming(input[this.position++]!)
    }
    return this.output.subarray(0, this.written)
  }

  private readFraming(code: number): State {
    switch (this.state) {
      case 'size':
        return this.readSize(code)
      case 'extension':
        if (code === 13) return 'size-end'
        return isText(code) && ++this.extensionBytes <= maxExtensionBytes ? 'extension' : 'fault'
      case 'size-end':
        return code === 10 ? this.beginData() : 'fault'
      case 'data-end-cr':
        return code === 13 ? 'data-end-lf' : 'fault'
      default:
        return code === 10 ? this.beginSize() : 'fault'
    }
  }

  private readSize(code: number): State {
    const digit = digitOf(code)
    if (digit >= 0) {
      this.size = this.size * 16 + digit
      return ++this.digits <= maxSizeDigits ? 'size' : 'fault'
    }
    if (this.digits === 0) return 'fault'
    if (code === 13) return 'size-end'
    return code === 59 ? 'extension' : 'fault'
  }

  private beginSize(): State {
    this.write('\r\n')
    this.size = 0
    this.digits = 0
    this.extensionBytes = 0
    return 'size'
  }

  private beginData(): State {
    if (this.size === 0) return 'trailers'
    this.write(`${this.size.toString(16)}\r\n`)
    return 'data'
  }

  private copyData(input: Buffer): void {
    const end = Math.min(input.length, this.position + this.size)
    this.written += input.copy(this.output, this.written, this.position, end)
    this.size -= end - this.position
    this.position = end
    if (this.size === 0) this.state = 'data-end-cr'
  }

  private readTrailers(input: Buffer): void {
    const before = this.trailers.length
    const text = this.trailers + input.toString('latin1', this.position)
    const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2
    if (end === 1) {
      this.trailers = text
      this.position = input.length
      const broken = text.length > maxTrailerBytes || /(^|[^\r])\n|\r[^\n]|^\r\n/.test(text)
      if (broken) this.state = 'fault'
      return
    }
    this.position += end + 2 - before
    const scan = scanFields(text.slice(0, end), 0, trailerHandlers, undefined)
    if (scan.fault || end > maxTrailerBytes) {
      this.state = 'fault'
      return
    }
    this.write(`0\r\n${scan.kept}\r\n`)
    this.state = 'done'
  }

  private write(framing: string): void {
    if (!this.decode) this.written += this.output.write(framing, this.written, 'latin1')
  }
}
