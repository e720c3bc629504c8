/** How a query is refused: what, where in its text, and what to do. */
import { fail, type PaviorError } from '@pavior/contract'
import type { Place } from './ast.ts'

/** `1:5`: line and character of a position, both from 1. */
function positionOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}

/** The text of the query is wrong at a place. */
export function refuse(text: string, { from, to }: Place, message: string, fix?: string): PaviorError {
  return fail('QUERY_INVALID', { message: `${positionOf(text, from)}: ${message}`, ...(fix === undefined ? {} : { fix }), facts: { from, to } })
}

/** The text is fine, but what it asks for cannot be answered with the data. */
export function unanswerable(message: string, fix?: string): PaviorError {
  return fail('QUERY_FAILED', { message, ...(fix === undefined ? {} : { fix }) })
}
