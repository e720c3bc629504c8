/** Answers that are a JSON document a line, written as they come and as fast as the caller reads. */
import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** Resolves when the caller has read enough for more, or is gone. May be called by several writers at once. */
export type WriteLine = (record: unknown) => Promise<void>

export interface LinesOptions {
  /** A last line for a failure after the answer has begun; without it the answer just ends. */
  lastLine?: (error: unknown) => unknown
  /** For lines that are not JSON. */
  form?: { type: string; line: (record: unknown) => string }
}

const json: NonNullable<LinesOptions['form']> = { type: 'application/x-ndjson', line: (record) => JSON.stringify(record) }

/** Begins the answer; it ends when `produce` does. The signal ends when the caller is gone. */
export function sendLines(reply: FastifyReply, produce: (write: WriteLine, signal: AbortSignal) => Promise<void>, { lastLine, form = json }: LinesOptions = {}): FastifyReply {
  const closed = new AbortController()
  reply.raw.on('close', () => closed.abort())
  reply.type(form.type).header('cache-control', 'no-store')
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
    if (!out.write(`${form.line(record)}\n`) && !out.destroyed) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  produce(write, closed.signal).then(
    () => out.end(),
    (error: unknown) => out.end(lastLine ? `${form.line(lastLine(error))}\n` : undefined),
  )
  return reply.send(out)
}

/** Calls back whenever there is more; returns the function that ends it. */
export type OnMore = (listener: () => void) => () => void

/** Takes a step at first and whenever there is more, one after the other, until the signal ends; what comes during a step is one step more. */
export async function stepWhenMore(onMore: OnMore, step: () => Promise<void>, signal: AbortSignal): Promise<void> {
  let tell = (): void => {}
  let more = true
  const stop = onMore(() => {
    more = true
    tell()
  })
  signal.addEventListener('abort', () => tell())
  try {
    while (!signal.aborted) {
      more = false
      await step()
      if (!more && !signal.aborted) await new Promise<void>((resolve) => (tell = resolve))
    }
  } finally {
    stop()
  }
}

/** How often a page is told figures that move all the time. */
export const figuresEveryMs = 2000

/** For figures that nobody announces, such as memory in use: there is more every so often, while somebody looks. */
export function moreEvery(intervalMs: number): OnMore {
  return (listener) => {
    const timer = setInterval(listener, intervalMs)
    return () => clearInterval(timer)
  }
}

/** Sends the whole answer at first and whenever there is more; a slow reader gets the newest, not every one. */
export function sendLatest(reply: FastifyReply, ask: () => Promise<object>, onMore: OnMore): FastifyReply {
  return sendLines(reply, (write, signal) => stepWhenMore(onMore, async () => write(await ask()), signal))
}
