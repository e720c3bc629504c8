/**
 * OpenAPI v2 as the protobuf message `openapi.v2.Document` of gnostic, which older kubectl insists on.
 *
 * Only the messages and fields that our document uses are described here. Numbers are those of
 * https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto.
 */
import protobuf from 'protobufjs'
import type { OpenApiV2 } from './openapi-documents.ts'

/** `name: [type, number]`, with `*` behind the type for repeated fields. */
type Fields = Record<string, [type: string, id: number]>

const named = (type: string): Fields => ({ name: ['string', 1], value: [type, 2] })

const messages: Record<string, Fields> = {
  Document: { swagger: ['string', 1], info: ['Info', 2], paths: ['Paths', 8], definitions: ['Definitions', 9] },
  Info: { title: ['string', 1], version: ['string', 2] },
  Any: { yaml: ['string', 2] },
  NamedAny: named('Any'),
  Definitions: { additionalProperties: ['NamedSchema*', 1] },
  NamedSchema: named('Schema'),
  Schema: {
    ref: ['string', 1],
    format: ['string', 2],
    description: ['string', 4],
    multipleOf: ['double', 6],
    maximum: ['double', 7],
    exclusiveMaximum: ['bool', 8],
    minimum: ['double', 9],
    exclusiveMinimum: ['bool', 10],
    maxLength: ['int64', 11],
    minLength: ['int64', 12],
    pattern: ['string', 13],
    maxItems: ['int64', 14],
    minItems: ['int64', 15],
    uniqueItems: ['bool', 16],
    required: ['string*', 19],
    enum: ['Any*', 20],
    additionalProperties: ['AdditionalPropertiesItem', 21],
    type: ['TypeItem', 22],
    items: ['ItemsItem', 23],
    properties: ['Properties', 25],
    vendorExtension: ['NamedAny*', 31],
  },
  AdditionalPropertiesItem: { schema: ['Schema', 1] },
  TypeItem: { value: ['string*', 1] },
  ItemsItem: { schema: ['Schema*', 1] },
  Properties: { additionalProperties: ['NamedSchema*', 1] },
  Paths: { path: ['NamedPathItem*', 2] },
  NamedPathItem: named('PathItem'),
  PathItem: {
    get: ['Operation', 2],
    put: ['Operation', 3],
    post: ['Operation', 4],
    delete: ['Operation', 5],
    patch: ['Operation', 8],
    parameters: ['ParametersItem*', 9],
  },
  Operation: {
    description: ['string', 3],
    produces: ['string*', 6],
    consumes: ['string*', 7],
    parameters: ['ParametersItem*', 8],
    responses: ['Responses', 9],
    vendorExtension: ['NamedAny*', 13],
  },
  ParametersItem: { parameter: ['Parameter', 1] },
  Parameter: { bodyParameter: ['BodyParameter', 1], nonBodyParameter: ['NonBodyParameter', 2] },
  BodyParameter: { name: ['string', 2], in: ['string', 3], required: ['bool', 4], schema: ['Schema', 5] },
  NonBodyParameter: { queryParameterSubSchema: ['QueryParameter', 3], pathParameterSubSchema: ['PathParameter', 4] },
  QueryParameter: { in: ['string', 2], description: ['string', 3], name: ['string', 4], type: ['string', 6] },
  PathParameter: { required: ['bool', 1], in: ['string', 2], description: ['string', 3], name: ['string', 4], type: ['string', 5] },
  Responses: { responseCode: ['NamedResponseValue*', 1] },
  NamedResponseValue: named('ResponseValue'),
  ResponseValue: { response: ['Response', 1] },
  Response: { description: ['string', 1], schema: ['SchemaItem', 2] },
  SchemaItem: { schema: ['Schema', 1] },
}

export function openApiV2Message(): protobuf.Type {
  const nested = Object.fromEntries(
    Object.entries(messages).map(([name, fields]) => [
      name,
      { fields: Object.fromEntries(Object.entries(fields).map(([field, [type, id]]) => [field, fieldOf(type, id)])) },
    ]),
  )
  return protobuf.Root.fromJSON({ nested }).lookupType('Document')
}

function fieldOf(type: string, id: number): protobuf.IField {
  return type.endsWith('*') ? { rule: 'repeated', type: type.slice(0, -1), id } : { type, id }
}

export function encodeOpenApiV2(document: OpenApiV2): Buffer {
  const message = openApiV2Message()
  const { swagger, info, paths, definitions } = document
  const encoded = message.encode({
    swagger,
    info,
    paths: { path: entries(paths, pathItem) },
    definitions: { additionalProperties: entries(definitions, schema) },
  })
  return Buffer.from(encoded.finish())
}

type Doc = Record<string, any>

function entries(map: Doc, convert: (value: any) => Doc): { name: string; value: Doc }[] {
  return Object.entries(map).map(([name, value]) => ({ name, value: convert(value) }))
}

/** Values of any type travel as YAML, of which JSON is a part. */
const any = (value: unknown): Doc => ({ yaml: JSON.stringify(value) })

function extensions(node: Doc): Doc {
  const own = Object.entries(node).filter(([key]) => key.startsWith('x-'))
  return own.length > 0 ? { vendorExtension: own.map(([name, value]) => ({ name, value: any(value) })) } : {}
}

function schema(node: Doc): Doc {
  const { $ref, type, enum: values, items, properties, additionalProperties, ...rest } = node
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith('x-'))),
    ...($ref ? { ref: $ref } : {}),
    ...(type ? { type: { value: [type] } } : {}),
    ...(values ? { enum: values.map(any) } : {}),
    ...(items ? { items: { schema: [schema(items)] } } : {}),
    ...(properties ? { properties: { additionalProperties: entries(properties, schema) } } : {}),
    ...(additionalProperties ? { additionalProperties: { schema: schema(additionalProperties) } } : {}),
    ...extensions(node),
  }
}

function pathItem({ parameters = [], ...operations }: Doc): Doc {
  return {
    ...Object.fromEntries(Object.entries(operations).map(([method, value]) => [method, operation(value)])),
    parameters: parameters.map(parameter),
  }
}

function operation(node: Doc): Doc {
  const { description, consumes, produces, parameters, responses } = node
  return {
    description,
    consumes,
    produces,
    parameters: parameters.map(parameter),
    responses: {
      responseCode: entries(responses, (response) => ({
        response: { description: response.description, schema: { schema: schema(response.schema) } },
      })),
    },
    ...extensions(node),
  }
}

function parameter({ schema: body, ...rest }: Doc): Doc {
  if (rest.in === 'body') return { parameter: { bodyParameter: { ...rest, schema: schema(body) } } }
  return { parameter: { nonBodyParameter: rest.in === 'query' ? { queryParameterSubSchema: rest } : { pathParameterSubSchema: rest } } }
}
