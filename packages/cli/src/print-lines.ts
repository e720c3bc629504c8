/** Prints a stream of the API as it comes, until it ends or is interrupted. */
import type { Context } from './context.ts'

/** Records as text, or one JSON object a line with --json. */
export async function printLines<R>({ api, out }: Context, path: string, format: (record: R) => string): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.stdout.on('error', () => stop.abort())
  try {
    for await (const record of api.lines<R>({ path, signal: stop.signal })) process.stdout.write(`${out.json ? JSON.stringify(record) : format(record)}\n`)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  }
}
