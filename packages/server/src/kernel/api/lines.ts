/** Answers that are a JSON document a line, written as they come and as fast as the caller reads. */
import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** Resolves when the caller has read enough for more, or is gone. May be called by several writers at once. */
export type WriteLine = (record: unknown) => Promise<void>

export interface LinesOptions {
  /** A last line for a failure after the answer has begun; without it the answer just ends. */
  lastLine?: (error: unknown) => unknown
}

/** Begins the answer; it ends when `produce` does. The signal ends when the caller is gone. */
export function sendLines(reply: FastifyReply, produce: (write: WriteLine, signal: AbortSignal) => Promise<void>, { lastLine }: LinesOptions = {}): FastifyReply {
  const closed = new AbortController()
  reply.raw.on('close', () => closed.abort())
  reply.type('application/x-ndjson').header('cache-control', 'no-store')
  const out = new PassThrough()
  // One listener for all waits: a listener for each would pile up over a long answer.
  let waiting: (() => void)[] = []
  const goOn = (): void => {
    const released = waiting
    waiting = []
    for (const resolve of released) resolve()
  }
  out.on('drain', goOn).on('close', goOn)
  const write: WriteLine = async (record) => {
    if (!out.write(`${JSON.stringify(record)}\n`) && !out.destroyed) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  produce(write, closed.signal).then(
    () => out.end(),
    (error: unknown) => out.end(lastLine ? `${JSON.stringify(lastLine(error))}\n` : undefined),
  )
  return reply.send(out)
}
