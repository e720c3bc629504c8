/** The OpenAPI documents as plain objects. Pure. */
import { apiGroup, apiVersion } from '@pavior/contract'
import type { KindDefinition, KindRegistry } from '../kind.ts'
import type { JsonSchema } from './schema.ts'

type Doc = Record<string, unknown>
type Dialect = 'v2' | 'v3'

export interface OpenApiV2 {
  swagger: '2.0'
  info: { title: string; version: string }
  paths: Record<string, Doc>
  definitions: Record<string, Doc>
}

const title = 'Pavior'
const modelPrefix = 'dev.pavior.v1'
const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const patchContentTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
const contentTypes = ['application/json', 'application/yaml']

export function documentV2(kinds: KindRegistry, version: string): OpenApiV2 {
  return { swagger: '2.0', info: { title, version }, paths: paths(kinds, 'v2'), definitions: models(kinds, 'v2') }
}

export function documentV3(kinds: KindRegistry, version: string): Doc {
  return { openapi: '3.0.0', info: { title, version }, paths: paths(kinds, 'v3'), components: { schemas: models(kinds, 'v3') } }
}

const ref = (name: string, dialect: Dialect): Doc => ({ $ref: dialect === 'v2' ? `#/definitions/${name}` : `#/components/schemas/${name}` })
/** OpenAPI 3.0 ignores what stands beside a reference, so a description needs a wrapper. */
const described = (name: string, description: string, dialect: Dialect): Doc =>
  dialect === 'v2' ? { description, ...ref(name, dialect) } : { description, allOf: [ref(name, dialect)] }
const model = (kind: KindDefinition): string => `${modelPrefix}.${kind.kind}`
const groupVersionKind = (kind: string): Doc => ({ group: apiGroup, version: 'v1', kind })

function models(kinds: KindRegistry, dialect: Dialect): Record<string, Doc> {
  const all: Record<string, Doc> = { ...metaModels(dialect) }
  for (const kind of kinds.all) {
    all[model(kind)] = {
      type: 'object',
      description: kind.description,
      required: ['spec'],
      properties: {
        apiVersion: { type: 'string', description: `Always ${apiVersion}.` },
        kind: { type: 'string', description: `Always ${kind.kind}.` },
        metadata: described(`${metaPrefix}.ObjectMeta`, 'Name, labels and what the platform keeps about the resource.', dialect),
        spec: toOpenApi(kind.spec as JsonSchema, dialect),
        ...(kind.status
          ? { status: { description: 'What was observed; written by the platform.', ...toOpenApi(kind.status as JsonSchema, dialect) } }
          : {}),
      },
      'x-kubernetes-group-version-kind': [groupVersionKind(kind.kind)],
    }
    all[`${model(kind)}List`] = {
      type: 'object',
      description: `A list of ${kind.kind} resources.`,
      required: ['items'],
      properties: {
        apiVersion: { type: 'string', description: `Always ${apiVersion}.` },
        kind: { type: 'string', description: `Always ${kind.kind}List.` },
        metadata: described(`${metaPrefix}.ListMeta`, 'Version of the list and how to go on.', dialect),
        items: { type: 'array', description: 'The resources.', items: ref(model(kind), dialect) },
      },
      'x-kubernetes-group-version-kind': [groupVersionKind(`${kind.kind}List`)],
    }
  }
  return all
}

const text = (description: string): Doc => ({ type: 'string', description })
const number = (description: string): Doc => ({ type: 'integer', format: 'int64', description })
const truth = (description: string): Doc => ({ type: 'boolean', description })
const texts = (description: string): Doc => ({ type: 'object', description, additionalProperties: { type: 'string' } })

function metaModels(dialect: Dialect): Record<string, Doc> {
  const list = (name: string, description: string): Doc => ({ type: 'array', description, items: ref(`${metaPrefix}.${name}`, dialect) })
  const object = (description: string, properties: Doc, required?: string[]): Doc => ({
    type: 'object',
    description,
    properties,
    ...(required ? { required } : {}),
  })
  return {
    [`${metaPrefix}.ObjectMeta`]: object('What every resource has beside its spec and status.', {
      name: text('Name, unique within its team.'),
      generateName: text('Beginning of a name that the platform completes, when there is no name.'),
      namespace: text('The team.'),
      uid: text('Unique over all time.'),
      resourceVersion: text('Changes with every write.'),
      generation: number('Rises with every change of the spec.'),
      creationTimestamp: { type: 'string', format: 'date-time', description: 'When it was created.' },
      deletionTimestamp: { type: 'string', format: 'date-time', description: 'When its deletion was asked for.' },
      deletionGracePeriodSeconds: number('Not used.'),
      labels: texts('Words to select by.'),
      annotations: texts('Notes for people and tools.'),
      finalizers: { type: 'array', description: 'What must be done before it can go.', items: { type: 'string' } },
      ownerReferences: list('OwnerReference', 'Resources that this one goes with.'),
      managedFields: list('ManagedFieldsEntry', 'Who set which field.'),
      selfLink: text('Not used.'),
    }),
    [`${metaPrefix}.ListMeta`]: object('What every list has beside its items.', {
      continue: text('Token for the next page.'),
      remainingItemCount: number('Items after this page; with count=true, on the first page, without selectors.'),
      resourceVersion: text('Version to watch from.'),
      selfLink: text('Not used.'),
    }),
    [`${metaPrefix}.OwnerReference`]: object(
      'A resource that this one goes with.',
      {
        apiVersion: text('Its API version.'),
        kind: text('Its kind.'),
        name: text('Its name.'),
        uid: text('Its uid.'),
        controller: truth('It manages this one.'),
        blockOwnerDeletion: truth('It waits for this one when it is deleted in the foreground.'),
      },
      ['apiVersion', 'kind', 'name', 'uid'],
    ),
    [`${metaPrefix}.ManagedFieldsEntry`]: object('Fields of one manager.', {
      apiVersion: text('API version of the fields.'),
      fieldsType: text('Always FieldsV1.'),
      fieldsV1: { type: 'object', description: 'The fields.' },
      manager: text('Who.'),
      operation: text('Apply or Update.'),
      subresource: text('Empty, or status.'),
      time: { type: 'string', format: 'date-time', description: 'When.' },
    }),
    [`${metaPrefix}.DeleteOptions`]: object('How to delete.', {
      apiVersion: text('v1.'),
      kind: text('DeleteOptions.'),
      dryRun: { type: 'array', description: 'All, or nothing.', items: { type: 'string' } },
      gracePeriodSeconds: number('Not used.'),
      propagationPolicy: text('Foreground, Background or Orphan.'),
      preconditions: object('What must hold.', { uid: text('Uid.'), resourceVersion: text('Version.') }),
    }),
    [`${metaPrefix}.Status`]: object('How a request ended that gives no resource.', {
      apiVersion: text('v1.'),
      kind: text('Status.'),
      status: text('Success or Failure.'),
      message: text('For people.'),
      reason: text('For programs.'),
      code: number('HTTP status.'),
      details: { type: 'object', description: 'Name, causes, and in `pavior` the whole error.' },
    }),
    [`${metaPrefix}.Patch`]: { type: 'object', description: 'A patch of the type that the content type names.' },
  }
}

/** JSON Schema as TypeBox emits it → the subset that OpenAPI and kubectl know. */
function toOpenApi(schema: JsonSchema, dialect: Dialect): Doc {
  const result: Doc = {}
  const { description } = schema
  if (description) result.description = description
  if (schema.anyOf || schema.type === undefined) {
    if (schema.enum) return { ...result, ...enumeration(schema.enum) }
    if ('const' in schema) return { ...result, ...enumeration([schema.const]) }
    if (schema.anyOf && dialect === 'v3') return { ...result, anyOf: schema.anyOf.map((one) => toOpenApi(one, dialect)) }
    return { ...result, 'x-kubernetes-preserve-unknown-fields': true }
  }
  result.type = schema.type
  for (const keyword of [
    'pattern',
    'format',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
    'uniqueItems',
    'minimum',
    'maximum',
    'multipleOf',
    'enum',
    'x-kubernetes-list-type',
    'x-kubernetes-list-map-keys',
  ] as const) {
    const value = (schema as Doc)[keyword]
    if (value !== undefined) result[keyword] = value
  }
  if (schema.exclusiveMinimum !== undefined) Object.assign(result, { minimum: schema.exclusiveMinimum, exclusiveMinimum: true })
  if (schema.exclusiveMaximum !== undefined) Object.assign(result, { maximum: schema.exclusiveMaximum, exclusiveMaximum: true })
  if (schema.required?.length) result.required = schema.required
  if (schema.items) result.items = toOpenApi(schema.items, dialect)
  if (schema.properties)
    result.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, toOpenApi(inner, dialect)]))
  const [values] = Object.values(schema.patternProperties ?? {})
  const additional = values ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
  if (additional) result.additionalProperties = toOpenApi(additional, dialect)
  return result
}

function enumeration(values: unknown[]): Doc {
  const [first] = values
  const type =
    typeof first === 'number' ? (values.every(Number.isInteger) ? 'integer' : 'number') : typeof first === 'boolean' ? 'boolean' : 'string'
  return { type, enum: values }
}

function paths(kinds: KindRegistry, dialect: Dialect): Record<string, Doc> {
  const all: Record<string, Doc> = {}
  for (const kind of kinds.all) {
    const namespaced = kind.scope === 'Namespaced'
    const collection = `/apis/${apiVersion}/${namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}`
    const parameters = namespaced ? [pathParameter('namespace', 'The team.', dialect)] : []
    const named = [...parameters, pathParameter('name', `Name of the ${kind.kind}.`, dialect)]
    const operation = (action: string, details: Parameters<typeof makeOperation>[3]): Doc => makeOperation(kind, action, dialect, details)
    const item = {
      get: operation('get', {}),
      put: operation('put', { body: model(kind), query: writeParameters }),
      patch: operation('patch', { body: `${metaPrefix}.Patch`, consumes: patchContentTypes, query: [...writeParameters, force] }),
    }
    if (namespaced)
      all[`/apis/${apiVersion}/${kind.plural}`] = { get: operation('list', { query: listParameters, answer: `${model(kind)}List` }) }
    all[collection] = {
      parameters,
      get: operation('list', { query: listParameters, answer: `${model(kind)}List` }),
      post: operation('post', { body: model(kind), query: writeParameters }),
      delete: operation('deletecollection', { query: [...listParameters, dryRun, propagationPolicy], answer: `${model(kind)}List` }),
    }
    all[`${collection}/{name}`] = {
      parameters: named,
      ...item,
      delete: operation('delete', {
        body: `${metaPrefix}.DeleteOptions`,
        query: [dryRun, propagationPolicy],
        answer: `${metaPrefix}.Status`,
      }),
    }
    if (kind.status) all[`${collection}/{name}/status`] = { parameters: named, ...item }
  }
  return all
}

interface QueryParameter {
  name: string
  type: string
  description: string
}

const queryParameter = (name: string, type: string, description: string): QueryParameter => ({ name, type, description })
const dryRun = queryParameter('dryRun', 'string', 'All: check and answer, but change nothing.')
const force = queryParameter('force', 'boolean', 'Server-side apply takes over fields of other managers.')
const propagationPolicy = queryParameter('propagationPolicy', 'string', 'Foreground, Background or Orphan.')
const writeParameters = [
  dryRun,
  queryParameter('fieldManager', 'string', 'Name under which the written fields are recorded.'),
  queryParameter('fieldValidation', 'string', 'What to do with unknown fields: Strict, Warn or Ignore.'),
]
const listParameters = [
  queryParameter('labelSelector', 'string', 'Only resources with these labels.'),
  queryParameter('fieldSelector', 'string', 'Only resources with these fields.'),
  queryParameter('limit', 'integer', 'Most resources in one answer.'),
  queryParameter('continue', 'string', 'Token of the page before.'),
  queryParameter('resourceVersion', 'string', 'Version to watch from.'),
  queryParameter('timeoutSeconds', 'integer', 'Longest life of the watch.'),
  queryParameter('allowWatchBookmarks', 'boolean', 'Send bookmarks.'),
  queryParameter('watch', 'boolean', 'Send changes as they happen.'),
]

function pathParameter(name: string, description: string, dialect: Dialect): Doc {
  const type = dialect === 'v2' ? { type: 'string' } : { schema: { type: 'string' } }
  return { name, in: 'path', required: true, description, ...type }
}

interface OperationDetails {
  body?: string
  consumes?: string[]
  query?: QueryParameter[]
  answer?: string
}

function makeOperation(
  kind: KindDefinition,
  action: string,
  dialect: Dialect,
  { body, consumes = contentTypes, query = [], answer = model(kind) }: OperationDetails,
): Doc {
  const parameters: Doc[] = query.map(({ name, type, description }) => ({
    name,
    in: 'query',
    description,
    ...(dialect === 'v2' ? { type } : { schema: { type } }),
  }))
  const tags = { 'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': groupVersionKind(kind.kind) }
  const description = `${action} ${kind.kind}`
  if (dialect === 'v2') {
    if (body) parameters.push({ name: 'body', in: 'body', required: true, schema: ref(body, dialect) })
    return {
      description,
      consumes,
      produces: contentTypes,
      parameters,
      responses: { '200': { description: 'OK', schema: ref(answer, dialect) } },
      ...tags,
    }
  }
  const content = (types: string[], name: string): Doc => Object.fromEntries(types.map((type) => [type, { schema: ref(name, dialect) }]))
  return {
    description,
    parameters,
    ...(body ? { requestBody: { required: true, content: content(consumes, body) } } : {}),
    responses: { '200': { description: 'OK', content: content(contentTypes, answer) } },
    ...tags,
  }
}
