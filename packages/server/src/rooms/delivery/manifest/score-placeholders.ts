/** `${metadata.name}` and `${resources.db.host}` in Score files. `$$` is a plain `$`. Pure. */

interface Context {
  metadata: { name: string; annotations?: Record<string, string> } & Record<string, unknown>
  resources: Record<string, unknown>
}

const placeholder = /\$(\$|\{([^}]*)\})/g

/** `a.b\.c` → ['a', 'b.c']: a dot that belongs to a name is escaped. */
function partsOf(reference: string): string[] {
  return reference.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'))
}

function fromMetadata(reference: string, { metadata }: Context): string | undefined {
  let value: unknown = metadata
  for (const part of partsOf(reference).slice(1)) value = typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** Every reference in the text, with what is wrong about it. */
export function referencesOf(text: string, context: Context): { reference: string; problem?: string }[] {
  return [...text.matchAll(placeholder)].flatMap(([, whole, reference]) => {
    if (whole === '$' || reference === undefined) return []
    const [kind, name] = partsOf(reference)
    if (kind === 'metadata') return [fromMetadata(reference, context) === undefined ? { reference, problem: 'which the metadata does not have' } : { reference }]
    if (kind !== 'resources') return [{ reference, problem: 'and only metadata and resources can be referred to' }]
    return [name !== undefined && Object.hasOwn(context.resources, name) ? { reference } : { reference, problem: 'which is not among the resources of the file' }]
  })
}

/** Metadata is filled in; references to resources stay as they are until the resource is bound. */
export function expand(text: string, context: Context): string {
  return text.replaceAll(placeholder, (whole, dollar: string, reference: string | undefined) => {
    if (dollar === '$') return '$'
    return reference !== undefined && partsOf(reference)[0] === 'metadata' ? (fromMetadata(reference, context) ?? whole) : whole
  })
}
