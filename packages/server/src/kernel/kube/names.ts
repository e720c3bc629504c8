/** Rules for names and metadata, after https://kubernetes.io/docs/concepts/overview/working-with-objects/ (names, labels, annotations). */
import { fail, type Cause, type ObjectMeta, type PaviorError } from '@pavior/contract'
import type { KindDefinition } from '../kind.ts'

const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualifiedPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

const longestName = 253
const longestPart = 63
const largestAnnotationsBytes = 256 * 1024
const suffixLength = 5
/** No vowels and no look-alikes, so that no word comes about by chance. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** A full name from `generateName`. `random` gives numbers in [0, 1). */
export function generateName(kind: KindDefinition, prefix: string, random: () => number): string {
  const longest = (kind.maxNameLength ?? longestName) - suffixLength
  let suffix = ''
  while (suffix.length < suffixLength) suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)]
  return `${prefix.slice(0, longest)}${suffix}`
}

/** What is wrong with the name of a new resource: NAME_INVALID or NAME_RESERVED. */
export function nameProblem(kind: KindDefinition, name: unknown): PaviorError | undefined {
  const longest = kind.maxNameLength ?? longestName
  const form = kind.nameForm ?? 'subdomain'
  const rule =
    form === 'label'
      ? `1 to ${longest} lower-case letters, digits and hyphens, beginning with a letter and ending with a letter or digit`
      : `1 to ${longest} lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit`
  const facts = { kind: kind.kind, ...(typeof name === 'string' ? { name } : {}) }
  const refuse = (message: string, causeMessage: string): PaviorError =>
    fail('NAME_INVALID', {
      message,
      fix: `Use ${rule}.`,
      causes: [{ field: 'metadata.name', reason: 'FieldValueInvalid', message: causeMessage }],
      facts,
    })
  if (typeof name !== 'string' || name === '')
    return refuse(`${kind.kind} needs a name.`, 'Required value: name or generateName is required')
  const shown = JSON.stringify(name.slice(0, 80))
  if (name.length > longest)
    return refuse(
      `The name ${shown} of the ${kind.kind} is ${name.length} characters long; ${longest} are allowed.`,
      `Too long: must be at most ${longest} characters`,
    )
  const wellFormed =
    form === 'label' ? label.test(name) : subdomain.test(name) && name.split('.').every((part) => part.length <= longestPart)
  if (!wellFormed) return refuse(`The name ${shown} cannot be used for a ${kind.kind}.`, `Invalid value: ${shown}: must be ${rule}`)
  if (kind.reservedNames?.includes(name)) {
    return fail('NAME_RESERVED', {
      message: `The name ${shown} is reserved for the platform itself.`,
      causes: [{ field: 'metadata.name', reason: 'FieldValueForbidden', message: `Forbidden: ${shown} is reserved` }],
      facts,
    })
  }
  return undefined
}

/** What is wrong with labels, annotations, owners and finalizers. */
export function metadataCauses(metadata: ObjectMeta): Cause[] {
  const causes: Cause[] = []
  if (metadata.labels !== undefined) checkLabels(metadata.labels, causes)
  if (metadata.annotations !== undefined) checkAnnotations(metadata.annotations, causes)
  if (metadata.finalizers !== undefined) checkFinalizers(metadata.finalizers, causes)
  if (metadata.ownerReferences !== undefined) checkOwners(metadata.ownerReferences, causes)
  return causes
}

function checkLabels(labels: unknown, causes: Cause[]): void {
  for (const [key, value] of entries(labels, 'metadata.labels', causes)) {
    if (!isQualifiedName(key))
      causes.push(
        invalid(
          'metadata.labels',
          key,
          `a label key is an optional DNS prefix and a slash, then at most ${longestPart} letters, digits, '-', '_' or '.'`,
        ),
      )
    if (value !== '' && (value.length > longestPart || !qualifiedPart.test(value))) {
      causes.push(
        invalid(
          'metadata.labels',
          value,
          `a label value is at most ${longestPart} letters, digits, '-', '_' or '.', beginning and ending with a letter or digit`,
        ),
      )
    }
  }
}

function checkAnnotations(annotations: unknown, causes: Cause[]): void {
  let bytes = 0
  for (const [key, value] of entries(annotations, 'metadata.annotations', causes)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
    if (!isQualifiedName(key.toLowerCase()))
      causes.push(
        invalid(
          'metadata.annotations',
          key,
          `an annotation key is an optional DNS prefix and a slash, then at most ${longestPart} letters, digits, '-', '_' or '.'`,
        ),
      )
  }
  if (bytes > largestAnnotationsBytes)
    causes.push({
      field: 'metadata.annotations',
      reason: 'FieldValueTooLong',
      message: `Too long: must have at most ${largestAnnotationsBytes} bytes`,
    })
}

function checkFinalizers(finalizers: unknown, causes: Cause[]): void {
  if (!Array.isArray(finalizers)) return void causes.push(wrongType('metadata.finalizers', 'array'))
  finalizers.forEach((name: unknown, index) => {
    if (typeof name !== 'string' || !isQualifiedName(name))
      causes.push(invalid(`metadata.finalizers[${index}]`, name, 'must be a qualified name, for example example.com/cleanup'))
  })
}

function checkOwners(owners: unknown, causes: Cause[]): void {
  if (!Array.isArray(owners)) return void causes.push(wrongType('metadata.ownerReferences', 'array'))
  let controllers = 0
  owners.forEach((owner: Record<string, unknown> | null, index) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      const value = owner?.[field]
      if (typeof value !== 'string' || value === '')
        causes.push({ field: `metadata.ownerReferences[${index}].${field}`, reason: 'FieldValueRequired', message: 'Required value' })
    }
    if (owner?.controller === true) controllers++
  })
  if (controllers > 1) causes.push(invalid('metadata.ownerReferences', controllers, 'only one owner can be the controller'))
}

/** `example.com/name` or `name`. */
export function isQualifiedName(key: string): boolean {
  const [first, second, ...rest] = key.split('/') as [string, string?, ...string[]]
  if (rest.length > 0) return false
  const [prefix, name] = second === undefined ? [undefined, first] : [first, second]
  if (prefix !== undefined && (prefix.length > longestName || !subdomain.test(prefix))) return false
  return name.length <= longestPart && qualifiedPart.test(name)
}

/** The value of a label in a selector: empty or as a label has it. */
export function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= longestPart && qualifiedPart.test(value))
}

function entries(map: unknown, field: string, causes: Cause[]): [string, string][] {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    causes.push(wrongType(field, 'object'))
    return []
  }
  const pairs = Object.entries(map)
  for (const [key, value] of pairs) if (typeof value !== 'string') causes.push(wrongType(`${field}.${key}`, 'string'))
  return pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string')
}

const wrongType = (field: string, type: string): Cause => ({
  field,
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: must be ${type}`,
})

const invalid = (field: string, value: unknown, rule: string): Cause => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${String(JSON.stringify(value)).slice(0, 120)}: ${rule}`,
})
