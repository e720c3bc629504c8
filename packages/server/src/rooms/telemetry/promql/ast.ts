/** What an expression of PromQL is once it is read. Positions are characters of the text, the end excluded. */
import type { Matcher } from '../metrics/series.ts'

export type ValueType = 'scalar' | 'string' | 'instant vector' | 'range vector'

export interface Place {
  from: number
  to: number
}

export interface NumberLiteral extends Place {
  type: 'number'
  value: number
}

export interface TextLiteral extends Place {
  type: 'string'
  value: string
}

/** A fixed time of evaluation: milliseconds since the epoch, or an end of the query. */
export type At = { ms: number } | 'start' | 'end'

export interface Selector extends Place {
  type: 'selector'
  /** With the one for `__name__`. */
  matchers: Matcher[]
  offsetMs: number
  at: At | undefined
  /** Of a range selector; undefined: an instant one. */
  rangeMs: number | undefined
}

export interface Subquery extends Place {
  type: 'subquery'
  inner: Expression
  rangeMs: number
  /** Undefined: the usual one. */
  stepMs: number | undefined
  offsetMs: number
  at: At | undefined
}

export interface Call extends Place {
  type: 'call'
  name: string
  args: Expression[]
}

export interface Aggregation extends Place {
  type: 'aggregation'
  op: string
  parameter: Expression | undefined
  inner: Expression
  grouping: string[]
  without: boolean
}

export interface Matching {
  on: boolean
  labels: string[]
  /** Which side may have many series for one of the other. */
  many: 'left' | 'right' | undefined
  /** Labels that come from the side with one. */
  include: string[]
}

export interface Binary extends Place {
  type: 'binary'
  op: string
  left: Expression
  right: Expression
  /** Comparisons give 0 or 1 instead of leaving out. */
  bool: boolean
  matching: Matching | undefined
}

export interface Negation extends Place {
  type: 'negation'
  inner: Expression
}

/** Kept, because `(a)[5m]` is not `a[5m]`. */
export interface Parentheses extends Place {
  type: 'parentheses'
  inner: Expression
}

export type Expression = NumberLiteral | TextLiteral | Selector | Subquery | Call | Aggregation | Binary | Negation | Parentheses

/** What is within any number of parentheses. */
export function bare(expression: Expression): Exclude<Expression, Parentheses> {
  return expression.type === 'parentheses' ? bare(expression.inner) : expression
}

/** The expressions directly within this one. */
export function innerOf(expression: Expression): Expression[] {
  switch (expression.type) {
    case 'subquery':
    case 'negation':
    case 'parentheses':
      return [expression.inner]
    case 'aggregation':
      return expression.parameter ? [expression.parameter, expression.inner] : [expression.inner]
    case 'binary':
      return [expression.left, expression.right]
    case 'call':
      return expression.args
    default:
      return []
  }
}

export function everyExpression(expression: Expression): Expression[] {
  return [expression, ...innerOf(expression).flatMap(everyExpression)]
}

export const setOperators = new Set(['and', 'or', 'unless'])
export const comparisons = new Set(['==', '!=', '>', '<', '>=', '<='])
export const parameterized = new Set(['topk', 'bottomk', 'quantile', 'count_values'])
