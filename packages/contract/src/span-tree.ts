/** Spans of a trace as a tree. Pure. */
import type { Span } from './traces.ts'

export interface PlacedSpan {
  span: Span
  depth: number
}

/** Parents before children, those of one parent by time. Spans whose parent is not known stand at the top; a chain that bites its tail begins anywhere. */
export function spansInTree(spans: readonly Span[]): PlacedSpan[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const children = new Map<string, Span[]>()
  for (const span of spans.toSorted((one, other) => one.atMs - other.atMs)) {
    const parent = span.parentId !== undefined && span.parentId !== span.spanId && known.has(span.parentId) ? span.parentId : ''
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const placed: PlacedSpan[] = []
  const seen = new Set<string>()
  const place = (span: Span, depth: number): void => {
    if (seen.has(span.spanId)) return
    seen.add(span.spanId)
    placed.push({ span, depth })
    for (const child of children.get(span.spanId) ?? []) place(child, depth + 1)
  }
  for (const span of [...(children.get('') ?? []), ...spans]) place(span, 0)
  return placed
}
