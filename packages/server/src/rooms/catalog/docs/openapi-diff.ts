/**
 * What changed between two OpenAPI definitions, and which of it breaks callers that keep to the older one: what is asked of
 * them grew, or what they may rely on shrank. Pure. References within the document are followed.
 */
import type { ApiChange } from '../ports.ts'
import { follow, isObject, listOf, objectOf, type Json } from './json.ts'
import { comparisonOf, diffSchema, ordered, unfinished, type Comparison, type Direction, type Found } from './schema-diff.ts'

export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export function diffOpenApi(before: unknown, after: unknown): ApiChange[] {
  const comparison = comparisonOf(before, after)
  const changes: ApiChange[] = []
  const [old, now] = [operationsOf(before), operationsOf(after)]
  for (const [where, operation] of old) {
    const successor = now.get(where)
    if (successor === undefined) changes.push({ breaking: true, where, what: 'is gone' })
    else changes.push(...diffOperation(comparison, operation, successor).map((change) => ({ ...change, where })))
  }
  for (const where of now.keys()) if (!old.has(where)) changes.push({ breaking: false, where, what: 'is new' })
  return ordered([...changes, ...unfinished(comparison)])
}

/** Names of parameters in a path are for people: /a/{id} and /a/{key} are the same place. */
function operationsOf(document: unknown): Map<string, Json> {
  const operations = new Map<string, Json>()
  for (const [path, item] of Object.entries(objectOf(objectOf(document).paths))) {
    const resolved = follow(document, item)
    for (const method of methods) {
      if (!isObject(resolved[method])) continue
      operations.set(`${method.toUpperCase()} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`, { ...resolved[method], parameters: [...listOf(resolved.parameters), ...listOf(resolved[method].parameters)] })
    }
  }
  return operations
}

function diffOperation(comparison: Comparison, before: Json, after: Json): Found[] {
  return [...diffDeprecation(before, after), ...diffParameters(comparison, before, after), ...diffRequestBody(comparison, before, after), ...diffResponses(comparison, before, after)]
}

function diffDeprecation(before: Json, after: Json): Found[] {
  return after.deprecated === true && before.deprecated !== true ? [{ breaking: false, what: 'is deprecated' }] : []
}

function parametersOf(root: unknown, operation: Json): Map<string, Json> {
  const all = listOf(operation.parameters).map((parameter) => follow(root, parameter))
  return new Map(all.filter(({ in: place }) => place !== 'path' && place !== 'body').map((parameter) => [`${String(parameter.in)} parameter ${String(parameter.name)}`, parameter]))
}

function diffParameters(comparison: Comparison, before: Json, after: Json): Found[] {
  const [old, now] = [parametersOf(comparison.before, before), parametersOf(comparison.after, after)]
  const changes: Found[] = []
  for (const [name, parameter] of now) {
    const former = old.get(name)
    if (former === undefined) changes.push({ breaking: parameter.required === true, what: `${name} is new${parameter.required === true ? ' and required' : ''}` })
    else {
      if (parameter.required === true && former.required !== true) changes.push({ breaking: true, what: `${name} is required now` })
      changes.push(...diffSchema(comparison, schemaOf(former), schemaOf(parameter), name, 'sent'))
    }
  }
  for (const name of old.keys()) if (!now.has(name)) changes.push({ breaking: true, what: `${name} is gone` })
  return changes
}

/** OpenAPI 2 says the type of a parameter beside its name. */
function schemaOf(parameter: Json): unknown {
  return parameter.schema ?? { type: parameter.type, enum: parameter.enum, items: parameter.items }
}

function diffRequestBody(comparison: Comparison, before: Json, after: Json): Found[] {
  const [old, now] = [bodyOf(comparison.before, before), bodyOf(comparison.after, after)]
  const changes: Found[] = []
  if (now.required === true && old.required !== true) changes.push({ breaking: true, what: 'the request body is required now' })
  changes.push(...diffContent(comparison, old.content, now.content, 'the request body', 'sent'))
  return changes
}

/** OpenAPI 2 has the body among the parameters, and one schema for all media types. */
export function bodyOf(root: unknown, operation: Json): Json {
  const body = listOf(operation.parameters).map((parameter) => follow(root, parameter)).find(({ in: place }) => place === 'body')
  return body === undefined ? follow(root, operation.requestBody) : { ...body, content: { body: { schema: body.schema } } }
}

export function contentOf(answer: Json): unknown {
  return answer.content ?? (answer.schema === undefined ? undefined : { body: { schema: answer.schema } })
}

function diffResponses(comparison: Comparison, before: Json, after: Json): Found[] {
  const [old, now] = [objectOf(before.responses), objectOf(after.responses)]
  const changes: Found[] = []
  for (const [status, response] of Object.entries(old)) {
    if (now[status] === undefined) changes.push({ breaking: status.startsWith('2'), what: `the answer ${status} is gone` })
    else changes.push(...diffContent(comparison, contentOf(follow(comparison.before, response)), contentOf(follow(comparison.after, now[status])), `the answer ${status}`, 'got'))
  }
  for (const status of Object.keys(now)) if (old[status] === undefined) changes.push({ breaking: false, what: `the answer ${status} is new` })
  return changes
}

function diffContent(comparison: Comparison, before: unknown, after: unknown, name: string, direction: Direction): Found[] {
  const [old, now] = [objectOf(before), objectOf(after)]
  return Object.entries(old).flatMap(([type, media]) =>
    now[type] === undefined
      ? [{ breaking: true, what: `${name} is not ${type} any more` }]
      : diffSchema(comparison, objectOf(media).schema, objectOf(now[type]).schema, name, direction),
  )
}
