/** Query parameters of the Kubernetes API, checked. */
import { fail } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import { parseFieldSelector, parseLabelSelector } from '../kube/selectors.ts'
import type { IncludeObject } from '../kube/table.ts'
import type { FieldValidation } from '../kube/validation.ts'
import type { Selection, WriteOptions } from '../resources/types.ts'

export type Query = Record<string, string | string[] | undefined>

const longestManager = 128

/** The last value of a parameter; absent and empty are undefined. */
export function parameter(query: Query, name: string): string | undefined {
  const value = query[name]
  const last = Array.isArray(value) ? value.at(-1) : value
  return last === '' ? undefined : last
}

/** As Kubernetes reads booleans: `1`, `true`, and the bare parameter are true. */
export function flag(query: Query, name: string): boolean {
  const value = query[name]
  const last = Array.isArray(value) ? value.at(-1) : value
  return last !== undefined && last !== 'false' && last !== '0'
}

export function wholeNumber(query: Query, name: string): number | undefined {
  const text = parameter(query, name)
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw fail('BAD_REQUEST', { message: `${name} must be a whole number; "${text.slice(0, 40)}" is none.` })
  return Number(text)
}

export function selection(query: Query): Selection {
  const labels = parameter(query, 'labelSelector')
  const fields = parameter(query, 'fieldSelector')
  return { ...(labels ? { labels: parseLabelSelector(labels) } : {}), ...(fields ? { fields: parseFieldSelector(fields) } : {}) }
}

export function includeObject(query: Query): IncludeObject {
  const text = parameter(query, 'includeObject') ?? 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw fail('BAD_REQUEST', { message: `includeObject must be None, Metadata or Object, not "${text.slice(0, 40)}".` })
}

export function dryRun(values: string | string[] | undefined): boolean {
  const given = [values ?? []].flat().filter((value) => value !== '')
  if (given.some((value) => value !== 'All'))
    throw fail('BAD_REQUEST', { message: `dryRun must be All, not "${String(given[0]).slice(0, 40)}".` })
  return given.length > 0
}

function fieldValidation(query: Query): FieldValidation {
  const text = parameter(query, 'fieldValidation') ?? 'Strict'
  if (text === 'Strict' || text === 'Warn' || text === 'Ignore') return text
  throw fail('BAD_REQUEST', { message: `fieldValidation must be Strict, Warn or Ignore, not "${text.slice(0, 40)}".` })
}

/** What every write takes from its request. */
export function writeOptions(
  request: FastifyRequest,
): WriteOptions & { fieldManager: string; fieldValidation: FieldValidation; warnings: string[] } {
  const query = request.query as Query
  return {
    dryRun: dryRun(query.dryRun),
    fieldManager: fieldManager(parameter(query, 'fieldManager'), request.headers['user-agent']),
    fieldValidation: fieldValidation(query),
    warnings: [],
  }
}

/** As in Kubernetes the manager is named by the caller, or is what its User-Agent says before the first slash. */
function fieldManager(given: string | undefined, userAgent: string | undefined): string {
  const manager = given ?? (userAgent ?? '').split('/', 1)[0]!.trim().slice(0, longestManager)
  if (manager.length > longestManager || !/^[\x20-\x7e]*$/.test(manager)) {
    throw fail('BAD_REQUEST', { message: `fieldManager must have at most ${longestManager} printable characters.` })
  }
  return manager === '' ? 'unknown' : manager
}
