/** Work of others that must end: stopped after a time, wherever it is, even in the middle of a regular expression. */
import { Script } from 'node:vm'

const slot = Symbol.for('pavior.within')
const script = new Script(`globalThis[Symbol.for('pavior.within')]()`)

/** Throws 'too slow' when `work`, which must be synchronous, takes longer than this. Costs half a millisecond. */
export function within<T>(ms: number, work: () => T): T {
  const place = globalThis as unknown as Record<symbol, (() => T) | undefined>
  const outer = place[slot]
  place[slot] = work
  try {
    return script.runInThisContext({ timeout: ms }) as T
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new Error(`took longer than ${ms} ms`, { cause: error })
    throw error
  } finally {
    place[slot] = outer
  }
}
