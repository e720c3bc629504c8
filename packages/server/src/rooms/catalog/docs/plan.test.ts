import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffOpenApi } from './openapi-diff.ts'
import { apiPaths, docPaths, readApi, titleOf } from './plan.ts'

type Schema = Record<string, unknown>

/** A definition with one operation that takes and gives an order. */
function definition(order: Schema, operation: Schema = {}): Schema {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } }
  return { openapi: '3.1.0', info: { title: 'Orders' }, paths: { '/orders/{id}': { parameters: [{ name: 'id', in: 'path', required: true }], put: { requestBody: { content }, responses: { 200: { content } }, ...operation } } }, components: { schemas: { Order: order } } }
}

const order: Schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, state: { enum: ['open', 'paid'] }, lines: { type: 'array', items: { type: 'object', properties: { count: { type: 'integer' } } } } } }
const properties = order.properties as Schema
const broken = (before: Schema, after: Schema): string[] => diffOpenApi(before, after).filter(({ breaking }) => breaking).map(({ where, what }) => `${where} ${what}`)

describe('changes of an API', () => {
  test.each<[string, Schema, Schema, string[]]>([
    ['nothing', definition(order), definition(order), []],
    ['a name in a path', definition(order), JSON.parse(JSON.stringify(definition(order)).replaceAll('{id}', '{key}')), []],
    ['an operation less', definition(order), { ...definition(order), paths: {} }, ['PUT /orders/{} is gone']],
    ['a field that is asked for', definition(order), definition({ ...order, required: ['id', 'state'] }), ['PUT /orders/{} the request body.state is required now']],
    ['a field that may be missing', definition(order), definition({ ...order, required: [] }), ['PUT /orders/{} the answer 200.id may be missing now']],
    ['a field less', definition(order), definition({ ...order, properties: { id: properties.id, state: properties.state } }), ['PUT /orders/{} the answer 200.lines is gone']],
    ['another type deep inside', definition(order), JSON.parse(JSON.stringify(definition(order)).replace('integer', 'string')), ['PUT /orders/{} the answer 200.lines[].count is string, and was integer', 'PUT /orders/{} the request body.lines[].count is string, and was integer']],
    ['a value less and a value more', definition(order), definition({ ...order, properties: { ...properties, state: { enum: ['open', 'sent'] } } }), ['PUT /orders/{} the answer 200.state can be sent', 'PUT /orders/{} the request body.state cannot be paid any more']],
    ['a parameter that is asked for', definition(order), definition(order, { parameters: [{ name: 'team', in: 'query', required: true }] }), ['PUT /orders/{} query parameter team is new and required']],
    ['a parameter that may be given', definition(order), definition(order, { parameters: [{ name: 'team', in: 'query' }] }), []],
    ['a good answer less', definition(order), definition(order, { responses: { 201: {} } }), ['PUT /orders/{} the answer 200 is gone']],
  ])('%s', (_, before, after, wanted) => {
    expect(broken(before, after).toSorted()).toEqual(wanted.toSorted())
  })

  test('a definition that names itself, or nothing, ends', () => {
    const round = definition({ type: 'object', properties: { child: { $ref: '#/components/schemas/Order' }, gone: { $ref: '#/nowhere' }, self: { $ref: '#/components/schemas/Order/properties/self' } } })
    expect(diffOpenApi(round, round)).toEqual([])
  })

  test('nothing changed in itself, and no document breaks the comparison', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 5 }), fc.object({ maxDepth: 5 }), (one, other) => {
        expect(diffOpenApi({ paths: one }, { paths: one })).toEqual([])
        diffOpenApi({ paths: one, components: other }, { paths: other })
        diffOpenApi(one, null)
      }),
    )
  })
})

describe('documentation', () => {
  test('is the README and the Markdown below docs', () => {
    expect(docPaths(['src/notes.md', 'docs/b.md', 'docs/a/x.markdown', 'docs/logo.png', 'Readme.md', 'README.MD'])).toEqual(['Readme.md', 'docs/a/x.markdown', 'docs/b.md'])
  })

  test.each([
    ['docs/run-book.md', 'Text\n\n## How it *runs* ##\n', 'How it *runs*'],
    ['docs/run-book.md', '```\n# no heading\n```\ntext', 'run book'],
    ['README.md', '', 'README'],
  ])('%s has a title', (path, markdown, title) => {
    expect(titleOf(path, markdown)).toBe(title)
  })

  test('definitions of APIs are told by their names and by what is in them', () => {
    expect(apiPaths(['openapi.yaml', 'api/v1/openapi.json', 'a/b/c/openapi.json', 'node_modules/x/openapi.yaml', 'schema.graphql', 'other.yaml'])).toEqual(['openapi.yaml', 'api/v1/openapi.json', 'schema.graphql'])
    expect(readApi('openapi.yaml', 'openapi: 3.0.0\ninfo: {title: Shop}')).toMatchObject({ format: 'openapi', title: 'Shop' })
    expect(readApi('asyncapi.yaml', 'asyncapi: 3.0.0')).toMatchObject({ format: 'asyncapi', title: 'asyncapi.yaml' })
    expect(readApi('schema.graphql', 'type Query { a: Int }')).toMatchObject({ format: 'graphql' })
    expect(readApi('openapi.yaml', 'a: [')?.problem).toContain('line 1')
    expect(readApi('openapi.yaml', 'just text')).toEqual({ format: 'openapi', title: 'openapi.yaml', problem: 'it holds no object.' })
    expect(readApi('notes.yaml', 'openapi: 3.0.0')).toBeUndefined()
  })
})
