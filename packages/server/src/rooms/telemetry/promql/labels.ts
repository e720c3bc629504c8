/** Sets of labels: their key, and what operators make of them. An empty value is the same as none. */
export type Labels = Record<string, string>

export const metricName = '__name__'

/** The same for the same labels, whatever their order. */
export function keyOf(labels: Labels): string {
  const names = Object.keys(labels).sort()
  let key = ''
  for (const name of names) key += `${name}\u0000${labels[name]}\u0001`
  return key
}

/** Key of only these labels. `names` must be in one order for all who compare. */
export function keyOn(labels: Labels, names: readonly string[]): string {
  let key = ''
  for (const name of names) key += `${labels[name] ?? ''}\u0001`
  return key
}

export function only(labels: Labels, names: readonly string[]): Labels {
  const kept: Labels = {}
  for (const name of names) if (labels[name]) kept[name] = labels[name]
  return kept
}

export function except(labels: Labels, names: ReadonlySet<string>): Labels {
  const kept: Labels = {}
  for (const name in labels) if (!names.has(name)) kept[name] = labels[name]!
  return kept
}

const justTheName: ReadonlySet<string> = new Set([metricName])

export function withoutName(labels: Labels): Labels {
  return metricName in labels ? except(labels, justTheName) : labels
}

/** The empty value takes the label away. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const changed = { ...labels }
  if (value === '') delete changed[name]
  else changed[name] = value
  return changed
}

export function isLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

/** `name{a="b"}`, as Prometheus prints it. */
export function labelsText(labels: Labels): string {
  const { [metricName]: name = '', ...rest } = labels
  const inner = Object.keys(rest).sort().map((label) => `${label}=${JSON.stringify(rest[label])}`)
  return inner.length === 0 && name !== '' ? name : `${name}{${inner.join(', ')}}`
}
