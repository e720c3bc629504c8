/**
 * What changed between two OpenAPI definitions, and which of it breaks callers that keep to the older one: what is asked of
 * them grew, or what they may rely on shrank. Pure. References within the document are followed.
 */

export interface ApiChange {
  breaking: boolean
  /** GET /orders/{id} */
  where: string
  what: string
}

type Json = Record<string, unknown>

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
/** Schemas may name themselves; beyond this depth nobody looks. */
const deepest = 12

export function diffOpenApi(before: unknown, after: unknown): ApiChange[] {
  const changes: ApiChange[] = []
  const [old, now] = [operationsOf(before), operationsOf(after)]
  for (const [where, operation] of old) {
    const successor = now.get(where)
    if (successor === undefined) changes.push({ breaking: true, where, what: 'is gone' })
    else changes.push(...diffOperation({ root: before, operation }, { root: after, operation: successor }).map((change) => ({ ...change, where })))
  }
  for (const where of now.keys()) if (!old.has(where)) changes.push({ breaking: false, where, what: 'is new' })
  return changes.toSorted((one, other) => Number(other.breaking) - Number(one.breaking) || one.where.localeCompare(other.where))
}

interface Side {
  root: unknown
  operation: Json
}

type Found = Omit<ApiChange, 'where'>

/** Names of parameters in a path are for people: /a/{id} and /a/{key} are the same place. */
function operationsOf(document: unknown): Map<string, Json> {
  const operations = new Map<string, Json>()
  for (const [path, item] of Object.entries(objectOf(objectOf(document).paths))) {
    const resolved = follow(document, item)
    for (const method of methods) {
      if (!isObject(resolved[method])) continue
      const shared = Array.isArray(resolved.parameters) ? resolved.parameters : []
      const own = Array.isArray(resolved[method].parameters) ? resolved[method].parameters : []
      operations.set(`${method.toUpperCase()} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`, { ...resolved[method], parameters: [...shared, ...own] })
    }
  }
  return operations
}

function diffOperation(before: Side, after: Side): Found[] {
  return [...diffDeprecation(before, after), ...diffParameters(before, after), ...diffRequestBody(before, after), ...diffResponses(before, after)]
}

function diffDeprecation(before: Side, after: Side): Found[] {
  return after.operation.deprecated === true && before.operation.deprecated !== true ? [{ breaking: false, what: 'is deprecated' }] : []
}

function parametersOf({ root, operation }: Side): Map<string, Json> {
  const all = (Array.isArray(operation.parameters) ? operation.parameters : []).map((parameter) => follow(root, parameter))
  return new Map(all.filter(({ in: place }) => place !== 'path').map((parameter) => [`${String(parameter.in)} parameter ${String(parameter.name)}`, parameter]))
}

function diffParameters(before: Side, after: Side): Found[] {
  const [old, now] = [parametersOf(before), parametersOf(after)]
  const changes: Found[] = []
  for (const [name, parameter] of now) {
    const former = old.get(name)
    if (former === undefined) changes.push({ breaking: parameter.required === true, what: `${name} is new${parameter.required === true ? ' and required' : ''}` })
    else {
      if (parameter.required === true && former.required !== true) changes.push({ breaking: true, what: `${name} is required now` })
      changes.push(...diffSchema({ root: before.root, schema: former.schema }, { root: after.root, schema: parameter.schema }, name, 'sent'))
    }
  }
  for (const name of old.keys()) if (!now.has(name)) changes.push({ breaking: true, what: `${name} is gone` })
  return changes
}

function diffRequestBody(before: Side, after: Side): Found[] {
  const [old, now] = [follow(before.root, before.operation.requestBody), follow(after.root, after.operation.requestBody)]
  const changes: Found[] = []
  if (now.required === true && old.required !== true) changes.push({ breaking: true, what: 'the request body is required now' })
  changes.push(...diffContent({ root: before.root, content: old.content }, { root: after.root, content: now.content }, 'the request body', 'sent'))
  return changes
}

function diffResponses(before: Side, after: Side): Found[] {
  const [old, now] = [objectOf(before.operation.responses), objectOf(after.operation.responses)]
  const changes: Found[] = []
  for (const [status, response] of Object.entries(old)) {
    if (now[status] === undefined) changes.push({ breaking: status.startsWith('2'), what: `the answer ${status} is gone` })
    else changes.push(...diffContent({ root: before.root, content: follow(before.root, response).content }, { root: after.root, content: follow(after.root, now[status]).content }, `the answer ${status}`, 'got'))
  }
  for (const status of Object.keys(now)) if (old[status] === undefined) changes.push({ breaking: false, what: `the answer ${status} is new` })
  return changes
}

interface Content {
  root: unknown
  content: unknown
}

function diffContent(before: Content, after: Content, name: string, direction: Direction): Found[] {
  const [old, now] = [objectOf(before.content), objectOf(after.content)]
  return Object.entries(old).flatMap(([type, media]) =>
    now[type] === undefined
      ? [{ breaking: true, what: `${name} is not ${type} any more` }]
      : diffSchema({ root: before.root, schema: objectOf(media).schema }, { root: after.root, schema: objectOf(now[type]).schema }, name, direction),
  )
}

interface SchemaSide {
  root: unknown
  schema: unknown
}

/** Whether callers send it (more asked for breaks) or get it (less given breaks). */
type Direction = 'sent' | 'got'

function diffSchema(before: SchemaSide, after: SchemaSide, name: string, direction: Direction, depth = 0): Found[] {
  const [old, now] = [follow(before.root, before.schema), follow(after.root, after.schema)]
  if (depth > deepest || (Object.keys(old).length === 0 && Object.keys(now).length === 0)) return []
  const changes: Found[] = []
  const [formerType, type] = [typesOf(old), typesOf(now)]
  if (formerType !== type && formerType !== '' && type !== '') return [{ breaking: true, what: `${name} is ${type}, and was ${formerType}` }]
  changes.push(...diffValues(old, now, name, direction))
  const [properties, successors] = [objectOf(old.properties), objectOf(now.properties)]
  const [required, requiredNow] = [stringsOf(old.required), stringsOf(now.required)]
  for (const [property, schema] of Object.entries(properties)) {
    const inner = `${name}.${property}`
    if (successors[property] === undefined) changes.push({ breaking: direction === 'got', what: `${inner} is gone` })
    else {
      changes.push(...diffSchema({ root: before.root, schema }, { root: after.root, schema: successors[property] }, inner, direction, depth + 1))
      if (direction === 'sent' && requiredNow.includes(property) && !required.includes(property)) changes.push({ breaking: true, what: `${inner} is required now` })
      if (direction === 'got' && !requiredNow.includes(property) && required.includes(property)) changes.push({ breaking: true, what: `${inner} may be missing now` })
    }
  }
  for (const property of Object.keys(successors)) {
    if (properties[property] !== undefined) continue
    const must = direction === 'sent' && requiredNow.includes(property)
    changes.push({ breaking: must, what: `${name}.${property} is new${must ? ' and required' : ''}` })
  }
  if (old.items !== undefined || now.items !== undefined) changes.push(...diffSchema({ root: before.root, schema: old.items }, { root: after.root, schema: now.items }, `${name}[]`, direction, depth + 1))
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

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectOf(value: unknown): Json {
  return isObject(value) ? value : {}
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

/** The object itself, or what its `$ref` names within the same document; a reference that leads nowhere or round is empty. */
function follow(root: unknown, value: unknown): Json {
  let current = value
  for (let step = 0; step < deepest; step++) {
    const { $ref } = objectOf(current)
    if (typeof $ref !== 'string') return objectOf(current)
    if (!$ref.startsWith('#/')) return {}
    current = $ref.slice(2).split('/').reduce<unknown>((inner, part) => {
      const key = decodeURIComponentSafely(part).replaceAll('~1', '/').replaceAll('~0', '~')
      return isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined
    }, root)
  }
  return {}
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
