/** OpenAPI 2 and 3 as people read them. Pure. */
import type { ApiContent, ApiGroup, ApiOperation, ApiParameter, ApiView } from '@pavior/contract'
import { at, follow, isObject, listOf, objectOf, stringsOf, type Json } from '../json.ts'
import { bodyOf, contentOf, methods } from '../openapi-diff.ts'
import { headOf, idMaker, note, SchemaBook, textAs } from './schemas.ts'

/** More than these are not shown; the largest public definitions have some thousand. */
export const mostOperations = 5000
const untagged = 'Operations'

export function viewOpenApi(document: unknown, otherwise: string): ApiView {
  const book = new SchemaBook(document)
  for (const [holder, path] of [[at(at(document, 'components'), 'schemas'), '#/components/schemas/'], [at(document, 'definitions'), '#/definitions/']] as const) {
    for (const name of Object.keys(objectOf(holder))) book.list(path + name.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('%', '%25'))
  }
  const { groups, truncated } = groupsOf(document, book)
  const schemas = book.all()
  return {
    format: 'openapi',
    formatVersion: note(String(at(document, 'openapi') ?? at(document, 'swagger') ?? '')),
    ...headOf(document, otherwise),
    servers: serversOf(document),
    groups,
    schemas,
    truncated: truncated || book.truncated,
  }
}

function serversOf(document: unknown): ApiView['servers'] {
  const { servers, host, basePath, schemes } = objectOf(document)
  // OpenAPI 2 has one host and its schemes.
  if (typeof host === 'string') return (stringsOf(schemes).length > 0 ? stringsOf(schemes) : ['https']).map((scheme) => ({ url: note(`${scheme}://${host}${typeof basePath === 'string' ? basePath : ''}`) }))
  return listOf(servers).slice(0, 50).map(objectOf).map(({ url, description }) => ({ url: note(String(url ?? '/')), ...textAs('description', description) }))
}

/** By their first tag, in the order in which tags are described, then as they come. */
function groupsOf(document: unknown, book: SchemaBook): { groups: ApiGroup[]; truncated: boolean } {
  const groups = new Map<string, ApiGroup>()
  for (const tag of listOf(at(document, 'tags')).map(objectOf)) if (typeof tag.name === 'string') groups.set(tag.name, { name: note(tag.name), ...textAs('description', tag.description), operations: [] })
  const idOf = idMaker()
  let count = 0
  for (const [path, item] of Object.entries(objectOf(at(document, 'paths')))) {
    const resolved = follow(document, item)
    for (const method of methods) {
      const operation = resolved[method]
      if (!isObject(operation)) continue
      if (++count > mostOperations) return { groups: filled(groups), truncated: true }
      const tag = stringsOf(operation.tags)[0] ?? untagged
      const group = groups.get(tag) ?? { name: note(tag), operations: [] }
      groups.set(tag, group)
      const whole = { ...operation, parameters: [...listOf(resolved.parameters), ...listOf(operation.parameters)] }
      group.operations.push(operationOf(document, book, whole, method.toUpperCase(), note(path), idOf(`${method} ${path}`)))
    }
  }
  return { groups: filled(groups), truncated: false }
}

function filled(groups: Map<string, ApiGroup>): ApiGroup[] {
  return [...groups.values()].filter(({ operations }) => operations.length > 0)
}

function operationOf(document: unknown, book: SchemaBook, operation: Json, verb: string, name: string, id: string): ApiOperation {
  const parameters = listOf(operation.parameters).map((parameter) => follow(document, parameter)).filter(({ in: place }) => place !== 'body')
  return {
    id,
    verb,
    name,
    ...textAs('title', operation.summary ?? operation.operationId),
    ...textAs('description', operation.description),
    ...(operation.deprecated === true ? { deprecated: true } : {}),
    parameters: parameters.map((parameter) => parameterOf(book, parameter)),
    contents: contentsOf(document, book, operation),
  }
}

function parameterOf(book: SchemaBook, parameter: Json): ApiParameter {
  const { name, in: place, required, description, schema, content } = parameter
  return {
    name: note(String(name ?? '')),
    place: note(String(place ?? '')),
    required: required === true || place === 'path',
    ...textAs('description', description),
    // OpenAPI 2 says the type beside the name; a parameter with content has its schema within.
    schema: book.schema(schema ?? objectOf(Object.values(objectOf(content))[0]).schema ?? { ...parameter, description: undefined }),
  }
}

function contentsOf(document: unknown, book: SchemaBook, operation: Json): ApiContent[] {
  const body = bodyOf(document, operation)
  const forms = (content: unknown): ApiContent['forms'] => Object.entries(objectOf(content)).map(([media, inner]) => ({ media: note(media), schema: book.schema(follow(document, inner).schema) }))
  return [
    ...(Object.keys(body).length > 0 ? [{ label: `Request body${body.required === true ? ', required' : ''}`, ...textAs('description', body.description), forms: forms(body.content) }] : []),
    ...Object.entries(objectOf(operation.responses)).map(([status, response]): ApiContent => {
      const answer = follow(document, response)
      return { label: `Answer ${note(status)}`, ...textAs('description', answer.description), forms: forms(contentOf(answer)) }
    }),
  ]
}
