/** `label_replace` and `label_join`. */
import type { Budget } from './budget.ts'
import { isLabelName, withLabel } from './labels.ts'
import { unanswerable } from './refusals.ts'
import { compilePattern, type Pattern } from './regex/pattern.ts'
import type { Column } from './values.ts'

/** Steps of matching that cost as much as one point. */
const stepsPerPoint = 4

export async function labelReplace(columns: Column[], [target, replacement, source, text]: [string, string, string, string], budget: Budget): Promise<Column[]> {
  const pattern = compilePattern(text)
  if (pattern.problem !== undefined) throw unanswerable(`label_replace cannot use "${text}": ${pattern.problem}`)
  if (!isLabelName(target)) throw unanswerable(`label_replace cannot set "${target}", which is no name of a label.`)
  const replaced: Column[] = []
  let counted = 0
  for (const column of columns) {
    const groups = pattern.groups(column.labels[source] ?? '')
    replaced.push(groups ? { ...column, labels: withLabel(column.labels, target, expand(replacement, groups, pattern)) } : column)
    if (budget.touch((pattern.work() - counted) / stepsPerPoint)) await budget.breathe()
    counted = pattern.work()
  }
  return replaced
}

/** `$1`, `${1}`, `$name` and `${name}` become groups, `$$` a dollar. */
function expand(template: string, groups: (string | undefined)[], { names }: Pattern): string {
  return template.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (all, short?: string, long?: string) => {
    if (all === '$$') return '$'
    const name = (short ?? long)!
    const index = /^\d+$/.test(name) ? Number(name) : names.lastIndexOf(name)
    return groups[index] ?? ''
  })
}

export function labelJoin(columns: Column[], target: string, separator: string, sources: string[]): Column[] {
  const wrong = [target, ...sources].find((name) => !isLabelName(name))
  if (wrong !== undefined) throw unanswerable(`label_join cannot use "${wrong}", which is no name of a label.`)
  return columns.map((column) => ({ ...column, labels: withLabel(column.labels, target, sources.map((name) => column.labels[name] ?? '').join(separator)) }))
}
