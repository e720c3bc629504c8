/** Label and field selectors as in the Kubernetes API: parsed into requirements, and judged on a resource. */
import { fail, type PaviorError, type Resource } from '@pavior/contract'
import type { FieldRequirement, LabelRequirement, Selection } from '../resources/types.ts'
import { isLabelValue, isQualifiedName } from './names.ts'

/** `a=b,c!=d,e in (x,y),!f,g` → requirements; throws BAD_REQUEST. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return splitOutsideParentheses(text)
    .filter((part) => part.trim() !== '')
    .map((part) => parseLabelRequirement(part.trim(), text))
}

function parseLabelRequirement(part: string, whole: string): LabelRequirement {
  const requirement = readRequirement(part)
  if (!requirement) throw unusable('label', whole, part)
  if (!isQualifiedName(requirement.key)) throw unusable('label', whole, part, `"${requirement.key}" is not a label key.`)
  const wrong = requirement.values.find((value) => !isLabelValue(value))
  if (wrong !== undefined) throw unusable('label', whole, part, `"${wrong}" is not a label value.`)
  return requirement
}

function readRequirement(part: string): LabelRequirement | undefined {
  const absent = /^!\s*(\S+)$/.exec(part)
  if (absent) return { key: absent[1]!, operator: 'DoesNotExist', values: [] }
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part)
  if (set) return { key: set[1]!, operator: set[2] === 'in' ? 'In' : 'NotIn', values: set[3]!.split(',').map((value) => value.trim()) }
  const equal = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/.exec(part)
  if (equal) return { key: equal[1]!, operator: equal[2] === '!=' ? 'NotIn' : 'In', values: [equal[3]!] }
  return /^[^\s=!()]+$/.test(part) ? { key: part, operator: 'Exists', values: [] } : undefined
}

/** `metadata.name=a,spec.app!=b` → requirements; throws BAD_REQUEST. Which paths a kind allows is checked where it is listed. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return text
    .split(/(?<!\\),/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const match = /^\s*([A-Za-z0-9_.-]+)\s*(==|=|!=)\s*(.*?)\s*$/s.exec(part)
      if (!match) throw unusable('field', text, part)
      return { path: match[1]!, operator: match[2] === '!=' ? '!=' : '=', value: match[3]!.replaceAll(/\\([\\,=])/g, '$1') }
    })
}

/** Whether a resource, or what is known of it, fits all requirements. A field that is absent counts as empty. */
export function matches(resource: Partial<Resource>, { labels, fields }: Selection): boolean {
  return (
    (labels?.every((requirement) => matchesLabel(resource.metadata?.labels, requirement)) ?? true) &&
    (fields?.every((requirement) => matchesField(resource, requirement)) ?? true)
  )
}

function matchesLabel(labels: Record<string, string> | undefined, { key, operator, values }: LabelRequirement): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined
  if (operator === 'Exists') return value !== undefined
  if (operator === 'DoesNotExist') return value === undefined
  // As in Kubernetes, a resource without the label fits `!=` and `notin`.
  return operator === 'In' ? value !== undefined && values.includes(value) : value === undefined || !values.includes(value)
}

function matchesField(resource: Partial<Resource>, { path, operator, value }: FieldRequirement): boolean {
  return (fieldText(resource, path) === value) === (operator === '=')
}

/** The value at a path as text, the way the database compares it: absent is empty, objects are their JSON. */
function fieldText(resource: unknown, path: string): string {
  let value = resource
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return ''
    value = (value as Record<string, unknown>)[part]
  }
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '(') depth++
    else if (text[index] === ')') depth--
    else if (text[index] === ',' && depth === 0) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function unusable(kind: 'label' | 'field', whole: string, part: string, why?: string): PaviorError {
  const example = kind === 'label' ? 'app=shop,tier in (web,api),!legacy' : 'metadata.name=shop,spec.app!=blog'
  return fail('BAD_REQUEST', {
    message: `The ${kind} selector ${JSON.stringify(whole.slice(0, 200))} cannot be understood at ${JSON.stringify(part.slice(0, 100))}.`,
    why,
    fix: `Write it like ${example}.`,
  })
}
