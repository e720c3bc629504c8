/** Which lines belong together: stack traces of Java, Node, Python and Go are one entry. Pure. */

/** One entry has no more lines and characters than this. */
const mostLines = 500
const mostCharacters = 60_000
/** Lines that belong together are written at once. */
const longestPauseMs = 2000

/** What is known of an entry that may go on. */
export interface OpenEntry {
  body: string
  lines: number
  last: string
  lastMs: number
}

const indented = /^[ \t]+\S/
/** Of Java: what follows a trace at the margin. */
const javaMore = /^(?:Caused by: |Suppressed: |\s*\.\.\. \d+ (?:more|common frames))/
const pythonBegin = /^Traceback \(most recent call last\):/
const pythonMore = /^(?:During handling of the above exception|The above exception was the direct cause|Traceback \(most recent call last\):|\s*$)/
/** The line that ends a trace of Python: the exception, at the margin. */
const exceptionName = /^[A-Za-z_][\w.]*(?:: |:?$)/
const goBegin = /^(?:panic: |fatal error: |goroutine \d+ \[)/m
const goMore = /^(?:\s*$|goroutine \d+ \[|created by |\[signal |\[recovered\]|panic: |exit status \d|[\w./*-]+(?:\.\(?\*?[\w.]+\)?)*\(.*\)$)/
/** Brackets that close what was printed with indentation. */
const closing = /^[\])}]+[,;]?$/
/** Of what may be the beginning of a trace. */
const failure = /(?:Error|Exception|Traceback|panic:|fatal error:|Throwable)|^\s+at |^Caused by: /

/** Whether a line written at `atMs` belongs to the entry before it. */
export function joins({ body, lines, last, lastMs }: OpenEntry, text: string, atMs: number): boolean {
  if (lines >= mostLines || body.length + text.length > mostCharacters || atMs - lastMs > longestPauseMs) return false
  if (body.startsWith('{"')) return false
  if (indented.test(text) || javaMore.test(text)) return true
  if (closing.test(text)) return indented.test(last)
  if (pythonBegin.test(body)) return (pythonMore.test(text) && lines > 1) || (indented.test(last) && exceptionName.test(text))
  return goBegin.test(body) && goMore.test(text)
}

/** Whether more of it may come with what is written next. */
export function mayGoOn({ body, lines }: OpenEntry): boolean {
  return lines > 1 || failure.test(body.slice(0, 400))
}
