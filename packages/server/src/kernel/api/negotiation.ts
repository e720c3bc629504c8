/** What the caller wants back: an object, a table, metadata only; as JSON or YAML. */
import { fail } from '@pavior/contract'

export interface Wanted {
  form: 'Object' | 'Table' | 'PartialObjectMetadata'
  encoding: 'json' | 'yaml'
  /** `v1` or `v1beta1` of meta.k8s.io for tables and partial metadata. */
  version: string
}

const plain: Wanted = { form: 'Object', encoding: 'json', version: 'v1' }
const cache = new Map<string, Wanted>()
const mostCached = 200

/** Reads the `Accept` header; throws NOT_ACCEPTABLE. Protobuf is answered with JSON, which every client that asks for it reads too. */
export function negotiate(accept: string | undefined): Wanted {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return plain
  const known = cache.get(accept)
  if (known) return known
  const wanted = firstAcceptable(accept)
  if (!wanted)
    throw fail('NOT_ACCEPTABLE', {
      message: `None of "${accept.slice(0, 200)}" can be produced here.`,
      fix: 'Accept application/json or application/yaml.',
    })
  if (cache.size >= mostCached) cache.clear()
  cache.set(accept, wanted)
  return wanted
}

export interface MediaRange {
  type: string
  parameters: Record<string, string>
  quality: number
}

/** The ranges of an `Accept` header, best first. */
export function mediaRanges(accept: string): MediaRange[] {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...rest] = range.split(';').map((part) => part.trim())
    const parameters = Object.fromEntries(rest.map((part) => part.split('=', 2) as [string, string]))
    const quality = Number(parameters.q ?? 1)
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality }
  })
  return ranges.filter(({ quality }) => quality > 0).toSorted((one, other) => other.quality - one.quality)
}

function firstAcceptable(accept: string): Wanted | undefined {
  for (const { type, parameters } of mediaRanges(accept)) {
    const encoding =
      type === 'application/yaml'
        ? 'yaml'
        : ['application/json', 'application/*', '*/*', 'application/vnd.kubernetes.protobuf'].includes(type)
          ? 'json'
          : undefined
    if (!encoding) continue
    const { as, v = 'v1', g = 'meta.k8s.io' } = parameters
    if (as === undefined) return { ...plain, encoding }
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue
    if (as === 'Table') return { form: 'Table', encoding, version: v }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { form: 'PartialObjectMetadata', encoding, version: v }
  }
  return undefined
}
