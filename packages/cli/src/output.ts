/** Progress on stderr, results on stdout; colour only on a terminal and never as the only signal. */
import type { ErrorObject } from '@pavior/contract'

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1, cyan: 36 } as const

export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly #color: boolean
  /** A live line stands on the terminal without its end. */
  #open = false

  constructor({ json, quiet, color }: { json: boolean; quiet: boolean; color: boolean }) {
    this.json = json
    this.quiet = quiet
    this.#color = color
  }

  paint(color: keyof typeof codes, text: string): string {
    return this.#color ? `\u001b[${codes[color]}m${text}\u001b[0m` : text
  }

  /** For the person who waits. */
  progress(line: string): void {
    if (!this.quiet) process.stderr.write(`${this.#clear()}${line}\n`)
  }

  /** What is going on now: replaced by the next line, and left out where lines cannot be replaced. */
  live(line: string): void {
    if (this.quiet || process.stderr.isTTY !== true) return
    process.stderr.write(`${this.#clear()}${line}`)
    this.#open = true
  }

  #clear(): string {
    const clear = this.#open ? '\r\u001b[K' : ''
    this.#open = false
    return clear
  }

  /** What the command is for: one JSON document with --json, text otherwise. */
  result(value: unknown, text: string | (() => string)): void {
    const shown = this.json ? JSON.stringify(value, null, 2) : typeof text === 'function' ? text() : text
    if (shown !== '') process.stdout.write(`${shown}\n`)
  }

  error({ code, message, why, fix, state, more, causes = [], facts }: ErrorObject): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ error: { code, message, why, fix, state, more, causes, facts } }, null, 2)}\n`)
    process.stderr.write(`${this.#clear()}${this.paint('red', '✖')} ${this.paint('bold', code)}   ${message}\n`)
    const lines = (facts?.lastLines ?? []) as unknown[]
    const rows: [string, string | undefined][] = [['why', why], ['fix', fix], ['state', state], ['more', more]]
    for (const { field, message: cause, reason } of causes.slice(0, 20)) process.stderr.write(code === 'POLICY_DENIED' ? `  rule     ${reason}${field ? ` at ${field}` : ''}: ${cause}\n` : `  field    ${field}: ${cause}\n`)
    for (const [label, text] of rows) if (text) process.stderr.write(`  ${label.padEnd(8)} ${text}\n`)
    if (Array.isArray(lines) && lines.length > 0) {
      process.stderr.write(`  log\n${lines.slice(-10).map((line) => `    ${String(line)}\n`).join('')}`)
    }
  }
}

/** Columns as wide as their widest cell. */
export function table(header: string[], rows: string[][]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  return [header, ...rows].map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('   ').trimEnd()).join('\n')
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} kB`
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MB` : `${(bytes / 1024 ** 3).toFixed(2)} GB`
}

export function age(since: string, now = Date.now()): string {
  const total = Math.max(0, Math.round((now - Date.parse(since)) / 1000))
  if (total < 120) return `${total}s`
  if (total < 7200) return `${Math.round(total / 60)}m`
  return total < 172_800 ? `${Math.round(total / 3600)}h` : `${Math.round(total / 86_400)}d`
}
