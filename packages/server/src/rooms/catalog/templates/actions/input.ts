/** Reading the input of actions. */
import { fail } from '@pavior/contract'
import { isRecord } from '../plan.ts'
import type { Input } from './types.ts'

export function wrongInput(action: string, message: string): Error {
  return fail('TEMPLATE_INVALID', { message: `The input of ${action} cannot be used: ${message}` })
}

export function textOf(action: string, input: Input, name: string): string {
  const value = optionalText(action, input, name)
  if (value === undefined || value === '') throw wrongInput(action, `"${name}" is missing.`)
  return value
}

export function optionalText(action: string, input: Input, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw wrongInput(action, `"${name}" is not a text.`)
}

export function listOf(action: string, input: Input, name: string): string[] {
  const value = input[name] ?? []
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw wrongInput(action, `"${name}" is not a list of texts.`)
  return value as string[]
}

export function recordOf(action: string, input: Input, name: string): Record<string, unknown> {
  const value = input[name] ?? {}
  if (!isRecord(value)) throw wrongInput(action, `"${name}" is not an object.`)
  return value
}
