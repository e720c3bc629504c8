/** AsyncAPI 2 and 3 as people read them: channels with what is sent and received there. Pure. */
import type { ApiContent, ApiGroup, ApiOperation, ApiParameter, ApiView } from '@pavior/contract'
import { asyncOperations, type AsyncMessage, type AsyncOperation } from '../asyncapi.ts'
import { at, follow, objectOf } from '../json.ts'
import { mostOperations } from './openapi.ts'
import { headOf, idMaker, note, plain, SchemaBook, textAs } from './schemas.ts'

export function viewAsyncApi(document: unknown, otherwise: string): ApiView {
  const book = new SchemaBook(document)
  for (const name of Object.keys(objectOf(at(at(document, 'components'), 'schemas')))) book.list(`#/components/schemas/${name.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('%', '%25')}`)
  const all = asyncOperations(document)
  const groups = groupsOf(document, book, all.slice(0, mostOperations))
  const schemas = book.all()
  return {
    format: 'asyncapi',
    formatVersion: note(String(at(document, 'asyncapi') ?? '')),
    ...headOf(document, otherwise),
    servers: serversOf(document),
    groups,
    schemas,
    truncated: book.truncated || all.length > mostOperations,
  }
}

function serversOf(document: unknown): ApiView['servers'] {
  return Object.entries(objectOf(at(document, 'servers'))).slice(0, 50).map(([name, entry]) => {
    const { url, host, pathname, protocol, description } = follow(document, entry)
    const address = typeof url === 'string' ? url : `${typeof host === 'string' ? host : name}${typeof pathname === 'string' ? pathname : ''}`
    return { url: note(typeof protocol === 'string' && !address.includes('://') ? `${protocol}://${address}` : address), ...textAs('description', description ?? name) }
  })
}

/** One group for each channel. */
function groupsOf(document: unknown, book: SchemaBook, operations: AsyncOperation[]): ApiGroup[] {
  const groups = new Map<string, ApiGroup>()
  const idOf = idMaker()
  for (const one of operations) {
    const group = groups.get(one.address) ?? { name: note(one.address), ...textAs('description', one.channel.description ?? one.channel.summary), operations: [] }
    groups.set(one.address, group)
    group.operations.push(operationOf(document, book, one, idOf(`${one.action} ${one.address}`)))
  }
  return [...groups.values()]
}

function operationOf(document: unknown, book: SchemaBook, { action, address, operation, channel, messages }: AsyncOperation, id: string): ApiOperation {
  return {
    id,
    verb: action,
    name: note(address),
    ...textAs('title', operation.summary ?? operation.title ?? operation.operationId),
    ...textAs('description', operation.description),
    ...(operation.deprecated === true ? { deprecated: true } : {}),
    parameters: Object.entries(objectOf(channel.parameters)).map(([name, entry]) => parameterOf(document, book, name, entry)),
    contents: messages.flatMap((message) => contentsOf(book, message)),
  }
}

function parameterOf(document: unknown, book: SchemaBook, name: string, entry: unknown): ApiParameter {
  const parameter = follow(document, entry)
  // Version 3 has no schema: a parameter is always text.
  const schema = parameter.schema ?? { type: 'string', enum: parameter.enum, default: parameter.default }
  return { name: note(name), place: 'address', required: true, ...textAs('description', parameter.description), schema: book.schema(schema) }
}

function contentsOf(book: SchemaBook, { name, message, payload, headers, foreign }: AsyncMessage): ApiContent[] {
  const media = note(String(message.contentType ?? 'payload'))
  const schema = foreign === undefined ? book.schema(payload) : { type: note(foreign), notes: [plain(payload)] }
  const forms = [...(payload === undefined ? [] : [{ media, schema }]), ...(headers === undefined ? [] : [{ media: 'headers', schema: book.schema(headers) }])]
  return [{ label: `Message ${note(name)}`, ...textAs('description', message.description ?? message.summary ?? message.title), forms }]
}
