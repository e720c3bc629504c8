/** Two people changed the same resource: what each changed, put together. Pure. */

type Values = Record<string, unknown>

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function same(one: unknown, other: unknown): boolean {
  if (isMap(one) && isMap(other)) {
    const names = new Set([...Object.keys(one), ...Object.keys(other)])
    return [...names].every((name) => same(one[name], other[name]))
  }
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((item, index) => same(item, other[index]))
  return one === other
}

export interface Merged {
  value: unknown
  /** Paths that both changed, each in another way; mine is kept. */
  conflicts: string[]
}

/** Lists count as one value: nobody can tell which item is which. */
export function mergeThree(base: unknown, mine: unknown, theirs: unknown, path = ''): Merged {
  if (same(mine, base)) return { value: theirs, conflicts: [] }
  if (same(theirs, base) || same(mine, theirs)) return { value: mine, conflicts: [] }
  if (!isMap(mine) || !isMap(theirs)) return { value: mine, conflicts: [path] }
  const before = isMap(base) ? base : {}
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])]
  const parts = names.map((name) => ({ name, ...mergeThree(before[name], mine[name], theirs[name], path === '' ? name : `${path}.${name}`) }))
  return { value: Object.fromEntries(parts.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value])), conflicts: parts.flatMap(({ conflicts }) => conflicts) }
}
