import { Socket, type SocketConstructorOpts } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * A connection that survives a failed write for as long as there is something to read. An instance that refuses an upload
 * answers and closes; what was on its way to it then fails, and a plain socket would be destroyed with the answer unread.
 */
export class InstanceSocket extends Socket {
  private done: Done | undefined
  private broken = false

  /** Reads into `buffer`, again and again; `receive` gets the number of bytes and returns false to stop reading. */
  constructor(buffer: Buffer, receive: (length: number) => boolean) {
    super({ allowHalfOpen: true, onread: { buffer, callback: receive } } as SocketConstructorOpts)
  }

  // The stream machinery lets only one write be under way, so that one place for its callback is enough.
  private readonly settle = (error?: Error | null): void => {
    const done = this.done
    this.done = undefined
    // The read side reports the end or the reset, behind whatever the instance still said.
    if (error) this.broken = true
    done?.()
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    if (this.broken) return done()
    this.done = done
    super._write(chunk, encoding, this.settle)
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    if (this.broken) return done()
    this.done = done
    super._writev!(chunks, this.settle)
  }
}
