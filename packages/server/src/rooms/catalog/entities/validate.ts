/** Reads catalogue files: several YAML documents, each a Backstage entity, each refused by its own name and reason. */
import { parseAllDocuments, type Document } from 'yaml'
import type { CatalogEntity as Entity } from '@pavior/contract'

export interface Refused {
  /** Number of the document in the file, from 1. */
  document: number
  /** As far as it can be told: component:default/shop. */
  name: string
  reason: string
}

export interface ReadResult {
  accepted: Entity[]
  refused: Refused[]
}

/** One file, in characters. */
export const largestFile = 16 * 1024 * 1024
const mostDocuments = 20_000
/** One entity, in characters of its JSON: API definitions are the large ones. */
const largestEntity = 1024 * 1024
const shownReason = 500

type Check = (entity: Entity) => Promise<void>
let checking: Promise<Check> | undefined

/** The validators of Backstage itself; loaded when first needed. */
async function loadCheck(): Promise<Check> {
  const model = await import('@backstage/catalog-model')
  const envelope = model.EntityPolicies.allOf([new model.NoForeignRootFieldsEntityPolicy(), new model.SchemaValidEntityPolicy(), new model.FieldFormatEntityPolicy()])
  const kinds: Record<string, { check(entity: never): Promise<boolean> }> = {
    api: model.apiEntityV1alpha1Validator,
    component: model.componentEntityV1alpha1Validator,
    domain: model.domainEntityV1alpha1Validator,
    group: model.groupEntityV1alpha1Validator,
    location: model.locationEntityV1alpha1Validator,
    resource: model.resourceEntityV1alpha1Validator,
    system: model.systemEntityV1alpha1Validator,
    user: model.userEntityV1alpha1Validator,
  }
  return async (entity) => {
    const kind = kinds[entity.kind.toLowerCase()]
    if (!kind) throw new Error(`The kind "${entity.kind.slice(0, 60)}" is not one of: ${Object.keys(kinds).join(', ')}.`)
    await envelope.enforce(entity as never)
    if (!(await kind.check(entity as never))) throw new Error(`The apiVersion "${entity.apiVersion}" is not known for this kind.`)
  }
}

/** Never throws for what is in the file: every document is taken or refused. */
export async function readEntities(text: string): Promise<ReadResult> {
  const result: ReadResult = { accepted: [], refused: [] }
  if (text.length > largestFile) {
    result.refused.push({ document: 1, name: 'the file', reason: `The file has ${text.length} characters; ${largestFile} are the most.` })
    return result
  }
  checking ??= loadCheck()
  const check = await checking
  const documents = parseAllDocuments(text, { uniqueKeys: true, logLevel: 'silent' })
  for (const [index, document] of (Array.isArray(documents) ? documents : []).entries()) {
    if (index >= mostDocuments) {
      result.refused.push({ document: index + 1, name: 'the rest', reason: `A file may hold ${mostDocuments} documents.` })
      break
    }
    const value = valueOf(document)
    if (value === null) continue
    const name = nameOf(value)
    try {
      if (value instanceof Error) throw value
      if (typeof value !== 'object' || Array.isArray(value)) throw new Error('It is not an entity: an object is wanted.')
      if (JSON.stringify(value).length > largestEntity) throw new Error(`It is larger than ${largestEntity} characters.`)
      const entity = value as Entity
      if (typeof entity.kind !== 'string' || typeof entity.metadata !== 'object') throw new Error('It has no kind or no metadata.')
      await check(entity)
      result.accepted.push(entity)
    } catch (error) {
      result.refused.push({ document: index + 1, name, reason: (error as Error).message.slice(0, shownReason) })
    }
  }
  return result
}

/** Null for an empty document; an Error for one that is no YAML, or that grows by its aliases. */
function valueOf(document: Document.Parsed): unknown {
  if (document.errors.length > 0) return new Error(document.errors[0]!.message.split('\n', 1)[0])
  try {
    return document.toJS({ maxAliasCount: 50 }) ?? null
  } catch (error) {
    return error as Error
  }
}

function nameOf(value: unknown): string {
  const { kind, metadata } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Entity>
  const name = typeof metadata === 'object' && metadata !== null ? metadata.name : undefined
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}:${name}`.slice(0, 200) : 'a document without kind and name'
}
