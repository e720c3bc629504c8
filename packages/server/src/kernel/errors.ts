/** What callers do with coded errors that they expect. */
import type { ErrorCode } from '@pavior/contract'

/** Whether an error carries one of these codes. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  const { code } = (error ?? {}) as { code?: ErrorCode }
  return code !== undefined && codes.includes(code)
}

/** For `.catch(ignore('NOT_FOUND'))`: what somebody else did already is no failure; everything else is thrown on. */
export function ignore(...codes: ErrorCode[]): (error: unknown) => undefined {
  return (error) => {
    if (!hasCode(error, ...codes)) throw error
    return undefined
  }
}
