/**
 * Text of a query → expression, by Prometheus' own grammar.
 *
 * That grammar is made for editors: in `a + b offset 5m` the offset belongs to the whole sum, and the sign in `-1 ^ 2` to the 1.
 * So operands and operators are taken from its tree in the order of the text, and put together again by their precedence.
 */
import { parser } from '@prometheus-io/lezer-promql'
import type { SyntaxNode } from '@lezer/common'
import type { Matcher } from '../metrics/series.ts'
import { everyExpression, parameterized, type At, type Expression, type Matching, type Place, type Selector, type Subquery } from './ast.ts'
import { check } from './check.ts'
import { durationOf, numberOf, textOf } from './literals.ts'
import { refuse } from './refusals.ts'
import { compilePattern } from './regex/pattern.ts'
import { describeFault } from './syntax-faults.ts'

export const longestQuery = 32 * 1024
export const deepestQuery = 300
export const mostSelectors = 100
/** Characters behind a fault that are looked at to tell what stands there. */
const shownBehindFault = 40
const strictly = parser.configure({ strict: true })

/** Throws QUERY_INVALID with the position. */
export function parseQuery(text: string): Expression {
  if (text.length > longestQuery) throw refuse(text, { from: 0, to: 1 }, `The query has ${text.length} characters; ${longestQuery} are allowed.`, 'Ask for less at once.')
  if (bracketDepth(text) > deepestQuery) throw tooDeep(text)
  const top = treeOf(text)
  const { depth } = walked(top)
  if (depth > deepestQuery) throw tooDeep(text)
  const expression = new Reader(text).expression(expressionsIn(top)[0]!)
  const selectors = everyExpression(expression).filter(({ type }) => type === 'selector').length
  if (selectors > mostSelectors) throw refuse(text, { from: 0, to: 1 }, `The query has ${selectors} selectors; ${mostSelectors} are allowed.`, 'Ask for less at once.')
  check(text, expression)
  return expression
}

/** Matchers of a `match[]` parameter. Throws QUERY_INVALID. */
export function parseSelector(text: string): Matcher[] {
  const expression = parseQuery(text)
  if (expression.type !== 'selector' || expression.rangeMs !== undefined || expression.offsetMs !== 0 || expression.at !== undefined) throw refuse(text, expression, 'Here only a selector can stand.', 'For example: up{app="shop"}')
  return expression.matchers
}

/** Reading on behind a fault costs seconds where the text is hostile, so the grammar stops there, and what is told is read out of the text until then. */
function treeOf(text: string): SyntaxNode {
  try {
    return strictly.parse(text).topNode
  } catch (error) {
    const at = /No parse at (\d+)/.exec((error as Error).message)?.[1]
    if (at === undefined) throw error
    const { fault, depth } = walked(parser.parse(text.slice(0, Number(at) + shownBehindFault)).topNode)
    // The grammar itself gives up on what is much deeper still.
    if (depth > deepestQuery) throw tooDeep(text)
    if (fault) throw describeFault(text, fault)
    throw refuse(text, { from: Number(at), to: Number(at) + 1 }, 'This is not expected here.')
  }
}

/** Brackets that are open at once, those in texts too: hostile ones are told apart before anything reads them. */
function bracketDepth(text: string): number {
  let [depth, deepest] = [0, 0]
  for (const character of text) {
    if (character === '(' || character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === ')' || character === '}' || character === ']') depth--
  }
  return deepest
}

function tooDeep(text: string): Error {
  return refuse(text, { from: 0, to: 1 }, `The query is nested more than ${deepestQuery} levels deep.`, 'Write it flatter, or in parts.')
}

/** The first thing that the grammar did not expect, and how deep the tree is; a loop, because hostile text nests deeper than a stack. */
function walked(top: SyntaxNode): { fault: SyntaxNode | undefined; depth: number } {
  const cursor = top.cursor()
  let [depth, deepest] = [0, 0]
  for (;;) {
    if (cursor.type.isError) return { fault: cursor.node, depth: deepest }
    if (cursor.firstChild()) deepest = Math.max(deepest, ++depth)
    else {
      while (!cursor.nextSibling()) {
        if (!cursor.parent()) return { fault: undefined, depth: deepest }
        depth--
      }
    }
  }
}

const postfixes = new Set(['OffsetExpr', 'StepInvariantExpr', 'MatrixSelector', 'SubqueryExpr'])
const operands = new Set(['AggregateExpr', 'FunctionCall', 'NumberDurationLiteral', 'ParenExpr', 'StringLiteral', 'VectorSelector'])
const newer = new Set(['AnchoredExpr', 'SmoothedExpr'])
const isExpression = ({ name }: SyntaxNode): boolean => postfixes.has(name) || operands.has(name) || newer.has(name) || name === 'BinaryExpr' || name === 'UnaryExpr'

/** Lowest first; `^` alone goes together from the right. */
const precedence: Record<string, number> = { or: 1, and: 2, unless: 2, '==': 3, '!=': 3, '>': 3, '<': 3, '>=': 3, '<=': 3, '+': 4, '-': 4, '*': 5, '/': 5, '%': 5, atan2: 5, '^': 6 }
const signPrecedence = 6

interface Operator extends Place {
  op: string
  bool: boolean
  matching: Matching | undefined
}

type Part = { kind: 'operand'; value: Expression } | { kind: 'sign'; sign: string; at: Place } | { kind: 'operator'; operator: Operator }

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) if (child.name !== 'LineComment') children.push(child)
  return children
}

function expressionsIn(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).filter(isExpression)
}

class Reader {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  expression(node: SyntaxNode): Expression {
    const parts: Part[] = []
    this.#collect(node, parts)
    let next = 0
    const read = (least: number): Expression => {
      let left = readOperand()
      for (let part = parts[next]; part?.kind === 'operator'; part = parts[next]) {
        const { operator } = part
        const level = precedence[operator.op]!
        if (level < least) break
        next++
        const right = read(operator.op === '^' ? level : level + 1)
        const { op, bool, matching } = operator
        left = { type: 'binary', op, bool, matching, left, right, from: left.from, to: right.to }
      }
      return left
    }
    const readOperand = (): Expression => {
      const part = parts[next++]!
      if (part.kind === 'operand') return part.value
      if (part.kind === 'operator') throw refuse(this.#text, part.operator, 'An operator stands where a value is expected.')
      const inner = read(signPrecedence)
      if (part.sign === '+') return inner
      if (inner.type === 'number') return { ...inner, value: -inner.value, from: part.at.from }
      return { type: 'negation', inner, from: part.at.from, to: inner.to }
    }
    return read(0)
  }

  /** Operands and operators in the order of the text. */
  #collect(node: SyntaxNode, parts: Part[]): void {
    if (newer.has(node.name)) throw this.#unsupported(node, `"${this.#of(node.lastChild!)}"`)
    if (node.name === 'BinaryExpr') {
      const [left, right] = expressionsIn(node)
      this.#collect(left!, parts)
      parts.push({ kind: 'operator', operator: this.#operator(node) })
      this.#collect(right!, parts)
    } else if (node.name === 'UnaryExpr') {
      const sign = node.firstChild!
      parts.push({ kind: 'sign', sign: this.#of(sign), at: sign })
      this.#collect(expressionsIn(node)[0]!, parts)
    } else if (postfixes.has(node.name)) {
      this.#collect(expressionsIn(node)[0]!, parts)
      const last = parts.at(-1)!
      if (last.kind === 'operand') last.value = this.#postfix(node, last.value)
    } else if (node.name === 'NumberDurationLiteral') {
      this.#number(node, parts)
    } else parts.push({ kind: 'operand', value: this.#operand(node) })
  }

  #number(node: SyntaxNode, parts: Part[]): void {
    const [, sign, digits] = /^([+-]?)\s*([^]*)$/.exec(this.#of(node))!
    const value = numberOf(digits!)
    if (value === undefined) throw refuse(this.#text, node, `"${digits}" is not a number.`, 'Write durations within brackets, and numbers as 1, 1.5, 1e3 or 0x1f.')
    if (sign) parts.push({ kind: 'sign', sign, at: { from: node.from, to: node.from + 1 } })
    parts.push({ kind: 'operand', value: { type: 'number', value, from: node.from + (sign ? 1 : 0), to: node.to } })
  }

  #operand(node: SyntaxNode): Expression {
    const place = { from: node.from, to: node.to }
    switch (node.name) {
      case 'ParenExpr':
        return { type: 'parentheses', inner: this.expression(expressionsIn(node)[0]!), ...place }
      case 'StringLiteral':
        return { type: 'string', value: this.#string(node), ...place }
      case 'FunctionCall':
        return { type: 'call', name: this.#of(node.getChild('FunctionIdentifier')!), args: this.#arguments(node), ...place }
      case 'AggregateExpr':
        return this.#aggregation(node)
      default:
        return this.#selector(node)
    }
  }

  #arguments(node: SyntaxNode): Expression[] {
    return expressionsIn(node.getChild('FunctionCallBody')!).map((each) => this.expression(each))
  }

  #aggregation(node: SyntaxNode): Expression {
    const op = this.#of(node.getChild('AggregateOp')!).toLowerCase()
    const modifier = node.getChild('AggregateModifier')
    const args = this.#arguments(node)
    const wanted = parameterized.has(op) ? 2 : 1
    if (op === 'limitk' || op === 'limit_ratio') throw this.#unsupported(node.firstChild!, op)
    if (args.length !== wanted) throw refuse(this.#text, node, `${op} takes ${wanted === 1 ? 'one argument' : 'two arguments'}, and ${args.length} ${args.length === 1 ? 'is' : 'are'} given.`)
    return {
      type: 'aggregation', op, parameter: wanted === 2 ? args[0] : undefined, inner: args.at(-1)!,
      grouping: modifier ? this.#labels(modifier.getChild('GroupingLabels')!) : [],
      without: modifier?.getChild('Without') != null,
      from: node.from, to: node.to,
    }
  }

  #labels(node: SyntaxNode): string[] {
    const [quoted] = node.getChildren('QuotedLabelName')
    if (quoted) throw this.#unsupported(quoted, 'a name within quotes')
    return node.getChildren('LabelName').map((each) => this.#of(each))
  }

  #operator(node: SyntaxNode): Operator {
    const sign = childrenOf(node).find((each) => each.from >= node.firstChild!.to && !isExpression(each))!
    const op = this.#of(sign).toLowerCase()
    if (!(op in precedence)) throw this.#unsupported(sign, `the operator "${op}"`)
    const fill = node.getChild('FillModifier')
    if (fill) throw this.#unsupported(fill, 'fill')
    const clause = node.getChild('MatchingModifierClause')
    return { op, bool: node.getChild('BoolModifier') !== null, matching: clause ? this.#matching(clause) : undefined, from: sign.from, to: sign.to }
  }

  #matching(clause: SyntaxNode): Matching {
    const [labels, include] = clause.getChildren('GroupingLabels')
    const many = clause.getChild('GroupLeft') ? 'left' : clause.getChild('GroupRight') ? 'right' : undefined
    return { on: clause.getChild('On') !== null, labels: this.#labels(labels!), many, include: include ? this.#labels(include) : [] }
  }

  #selector(node: SyntaxNode): Selector {
    const name = node.getChild('Identifier')
    const matchers: Matcher[] = name ? [{ name: '__name__', op: '=', value: this.#of(name) }] : []
    for (const each of childrenOf(node.getChild('LabelMatchers') ?? node).filter(({ name: kind }) => kind !== 'Identifier' && kind !== 'LabelMatchers')) {
      if (each.name !== 'UnquotedLabelMatcher') throw this.#unsupported(each, 'a name within quotes')
      matchers.push(this.#matcher(each, name !== null))
    }
    const place = { from: node.from, to: node.to }
    if (matchers.every(matchesEmpty)) throw refuse(this.#text, place, 'A selector must ask for at least one label that is not empty.', 'Name a metric, for example {__name__="up"}.')
    return { type: 'selector', matchers, offsetMs: 0, at: undefined, rangeMs: undefined, ...place }
  }

  #matcher(node: SyntaxNode, named: boolean): Matcher {
    const name = this.#of(node.getChild('LabelName')!)
    if (named && name === '__name__') throw refuse(this.#text, node, 'The name of the metric is given twice.')
    const op = this.#of(node.getChild('MatchOp')!) as Matcher['op']
    const value = this.#string(node.getChild('StringLiteral')!)
    if (op === '=~' || op === '!~') {
      const { problem } = compilePattern(value)
      if (problem !== undefined) throw refuse(this.#text, node.getChild('StringLiteral')!, problem, 'Regular expressions are those of RE2.')
    }
    return { name, op, value }
  }

  #postfix(node: SyntaxNode, value: Expression): Expression {
    if (node.name === 'MatrixSelector') {
      if (value.type !== 'selector' || value.rangeMs !== undefined) throw refuse(this.#text, node, 'A range can only follow a selector.', 'For other expressions write a subquery: (…)[5m:1m].')
      if (value.offsetMs !== 0 || value.at !== undefined) throw refuse(this.#text, node, 'The range must stand before offset and @.')
      return { ...value, rangeMs: this.#durations(node)[0]!, to: node.to }
    }
    if (node.name === 'SubqueryExpr') {
      const [rangeMs, stepMs] = this.#durations(node)
      return { type: 'subquery', inner: value, rangeMs: rangeMs!, stepMs, offsetMs: 0, at: undefined, from: value.from, to: node.to }
    }
    if (value.type !== 'selector' && value.type !== 'subquery') throw refuse(this.#text, node, `${node.name === 'OffsetExpr' ? 'offset' : '@'} can only follow a selector or a subquery.`)
    return node.name === 'OffsetExpr' ? this.#offset(node, value) : this.#at(node, value)
  }

  #durations(node: SyntaxNode): number[] {
    return node.getChildren('DurationExpr').map((each) => {
      const ms = durationOf(this.#of(each))
      if (ms === undefined) throw refuse(this.#text, each, `"${this.#of(each)}" is not a duration.`, 'Write for example 30s, 5m or 1h30m.')
      if (ms === 0) throw refuse(this.#text, each, 'A duration must be longer than nothing.')
      return ms
    })
  }

  #offset(node: SyntaxNode, value: Selector | Subquery): Expression {
    const duration = node.getChild('OffsetDurationExpr')!
    const [, sign, digits] = /^([+-]?)\s*([^]*)$/.exec(this.#of(duration))!
    const ms = durationOf(digits!)
    if (ms === undefined) throw refuse(this.#text, duration, `"${digits}" is not a duration.`, 'Write for example 30s, 5m or 1h30m.')
    if (value.offsetMs !== 0) throw refuse(this.#text, node, 'offset is given twice.')
    return { ...value, offsetMs: sign === '-' ? -ms : ms, to: node.to }
  }

  #at(node: SyntaxNode, value: Selector | Subquery): Expression {
    if (value.at !== undefined) throw refuse(this.#text, node, '@ is given twice.')
    const word = node.getChild('AtModifierPreprocessors')
    return { ...value, at: word ? (this.#of(word).toLowerCase().startsWith('start') ? 'start' : 'end') : this.#time(node.getChild('NumberDurationLiteral')!), to: node.to }
  }

  #time(node: SyntaxNode): At {
    const [, sign, digits] = /^([+-]?)\s*([^]*)$/.exec(this.#of(node))!
    const seconds = numberOf(digits!)
    if (seconds === undefined || !Number.isFinite(seconds)) throw refuse(this.#text, node, `"${this.#of(node)}" is not a time.`, 'Write seconds since the epoch, start() or end().')
    return { ms: Math.round((sign === '-' ? -seconds : seconds) * 1000) }
  }

  #string(node: SyntaxNode): string {
    const value = textOf(this.#of(node))
    if (value === undefined) throw refuse(this.#text, node, 'This text does not end, or has an escape that there is not.', 'Write backslashes twice, or the text within backticks.')
    return value
  }

  #of({ from, to }: Place): string {
    return this.#text.slice(from, to)
  }

  #unsupported(place: Place, what: string): Error {
    return refuse(this.#text, place, `${what} is not supported.`, 'What is supported is what Prometheus 2.42 answers, without native histograms; see docs/querying.md.')
  }
}

function matchesEmpty({ op, value }: Matcher): boolean {
  if (op === '=') return value === ''
  if (op === '!=') return value !== ''
  return compilePattern(value).matches('') === (op === '=~')
}
