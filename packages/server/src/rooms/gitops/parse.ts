/** From files to what they declare, with the place of everything that is wrong. Pure; whoever writes the files is not trusted. */
import { isDeepStrictEqual } from 'node:util'
import type { ConfigError } from '@pavior/contract'
import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml'

export interface ConfigFile {
  path: string
  content: Buffer
}

export interface Declared {
  kind: string
  name: string
  namespace: string | undefined
  file: string
  labels: Record<string, string>
  annotations: Record<string, string>
  spec: Record<string, unknown>
  /** `file:line` of a field such as `spec.tier`, as near as it is known. */
  placeOf: (field: string) => string
}

/** Anchors in earnest need few aliases; a bomb needs many. */
const mostAliases = 50
const mostResources = 500
const known = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status'])

export function parseFiles(files: readonly ConfigFile[]): { declared: Declared[]; errors: ConfigError[] } {
  const declared: Declared[] = []
  const errors: ConfigError[] = []
  for (const file of files) {
    try {
      declared.push(...parseFile(file, errors))
    } catch (error) {
      errors.push({ file: file.path, message: error instanceof RangeError ? 'It is nested too deeply.' : (error as Error).message })
    }
  }
  if (declared.length > mostResources) errors.push({ file: files[0]!.path, message: `${declared.length} resources are declared; ${mostResources} are the most of one repository.` })
  return { declared, errors: [...errors, ...twice(declared)] }
}

function twice(declared: Declared[]): ConfigError[] {
  const seen = new Map<string, Declared>()
  return declared.flatMap((one) => {
    const key = `${one.kind}/${one.name}`
    const first = seen.get(key)
    seen.set(key, first ?? one)
    return first ? [{ file: one.placeOf('metadata.name'), message: `${key} is declared in ${first.placeOf('metadata.name')} too.` }] : []
  })
}

function parseFile({ path, content }: ConfigFile, errors: ConfigError[]): Declared[] {
  const text = new TextDecoder('utf-8', { fatal: true })
  let decoded: string
  try {
    decoded = text.decode(content)
  } catch {
    throw new Error('It is no text in UTF-8.')
  }
  if (decoded.includes('\0')) throw new Error('It is no text: it holds a NUL byte.')
  const lines = new LineCounter()
  const documents = parseAllDocuments(decoded, { uniqueKeys: true, strict: true, lineCounter: lines, logLevel: 'silent' })
  return (Array.isArray(documents) ? documents : []).flatMap((document: Document) => {
    const problem = document.errors[0]
    if (problem) {
      errors.push({ file: `${path}:${problem.linePos?.[0].line ?? 1}`, message: `It is not valid YAML: ${problem.message.split('\n')[0]}` })
      return []
    }
    const value: unknown = document.toJS({ maxAliasCount: mostAliases })
    if (value === null || value === undefined) return []
    const placeOf = (field: string): string => `${path}:${lineOf(document, lines, field.split('.'))}`
    const read = resourceOf(value, path, placeOf)
    if ('message' in read) errors.push(read)
    return 'message' in read ? [] : [read]
  })
}

function lineOf(document: Document, lines: LineCounter, path: string[]): number {
  for (let length = path.length; length > 0; length--) {
    const holder = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const pair = isMap(holder) ? holder.items.find(({ key }) => isScalar(key) && String(key.value) === path[length - 1]) : undefined
    if (pair && isScalar(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line
  }
  const range = (document.contents as { range?: [number, number, number] } | null)?.range
  return range ? lines.linePos(range[0]).line : 1
}

function resourceOf(value: unknown, path: string, placeOf: (field: string) => string): Declared | ConfigError {
  const wrong = (field: string, message: string): ConfigError => ({ file: placeOf(field), message })
  if (!isPlain(value)) return wrong('', 'A document must be a map of fields.')
  const unknown = Object.keys(value).find((field) => !known.has(field))
  if (unknown !== undefined) return wrong(unknown, `There is no field "${unknown.slice(0, 60)}".`)
  const { apiVersion, kind, metadata, spec = {} } = value
  if (apiVersion !== undefined && apiVersion !== 'pavior.dev/v1') return wrong('apiVersion', `apiVersion is "${String(apiVersion).slice(0, 60)}"; it must be pavior.dev/v1.`)
  if (typeof kind !== 'string') return wrong('kind', 'It has no kind.')
  if (!isPlain(metadata) || typeof metadata.name !== 'string') return wrong('metadata', 'It has no metadata.name.')
  if (!isPlain(spec)) return wrong('spec', 'spec must be a map of fields.')
  const { name, namespace, labels = {}, annotations = {}, ...rest } = metadata
  const odd = Object.keys(rest)[0]
  if (odd !== undefined) return wrong(`metadata.${odd}`, `metadata.${odd} cannot be declared.`)
  if (namespace !== undefined && typeof namespace !== 'string') return wrong('metadata.namespace', 'metadata.namespace must be the name of a team.')
  if (!isTexts(labels) || !isTexts(annotations)) return wrong('metadata.labels', 'Labels and annotations must be texts.')
  return { kind, name, namespace, file: path, labels, annotations, spec, placeOf }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is Record<string, string> {
  return isPlain(value) && Object.values(value).every((text) => typeof text === 'string')
}

const mostPaths = 20

/** Paths of the leaves that differ, at most 20. */
export function changedPaths(before: unknown, after: unknown, prefix = ''): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isPlain(before) || !isPlain(after)) return [prefix]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return keys.flatMap((key) => changedPaths(before[key], after[key], prefix === '' ? key : `${prefix}.${key}`)).slice(0, mostPaths)
}
