import type { ApiOperation, ApiView } from '@pavior/contract'
import { PaviorError } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffOf, viewOf } from './definition.ts'

const orders = `
openapi: 3.1.0
info: { title: Orders, version: 2.1.0, description: Who ordered what. }
servers: [{ url: https://orders.example.com }]
tags: [{ name: reading, description: To look. }]
paths:
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, maxLength: 12 } }]
    get:
      tags: [reading]
      summary: One order
      responses:
        200: { description: The order, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
    delete: { deprecated: true, responses: { 204: { description: Gone } } }
components:
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: { type: string, format: uuid }
        state: { enum: [open, paid], default: open }
        parent: { $ref: '#/components/schemas/Order' }
        lines: { type: array, items: { type: object, additionalProperties: { type: [integer, 'null'] } } }
        remote: { $ref: 'https://elsewhere.example.com/a.yaml#/B' }
        lost: { $ref: '#/components/schemas/Nowhere' }
`
const swagger = JSON.stringify({ swagger: '2.0', info: { title: 'Old' }, host: 'old.example.com', basePath: '/v1', schemes: ['https'], paths: { '/a': { post: { parameters: [{ name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/A' } }, { name: 'q', in: 'query', type: 'integer' }], responses: { 200: { schema: { $ref: '#/definitions/A' } } } } } }, definitions: { A: { type: 'object', properties: { a: { type: 'string' } } } } })
const asyncTwo = (payload: string): string => `
asyncapi: 2.6.0
info: { title: Mail, version: 1.0.0 }
servers: { prod: { url: mq.example.com, protocol: amqp } }
channels:
  'orders/{id}':
    parameters: { id: { schema: { type: string } } }
    subscribe: { summary: An order came, message: { $ref: '#/components/messages/Placed' } }
    publish: { message: { oneOf: [{ name: Cancel, payload: { type: object, required: [reason], properties: { reason: { type: string } } } }, { name: Keep, payload: { type: string } }] } }
components: { messages: { Placed: { contentType: application/json, payload: ${payload} } } }
`
const asyncThree = (payload: string): string => `
asyncapi: 3.0.0
info: { title: Mail, version: 2.0.0 }
servers: { prod: { host: mq.example.com, protocol: amqp } }
channels: { placed: { address: 'orders/{key}', messages: { Placed: { $ref: '#/components/messages/Placed' } } } }
operations: { tell: { action: send, channel: { $ref: '#/channels/placed' }, messages: [{ $ref: '#/channels/placed/messages/Placed' }] } }
components: { messages: { Placed: { contentType: application/json, payload: ${payload} } } }
`
const sdl = `
"An order."
type Order @key(fields: "id") { id: ID!  "Where it stands." state(at: String = "now"): State  parts: [Order!]! }
enum State { OPEN PAID }
input NewOrder { name: String! count: Int = 1 }
union Thing = Order | Query
extend type Customer { orders: [Order] }
type Query { order(id: ID!): Order }
type Mutation { place(order: NewOrder!): Order @deprecated(reason: "Use putOrder.") }
`
const of = (path: string, definition: string) => ({ path, definition, format: path.includes('graphql') ? ('graphql' as const) : path.includes('async') ? ('asyncapi' as const) : ('openapi' as const) })
const view = (path: string, text: string): Promise<ApiView> => viewOf(of(path, text))
const operations = ({ groups }: ApiView): ApiOperation[] => groups.flatMap((group) => group.operations)
const changes = async (path: string, before: string, after: string): Promise<string[]> => (await diffOf(of(path, before), of(path, after))).map(({ breaking, risky, where, what }) => `${breaking ? 'breaks' : risky ? 'risky' : 'grows'} ${where} ${what}`)

describe('an API as people read it', () => {
  test('OpenAPI 3: operations by tag, schemas once, nothing fetched', async () => {
    const shown = await view('openapi.yaml', orders)
    expect(shown).toMatchObject({ formatVersion: '3.1.0', title: 'Orders', version: '2.1.0', servers: [{ url: 'https://orders.example.com' }], truncated: false })
    expect(shown.groups.map(({ name, description }) => [name, description])).toEqual([['reading', 'To look.'], ['Operations', undefined]])
    const [get, gone] = operations(shown)
    expect(get).toMatchObject({ id: 'get-orders-id', verb: 'GET', name: '/orders/{id}', title: 'One order', parameters: [{ name: 'id', place: 'path', required: true, schema: { type: 'string', notes: ['at most 12 characters'] } }], contents: [{ label: 'Answer 200', forms: [{ media: 'application/json', schema: { ref: 'Order' } }] }] })
    expect(gone).toMatchObject({ deprecated: true })
    const [order] = shown.schemas
    expect(Object.fromEntries(order!.schema.properties!.map(({ name, schema }) => [name, schema]))).toMatchObject({
      id: { type: 'string (uuid)' },
      state: { values: ['open', 'paid'], notes: ['default open'] },
      parent: { ref: 'Order' },
      lines: { type: 'array', items: { entries: { type: 'integer or null' } } },
      remote: { type: 'elsewhere' },
      lost: { type: 'unknown' },
    })
  })

  test('OpenAPI 2: the body is a parameter, the server in three parts', async () => {
    const shown = await view('swagger.json', swagger)
    expect(shown.servers).toEqual([{ url: 'https://old.example.com/v1' }])
    expect(operations(shown)[0]).toMatchObject({ parameters: [{ name: 'q', schema: { type: 'integer' } }], contents: [{ label: 'Request body, required', forms: [{ schema: { ref: 'A' } }] }, { label: 'Answer 200', forms: [{ schema: { ref: 'A' } }] }] })
  })

  test('AsyncAPI 2 and 3 say the same alike', async () => {
    const two = await view('asyncapi.yaml', asyncTwo('{ type: string }'))
    expect(two.servers).toEqual([{ url: 'amqp://mq.example.com', description: 'prod' }])
    expect(operations(two).map(({ verb, name, contents }) => [verb, name, contents.map(({ label }) => label)])).toEqual([['receives', 'orders/{id}', ['Message Cancel', 'Message Keep']], ['sends', 'orders/{id}', ['Message Placed']]])
    const three = await view('asyncapi.yaml', asyncThree('{ schemaFormat: application/vnd.apache.avro, schema: { type: record } }'))
    expect(operations(three)).toMatchObject([{ verb: 'sends', name: 'orders/{key}', title: 'tell', contents: [{ label: 'Message Placed', forms: [{ media: 'application/json', schema: { type: 'application/vnd.apache.avro' } }] }] }])
  })

  test('GraphQL: queries, mutations and types; foreign directives and extended types are fine', async () => {
    const shown = await view('schema.graphql', sdl)
    expect(shown.groups.map(({ name }) => name)).toEqual(['Queries', 'Mutations'])
    expect(operations(shown)).toMatchObject([{ id: 'query-order', parameters: [{ name: 'id', required: true }], contents: [{ forms: [{ schema: { ref: 'Order' } }] }] }, { verb: 'mutation', deprecated: true }])
    expect(shown.schemas.map(({ name }) => name)).toEqual(['Customer', 'NewOrder', 'Order', 'State', 'Thing'])
    expect(shown.schemas[2]!.schema).toMatchObject({ type: 'object', description: 'An order.', properties: [{ name: 'id', required: true, schema: { type: 'ID' } }, { name: 'state', parameters: [{ name: 'at' }], schema: { ref: 'State', description: 'Where it stands.' } }, { name: 'parts', schema: { type: 'array', items: { ref: 'Order' } } }] })
  })
})

describe('what breaks callers', () => {
  test('of AsyncAPI: what is received may not be asked more of, what is sent may not give less', async () => {
    const before = asyncTwo('{ type: object, required: [id], properties: { id: { type: string }, total: { type: number } } }')
    expect(await changes('asyncapi.yaml', before, before)).toEqual([])
    expect(await changes('asyncapi.yaml', before, asyncTwo('{ type: object, properties: { id: { type: string } } }'))).toEqual(['breaks sends orders/{} the message Placed.id may be missing now', 'breaks sends orders/{} the message Placed.total is gone'])
    expect(await changes('asyncapi.yaml', before, before.replace('name: Keep', 'name: Hold'))).toEqual(['breaks receives orders/{} the message Keep is gone', 'grows receives orders/{} the message Hold is new'])
    expect(await changes('asyncapi.yaml', before, before.replace('required: [reason], properties: {', 'required: [reason, by], properties: { by: { type: string },'))).toEqual(['breaks receives orders/{} the message Cancel.by is new and required'])
    expect(await changes('asyncapi.yaml', before, before.replace('application/json', 'application/cbor'))).toEqual(['breaks sends orders/{} the message Placed is application/cbor, and was application/json'])
  })

  test('from AsyncAPI 2 to 3', async () => {
    expect(await changes('asyncapi.yaml', asyncTwo('{ type: string }'), asyncThree('{ type: string }'))).toEqual(['breaks receives orders/{} is gone'])
  })

  test('of GraphQL, as its library judges', async () => {
    expect(await changes('schema.graphql', sdl, sdl)).toEqual([])
    expect(await changes('schema.graphql', sdl, sdl.replace('id: ID!  "', '"').replace('OPEN PAID', 'OPEN PAID SENT').replace('order(id: ID!): Order', 'order(id: ID!): Order orders: [Order]'))).toEqual(['breaks Order.id was removed', 'risky The schema : SENT was added to enum type State', 'grows Query.orders is new'])
    expect(await changes('schema.graphql', sdl, sdl.replace('order(id: ID!)', 'order(id: ID!, team: ID!)'))).toEqual(['breaks Query.order : A required arg team on Query.order was added'])
  })
})

const deep = (open: string, close: string, depth: number): string => `${open.repeat(depth)}${close.repeat(depth)}`
const hostile: [string, string, string][] = [
  ['no YAML', 'openapi.yaml', 'openapi: [3'],
  ['another format', 'openapi.yaml', 'title: text'],
  ['lists without end', 'openapi.yaml', `openapi: ${deep('[', ']', 100_000)}`],
  ['aliases that grow', 'openapi.yaml', `openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`).join('\n')}`],
  ['no GraphQL', 'schema.graphql', 'type Query { a: }'],
  ['an unknown type', 'schema.graphql', 'type Query { a: Nowhere }'],
  ['GraphQL without end', 'schema.graphql', `type Query { a(b: Int = ${deep('[', ']', 50_000)}): Int }`],
  ['too much GraphQL', 'schema.graphql', `type Query { ${'a: Int '.repeat(100_000)} }`],
]

describe('definitions of strangers', () => {
  test.each(hostile)('%s is refused with its reason', async (_, path, text) => {
    const refusal = await view(path, text).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(PaviorError)
    expect(refusal).toMatchObject({ code: 'API_DEFINITION_INVALID' })
    expect(await diffOf(of(path, text), of(path, text)).catch((error: unknown) => error)).toMatchObject({ code: 'API_DEFINITION_INVALID' })
  })

  test('what names itself, many times over, ends quickly and is shown once', async () => {
    const properties = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`p${index}`, { $ref: `#/components/schemas/S${index % 3}` }]))
    const schemas = Object.fromEntries([0, 1, 2].map((index) => [`S${index}`, { type: 'object', properties }]))
    const text = JSON.stringify({ openapi: '3.0.0', paths: { '/a': { get: { responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/S0' } } } } } } } }, components: { schemas } })
    const began = performance.now()
    expect((await view('openapi.json', text)).schemas).toHaveLength(3)
    expect(await changes('openapi.json', text, text)).toEqual([expect.stringContaining('risky The definition is too entangled')])
    expect(performance.now() - began).toBeLessThan(5000)
  })

  test('a tree of schemas within schemas is cut, and says so', async () => {
    const within = (depth: number): object => (depth === 0 ? { type: 'string' } : { type: 'array', items: within(depth - 1) })
    const shown = await view('openapi.json', JSON.stringify({ openapi: '3.0.0', components: { schemas: { A: within(60) } } }))
    expect(shown.truncated).toBe(true)
  })

  test('keys of the prototype are only names', async () => {
    const text = '{"openapi":"3.0.0","paths":{"__proto__":{"get":{"responses":{"constructor":{"content":{"__proto__":{"schema":{"$ref":"#/components/schemas/__proto__"}}}}}}}},"components":{"schemas":{"__proto__":{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"$ref":"#/constructor"}},"polluted":true}}}}'
    const shown = await view('openapi.json', text)
    expect(shown.schemas.map(({ name }) => name)).toEqual(['__proto__'])
    expect(shown.schemas[0]!.schema.properties!.map(({ name }) => name)).toEqual(['__proto__', 'constructor'])
    await diffOf(of('openapi.json', text), of('openapi.json', text.replaceAll('string', 'number')))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('no document breaks the reader', async () => {
    await fc.assert(
      fc.asyncProperty(fc.object({ maxDepth: 4 }), fc.object({ maxDepth: 4 }), fc.constantFrom('openapi', 'swagger', 'asyncapi'), async (one, other, format) => {
        const text = JSON.stringify({ [format]: format === 'asyncapi' ? '3.0.0' : '2.0', paths: one, channels: one, operations: other, servers: one, tags: [other], components: { schemas: one, messages: other }, definitions: other, info: one })
        const path = format === 'asyncapi' ? 'asyncapi.json' : 'openapi.json'
        await view(path, text)
        expect(await diffOf(of(path, text), of(path, text))).toEqual([])
      }),
    )
  })
})
