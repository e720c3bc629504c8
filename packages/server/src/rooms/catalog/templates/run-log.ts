/** What steps say while they run: for those who look on, kept in memory. */
import { Waiters } from '../../../kernel/store/waiters.ts'

const mostLines = 1000
const mostRuns = 200

export interface RunLine {
  step: string
  line: string
}

export class RunLogs {
  readonly #lines = new Map<string, RunLine[]>()
  readonly #waiters = new Waiters()

  add(run: string, line: RunLine): void {
    const lines = this.#lines.get(run) ?? []
    this.#lines.set(run, lines)
    if (lines.length < mostLines) lines.push(line)
    for (const old of [...this.#lines.keys()].slice(0, -mostRuns)) this.#lines.delete(old)
    this.#waiters.release(run)
  }

  /** Lines from this one on. */
  since(run: string, from: number): readonly RunLine[] {
    return (this.#lines.get(run) ?? []).slice(from)
  }

  wait(run: string, signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(run, signal)
  }
}
