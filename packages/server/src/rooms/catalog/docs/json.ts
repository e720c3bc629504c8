/** Reading documents of strangers: nothing is assumed to be what it should be. Pure. */

export type Json = Record<string, unknown>

/** References lead on to references at most so often. */
const longestChain = 12

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

export function stringsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string')
}

/** Own value of a key; undefined for what only the prototype has. */
export function at(value: unknown, key: string): unknown {
  return (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, key) ? (value as Json)[key] : undefined
}

/** What a reference within the document names; undefined when it leads nowhere, or elsewhere. */
export function pointed(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  return partsOf(reference).reduce<unknown>((inner, part) => at(inner, part), root)
}

/** `#/components/schemas/a~1b` → components, schemas, a/b. */
export function partsOf(reference: string): string[] {
  return reference.slice(2).split('/').map((part) => decodeURIComponentSafely(part).replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The object itself, or what its `$ref` names within the same document; a reference that leads nowhere or round is empty. */
export function follow(root: unknown, value: unknown): Json {
  let current = value
  for (let step = 0; step < longestChain; step++) {
    const { $ref } = objectOf(current)
    if (typeof $ref !== 'string') return objectOf(current)
    current = pointed(root, $ref)
  }
  return {}
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
