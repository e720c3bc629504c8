import { ChunkedBody } from './chunked.ts'
import type { Framing } from './request-head.ts'

/**
 * Follows a message body through the bytes of a connection. `take` consumes what belongs to the body from
 * `input[start..]` and returns what is to be passed on; `position` then tells where the body's bytes ended.
 */
export interface Body {
  readonly done: boolean
  /** The framing is broken; the connection cannot be understood any more. */
  readonly fault: boolean
  readonly position: number
  /** Whether what `take` returns is memory of its own, or a view of the input. */
  readonly ownsOutput: boolean
  take(input: Buffer, start: number): Buffer
}

class LengthBody implements Body {
  readonly fault = false
  readonly ownsOutput = false
  position = 0
  private left: number

  constructor(length: number) {
    this.left = length
  }

  get done(): boolean {
    return this.left === 0
  }

  take(input: Buffer, start: number): Buffer {
    this.position = Math.min(input.length, start + this.left)
    this.left -= this.position - start
    return start === 0 && this.position === input.length ? input : input.subarray(start, this.position)
  }
}

class UntilCloseBody implements Body {
  readonly done = false
  readonly fault = false
  readonly ownsOutput = false
  position = 0

  take(input: Buffer, start: number): Buffer {
    this.position = input.length
    return start === 0 ? input : input.subarray(start)
  }
}

/** The body of a message. `decode` strips the chunk framing, for receivers that do not know it. */
export function bodyOf(framing: Framing, length: number, decode = false): Body {
  if (framing === 'chunked') return new ChunkedBody(decode)
  if (framing === 'until-close') return new UntilCloseBody()
  return new LengthBody(framing === 'length' ? length : 0)
}
