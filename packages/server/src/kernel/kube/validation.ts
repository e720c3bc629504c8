/** Checks resources against their kind: schema, unknown fields, names, metadata, what may not change, and the kind's own rules. */
import { isDeepStrictEqual } from 'node:util'
import { fail, type Cause, type PaviorError, type Resource } from '@pavior/contract'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { KindDefinition } from '../kind.ts'
import { metadataCauses, nameProblem } from './names.ts'
import { closeRecords, examine, type Findings, type JsonSchema } from './schema.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface Validated {
  /** Pruned and with defaults; the given object itself when nothing had to change. The given one is never changed. */
  resource: Resource
  /** Sentences for the `Warning` header. */
  warnings: string[]
}

export type Validator = (next: Resource, previous: Resource | undefined, fieldValidation: FieldValidation) => Validated

/** Longest list of causes in one answer; the rest is counted. */
const mostCauses = 50

/** Compiled once a kind. Throws INVALID with causes, NAME_INVALID or NAME_RESERVED. */
export function createValidator(kind: KindDefinition): Validator {
  const checkSpec = createCheck(kind.spec)
  const checkStatus = kind.status && createCheck(kind.status)
  return (next, previous, fieldValidation) => {
    const found: Findings = { causes: [], unknown: [] }
    if (previous === undefined) {
      const problem = nameProblem(kind, next.metadata.name)
      if (problem) throw problem
    }
    found.causes.push(...metadataCauses(next.metadata))
    // What was accepted once is not judged again by a write that leaves it alone, for example one of the status.
    const specKept = previous !== undefined && next.spec === previous.spec
    const spec = specKept ? next.spec : (checkSpec(next.spec, 'spec', found) as Resource['spec'])
    const status =
      next.status === undefined || next.status === previous?.status || !checkStatus
        ? next.status
        : (checkStatus(next.status, 'status', found) as Resource['status'])
    const warnings = judgeUnknown(found, fieldValidation)
    if (found.causes.length > 0) throw invalidResource(kind, next.metadata.name, found.causes)

    const defaulted = specKept || !kind.defaults ? spec : kind.defaults(spec)
    const resource =
      defaulted === next.spec && status === next.status ? next : { ...next, spec: defaulted, ...(status === undefined ? {} : { status }) }
    const causes = specKept ? [] : [...immutableCauses(kind, resource, previous), ...(kind.validate?.(resource, previous) ?? [])]
    if (causes.length > 0) throw invalidResource(kind, next.metadata.name, causes)
    return { resource, warnings }
  }
}

type Check = (value: unknown, path: string, found: Findings) => unknown

function createCheck(schema: TSchema): Check {
  const closed = closeRecords(schema)
  const compiled = Compile(closed)
  return (value, path, found) => {
    if (compiled.Check(value)) return value
    const before = found.causes.length + found.unknown.length
    const pruned = examine(closed as JsonSchema, value ?? {}, path, found)
    if (found.causes.length + found.unknown.length === before && !compiled.Check(pruned)) {
      // A keyword that the walk does not know: its own message is better than none.
      for (const { instancePath, message } of compiled.Errors(pruned))
        found.causes.push({ field: `${path}${instancePath.replaceAll('/', '.')}`, message, reason: 'FieldValueInvalid' })
    }
    return pruned
  }
}

/** A resource without unknown fields in spec and status, and their paths. Everything else that is wrong stays for the validator. */
export function pruneUnknown<R extends { spec?: unknown; status?: unknown }>(
  kind: KindDefinition,
  given: R,
): { resource: R; unknown: string[] } {
  const found: Findings = { causes: [], unknown: [] }
  const spec = examine(closed(kind.spec), given.spec, 'spec', found)
  const status = given.status === undefined || !kind.status ? given.status : examine(closed(kind.status), given.status, 'status', found)
  const resource = spec === given.spec && status === given.status ? given : { ...given, spec, ...(status === undefined ? {} : { status }) }
  return { resource, unknown: found.unknown }
}

const closedSchemas = new WeakMap<TSchema, JsonSchema>()

function closed(schema: TSchema): JsonSchema {
  let known = closedSchemas.get(schema)
  if (!known) closedSchemas.set(schema, (known = closeRecords(schema as JsonSchema)))
  return known
}

const envelopeFields = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status'])
const metadataFields = new Set([
  ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp'],
  ...['deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields', 'selfLink'],
])

/**
 * Unknown fields around the spec, which get lost before a resource is validated: `sepc`, `metadata.lables`. Throws INVALID
 * when Strict; returns the warnings otherwise.
 */
export function checkEnvelope(kind: KindDefinition, body: { metadata?: object }, fieldValidation: FieldValidation): string[] {
  const unknown = Object.keys(body).filter((field) => !envelopeFields.has(field))
  for (const field of Object.keys(body.metadata ?? {})) if (!metadataFields.has(field)) unknown.push(`metadata.${field}`)
  if (unknown.length === 0) return []
  const found: Findings = { causes: [], unknown }
  const name = (body.metadata as { name?: string } | undefined)?.name
  const warnings = judgeUnknown(found, fieldValidation)
  if (found.causes.length > 0) throw invalidResource(kind, name, found.causes)
  return warnings
}

/** Unknown fields are wrong, worth a warning, or nothing, as the caller asked. */
function judgeUnknown(found: Findings, fieldValidation: FieldValidation): string[] {
  const sentences = found.unknown.map((field) => `unknown field "${field}"`)
  if (fieldValidation === 'Strict') {
    found.unknown.forEach((field, index) => found.causes.push({ field, reason: 'FieldValueForbidden', message: sentences[index]! }))
    return []
  }
  return fieldValidation === 'Warn' ? sentences : []
}

function immutableCauses(kind: KindDefinition, next: Resource, previous: Resource | undefined): Cause[] {
  if (!kind.immutable || !previous) return []
  const { except } = kind.immutable
  const fields = new Set([...Object.keys(next.spec), ...Object.keys(previous.spec)])
  return [...fields]
    .filter((field) => !except.includes(field) && !isDeepStrictEqual(next.spec[field], previous.spec[field]))
    .map((field) => ({ field: `spec.${field}`, reason: 'FieldValueInvalid', message: 'Invalid value: field is immutable' }))
}

/** In the words of Kubernetes: `App.pavior.dev "shop" is invalid: [spec.a: Required value, spec.b: …]`. */
function invalidResource(kind: KindDefinition, name: string | undefined, all: Cause[]): PaviorError {
  const causes = all.slice(0, mostCauses)
  const texts = causes.map(({ field, message }) => (message.startsWith('unknown field') ? message : `${field}: ${message}`))
  if (all.length > causes.length) texts.push(`and ${all.length - causes.length} more`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return fail('INVALID', {
    message: `${kind.kind}.pavior.dev "${name ?? ''}" is invalid: ${list}`,
    causes,
    facts: { kind: kind.kind, name: name ?? '' },
  })
}
