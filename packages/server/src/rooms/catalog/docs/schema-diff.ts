/** What changed between two schemas, and whether it breaks whoever keeps to the older one. Pure; for every format of APIs. */
import type { ApiChange } from '../ports.ts'
import { follow, objectOf, stringsOf, type Json } from './json.ts'

export type Found = Omit<ApiChange, 'where'>

/** Whether callers send it (more asked for breaks) or get it (less given breaks). */
export type Direction = 'sent' | 'got'

/** Two documents that are compared. Schemas may grow without end by naming each other, so the steps are counted. */
export interface Comparison {
  before: unknown
  after: unknown
  stepsLeft: number
}

/** Beyond this depth nobody looks. */
const deepest = 12
const mostSteps = 50_000

export function comparisonOf(before: unknown, after: unknown): Comparison {
  return { before, after, stepsLeft: mostSteps }
}

/** What the end of the steps is told as; nothing when they were enough. */
export function unfinished({ stepsLeft }: Comparison): ApiChange[] {
  return stepsLeft > 0 ? [] : [{ breaking: false, risky: true, where: 'The definition', what: `is too entangled to be compared to its end; ${mostSteps} schemas were` }]
}

/** First what breaks, then by place. */
export function ordered(changes: readonly ApiChange[]): ApiChange[] {
  const rank = ({ breaking, risky }: ApiChange): number => (breaking ? 0 : risky ? 1 : 2)
  return changes.toSorted((one, other) => rank(one) - rank(other) || one.where.localeCompare(other.where))
}

export function diffSchema(comparison: Comparison, before: unknown, after: unknown, name: string, direction: Direction, depth = 0): Found[] {
  if (depth > deepest || comparison.stepsLeft <= 0) return []
  comparison.stepsLeft--
  const [old, now] = [follow(comparison.before, before), follow(comparison.after, after)]
  if (Object.keys(old).length === 0 && Object.keys(now).length === 0) return []
  const [formerType, type] = [typesOf(old), typesOf(now)]
  if (formerType !== type && formerType !== '' && type !== '') return [{ breaking: true, what: `${name} is ${type}, and was ${formerType}` }]
  const changes = [...diffValues(old, now, name, direction), ...diffProperties(comparison, old, now, name, direction, depth)]
  if (old.items !== undefined || now.items !== undefined) changes.push(...diffSchema(comparison, old.items, now.items, `${name}[]`, direction, depth + 1))
  return changes
}

function diffProperties(comparison: Comparison, old: Json, now: Json, name: string, direction: Direction, depth: number): Found[] {
  const changes: Found[] = []
  const [properties, successors] = [objectOf(old.properties), objectOf(now.properties)]
  const [required, requiredNow] = [stringsOf(old.required), stringsOf(now.required)]
  for (const [property, schema] of Object.entries(properties)) {
    const inner = `${name}.${property}`
    if (!Object.hasOwn(successors, property)) changes.push({ breaking: direction === 'got', what: `${inner} is gone` })
    else {
      changes.push(...diffSchema(comparison, schema, successors[property], inner, direction, depth + 1))
      if (direction === 'sent' && requiredNow.includes(property) && !required.includes(property)) changes.push({ breaking: true, what: `${inner} is required now` })
      if (direction === 'got' && !requiredNow.includes(property) && required.includes(property)) changes.push({ breaking: true, what: `${inner} may be missing now` })
    }
  }
  for (const property of Object.keys(successors)) {
    if (Object.hasOwn(properties, property)) continue
    const must = direction === 'sent' && requiredNow.includes(property)
    changes.push({ breaking: must, what: `${name}.${property} is new${must ? ' and required' : ''}` })
  }
  return changes
}

function diffValues(old: Json, now: Json, name: string, direction: Direction): Found[] {
  if (!Array.isArray(old.enum) || !Array.isArray(now.enum)) return []
  const [former, present] = [old.enum.map(String), now.enum.map(String)]
  const gone = former.filter((value) => !present.includes(value))
  const added = present.filter((value) => !former.includes(value))
  return [
    ...(gone.length > 0 ? [{ breaking: direction === 'sent', what: `${name} cannot be ${gone.join(', ')} any more` }] : []),
    // Who switches over the values has never seen this one.
    ...(added.length > 0 ? [{ breaking: direction === 'got', what: `${name} can be ${added.join(', ')}` }] : []),
  ]
}

function typesOf({ type }: Json): string {
  return Array.isArray(type) ? type.map(String).toSorted().join(' or ') : typeof type === 'string' ? type : ''
}
