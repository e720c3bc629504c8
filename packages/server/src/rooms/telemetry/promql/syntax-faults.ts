/** What to tell about the place where the grammar went astray: what stands there, and what is expected instead. */
import type { SyntaxNode } from '@lezer/common'
import type { PaviorError } from '@pavior/contract'
import { refuse } from './refusals.ts'
import { knownElsewhere } from './signatures.ts'

const expected: Record<string, string> = {
  LabelMatchers: 'a label with =, !=, =~ or !~ and a text within quotes, or "}"',
  UnquotedLabelMatcher: '=, !=, =~ or !~ and a text within quotes',
  QuotedLabelMatcher: 'a text within quotes',
  GroupingLabels: 'names of labels with commas between them, and ")"',
  FunctionCallBody: 'another argument, or ")"',
  ParenExpr: '")"',
  MatrixSelector: 'a duration such as 5m, and "]"',
  SubqueryExpr: '"]"',
  BinaryExpr: 'a value at the right of the operator',
  UnaryExpr: 'a value behind the sign',
  OffsetExpr: 'a duration such as 5m',
  StepInvariantExpr: 'a time, start() or end()',
  AggregateExpr: 'what to aggregate, within parentheses',
  FunctionCall: 'arguments within parentheses',
  MatchingModifierClause: 'names of labels within parentheses',
  AggregateModifier: 'names of labels within parentheses',
}

export function describeFault(text: string, fault: SyntaxNode): PaviorError {
  const at = text.slice(fault.from).search(/\S/)
  const from = at < 0 ? text.trimEnd().length : fault.from + at
  const word = /^([A-Za-z_:][\w:]*|\d[\w.]*|"[^"\n]*"?|'[^'\n]*'?|.)/su.exec(text.slice(from))?.[0] ?? ''
  const place = { from, to: from + Math.max(1, word.length) }
  const called = callOfUnknown(text, from)
  if (called) {
    const name = text.slice(called.from, called.to)
    return refuse(text, called, knownElsewhere.has(name) ? `${name} is not supported.` : `There is no function "${name}".`, 'docs/querying.md lists what there is.')
  }
  const parent = fault.parent?.name ?? 'PromQL'
  const wanted = text.trim() === '' ? 'an expression, for example up' : (expected[parent] ?? 'an operator, or the end')
  return refuse(text, place, word === '' ? `The query ends where ${wanted} is expected.` : `"${word}" stands where ${wanted} is expected.`)
}

/** A name right before a parenthesis that the grammar did not expect. */
function callOfUnknown(text: string, from: number): { from: number; to: number } | undefined {
  if (text[from] !== '(') return undefined
  const name = /([A-Za-z_]\w*)\s*$/.exec(text.slice(0, from))
  return name ? { from: name.index, to: name.index + name[1]!.length } : undefined
}
