/** A GraphQL schema as people read it: queries, mutations, subscriptions, and the types that they name. */
import type { ApiGroup, ApiOperation, ApiParameter, ApiProperty, ApiSchema, ApiView } from '@pavior/contract'
import type { GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLInputType, GraphQLNamedType, GraphQLObjectType, GraphQLOutputType, GraphQLSchema } from 'graphql'
import type { GraphQL } from '../graphql.ts'
import { mostOperations } from './openapi.ts'
import { idMaker, note, textAs } from './schemas.ts'

const mostTypes = 3000

export function viewGraphQl(graphql: GraphQL, schema: GraphQLSchema, otherwise: string): ApiView {
  const reader = readerOf(graphql)
  const idOf = idMaker()
  const roots: [string, string, GraphQLObjectType | null | undefined][] = [['Queries', 'query', schema.getQueryType()], ['Mutations', 'mutation', schema.getMutationType()], ['Subscriptions', 'subscription', schema.getSubscriptionType()]]
  const groups = roots.flatMap(([name, verb, type]): ApiGroup[] => {
    const fields = Object.values(type?.getFields() ?? {})
    return fields.length === 0 ? [] : [{ name, ...textAs('description', type!.description), operations: fields.slice(0, mostOperations).map((field) => operationOf(reader, field, verb, idOf(`${verb} ${field.name}`))) }]
  })
  const rootNames = roots.map(([, , type]) => type?.name)
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__') && !rootNames.includes(type.name) && !graphql.isSpecifiedScalarType(type))
  return {
    format: 'graphql',
    formatVersion: '',
    title: otherwise,
    ...textAs('description', schema.description),
    servers: [],
    groups,
    schemas: types.slice(0, mostTypes).map((type) => ({ name: note(type.name), schema: reader.named(type) })).toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    truncated: types.length > mostTypes,
  }
}

type Reader = ReturnType<typeof readerOf>

function readerOf(graphql: GraphQL) {
  /** `[Order!]!` is a list of orders; ! is told as required where the name is. */
  const typed = (type: GraphQLOutputType | GraphQLInputType): ApiSchema => {
    if (graphql.isNonNullType(type)) return typed(type.ofType as GraphQLOutputType)
    if (graphql.isListType(type)) return { type: 'array', notes: [note(String(type))], items: typed(type.ofType as GraphQLOutputType) }
    return graphql.isSpecifiedScalarType(type) ? { type: type.name } : { type: '', ref: note((type as GraphQLNamedType).name) }
  }
  const parameter = (argument: GraphQLArgument): ApiParameter => ({
    name: note(argument.name),
    place: 'argument',
    required: graphql.isRequiredArgument(argument),
    ...textAs('description', argument.description),
    schema: withNotes(typed(argument.type), argument),
  })
  const property = (field: GraphQLField<unknown, unknown> | GraphQLInputField): ApiProperty => ({
    name: note(field.name),
    required: graphql.isNonNullType(field.type),
    schema: { ...withNotes(typed(field.type), field), ...textAs('description', field.description) },
    ...('args' in field && field.args.length > 0 ? { parameters: field.args.map(parameter) } : {}),
  })
  const named = (type: GraphQLNamedType): ApiSchema => {
    const described = textAs('description', type.description)
    if (graphql.isEnumType(type)) return { type: 'enum', ...described, values: type.getValues().map(({ name }) => note(name)) }
    if (graphql.isUnionType(type)) return { type: 'one of', ...described, parts: type.getTypes().map(typed) }
    if (graphql.isScalarType(type)) return { type: 'scalar', ...described, ...(type.specifiedByURL ? { notes: [note(type.specifiedByURL)] } : {}) }
    const interfaces = 'getInterfaces' in type ? type.getInterfaces().map(({ name }) => name) : []
    const word = graphql.isInputObjectType(type) ? 'input' : graphql.isInterfaceType(type) ? 'interface' : 'object'
    return { type: word, ...described, ...(interfaces.length > 0 ? { notes: [note(`implements ${interfaces.join(', ')}`)] } : {}), properties: Object.values(type.getFields()).map(property) }
  }
  return { typed, parameter, named }
}

function withNotes(schema: ApiSchema, { deprecationReason, defaultValue }: { deprecationReason?: string | null | undefined; defaultValue?: unknown }): ApiSchema {
  const notes = [...(schema.notes ?? []), ...(defaultValue === undefined ? [] : [note(`default ${JSON.stringify(defaultValue)}`)]), ...(deprecationReason ? [note(`deprecated: ${deprecationReason}`)] : [])]
  return { ...schema, ...(deprecationReason ? { deprecated: true } : {}), ...(notes.length > 0 ? { notes } : {}) }
}

function operationOf({ typed, parameter }: Reader, field: GraphQLField<unknown, unknown>, verb: string, id: string): ApiOperation {
  return {
    id,
    verb,
    name: note(field.name),
    ...textAs('description', field.description),
    ...(field.deprecationReason ? { deprecated: true } : {}),
    parameters: field.args.map(parameter),
    contents: [{ label: 'Result', forms: [{ media: note(String(field.type)), schema: typed(field.type) }] }],
  }
}
