/** Reading header fields strictly (RFC 9110 §5, RFC 9112 §5). */

const token = 1
const visible = 2
const text = 4

const classes = new Uint8Array(256)
for (let code = 0x21; code < 0x7f; code++) classes[code] = visible | text
for (let code = 0x80; code < 0x100; code++) classes[code] = visible | text
for (const code of [0x09, 0x20]) classes[code] = text
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  classes[char.charCodeAt(0)]! |= token
}

/** May stand in a method or field name. */
export const isToken = (code: number): boolean => (classes[code]! & token) !== 0
/** May stand in a request target: anything printable but a space; bytes above 0x7f pass as they are. */
export const isVisible = (code: number): boolean => (classes[code]! & visible) !== 0
/** May stand in a field value: printable, space, tab. */
export const isText = (code: number): boolean => (classes[code]! & text) !== 0

/** What happens to a field line: it goes on as it is, is left out, or makes the whole message unacceptable. */
export type Verdict = 'keep' | 'drop' | 'refuse'

/** Handlers by lower-case field name. A name without a handler is kept. */
export type FieldHandlers<Draft> = ReadonlyMap<string, (draft: Draft, value: string) => Verdict>

export interface FieldScan {
  /** The field lines that go on, each with its line break. */
  kept: string
  /** Field lines seen. */
  count: number
  /** Why the message is unacceptable. */
  fault?: string
}

/** Names that decide about framing and routing: something that only looks like one of them is an attack. */
const essential = new Set([
  'contentlength', 'transferencoding', 'host', 'connection', 'upgrade', 'te', 'trailer', 'expect', 'keepalive', 'proxyconnection',
])

/** A slip that is harmless as long as nobody acts on the field: blanks before the colon, control characters in the name. */
function isSlip(name: string): boolean {
  const isControl = (code: number): boolean => (code > 0 && code < 0x20 && code !== 9) || code === 0x7f
  const bare = name.replace(/[ \t]+$/, '')
  return bare !== '' && [...bare].every((char) => isToken(char.charCodeAt(0)) || isControl(char.charCodeAt(0)))
}

/** Whether a name that is not made of token characters may be left out in silence, or why not. */
function faultOfName(name: string): string | undefined {
  if (name === '') return 'a header field has no name'
  if (name[0] === ' ' || name[0] === '\t') return 'a header field is folded over several lines'
  if (/[\r\n]/.test(name) || !isSlip(name)) return 'a header field name holds a character that it may not'
  if (essential.has(name.replace(/[^A-Za-z0-9]/g, '').toLowerCase())) return 'a header field that decides about framing is misspelled'
  return undefined
}

/** `Content_Length`, `X_Forwarded_For`: application servers that map both spellings to one variable would be misled. */
function verdictOnUnderscored(name: string, handlers: FieldHandlers<never>): Verdict {
  if (essential.has(name.replace(/[_-]/g, ''))) return 'refuse'
  return handlers.has(name.replaceAll('_', '-')) ? 'drop' : 'keep'
}

/**
 * Goes through the field lines of `head` from `position` to its end; every line ends with CR LF. Calls the handler of
 * each known field and gathers the lines that go on. Never throws.
 */
export function scanFields<Draft>(head: string, position: number, handlers: FieldHandlers<Draft>, draft: Draft): FieldScan {
  let kept = ''
  let runStart = position
  let count = 0
  const refused = (fault: string): FieldScan => ({ kept: '', count, fault })
  while (position < head.length) {
    const start = position
    while (isToken(head.charCodeAt(position))) position++
    let verdict: Verdict = 'keep'
    const wellNamed = position > start && head.charCodeAt(position) === 58
    if (!wellNamed) {
      const lineEnd = head.indexOf('\r\n', start)
      position = head.indexOf(':', start)
      if (position === -1 || position > lineEnd) return refused('a header line has no colon')
      const fault = faultOfName(head.slice(start, position))
      if (fault) return refused(fault)
      verdict = 'drop'
    }
    const nameEnd = position++
    while (head.charCodeAt(position) === 32 || head.charCodeAt(position) === 9) position++
    const valueStart = position
    while (isText(head.charCodeAt(position))) position++
    if (head.charCodeAt(position) !== 13 || head.charCodeAt(position + 1) !== 10) {
      return refused('a header field holds a control character or a bare line break')
    }
    if (wellNamed) {
      const name = head.slice(start, nameEnd).toLowerCase()
      const handler = handlers.get(name)
      if (handler) verdict = handler(draft, trimEnd(head, valueStart, position))
      else if (name.includes('_')) verdict = verdictOnUnderscored(name, handlers)
      if (verdict === 'refuse') return refused('header fields that decide about framing or routing contradict each other')
    }
    position += 2
    count++
    if (verdict === 'drop') {
      kept += head.slice(runStart, start)
      runStart = position
    }
  }
  return { kept: kept + head.slice(runStart, position), count }
}

function trimEnd(head: string, start: number, end: number): string {
  while (end > start && (head.charCodeAt(end - 1) === 32 || head.charCodeAt(end - 1) === 9)) end--
  return head.slice(start, end)
}

/** Elements of a comma-separated value in lower case, blanks trimmed, empty ones left out. Only space and tab are blanks. */
export function listOf(value: string): string[] {
  return value.toLowerCase().split(',').map((item) => item.replace(/^[ \t]+|[ \t]+$/g, '')).filter((item) => item !== '')
}

/** Field lines without those that have one of the (lower-case) names. */
export function withoutFields(lines: string, names: readonly string[]): string {
  return lines.split('\r\n').filter((line) => line !== '' && !names.includes(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map((line) => `${line}\r\n`).join('')
}

const lengthPattern = /^[0-9]{1,15}$/

/** A Content-Length as a number; undefined when it is not plain digits. */
export function parseLength(value: string): number | undefined {
  return lengthPattern.test(value) ? Number(value) : undefined
}
