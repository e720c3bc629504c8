/** Expressions of users over facts: CEL, which always ends and touches nothing. */
import { parse } from '@marcbachmann/cel-js'

/** True or false, or why it cannot be told: a fact that is not there, or a comparison of unlike things. */
export type Judgement = { value: boolean } | { unknown: string }

/** Facts as CEL has them; made once for many expressions. */
export type CelFacts = Record<string, unknown> & { readonly cel: true }

export type Expression = (facts: CelFacts) => Judgement

/** JSON has one kind of number, CEL tells whole ones apart. */
export function celFacts(facts: Record<string, unknown>): CelFacts {
  return convert(facts) as CelFacts
}

function convert(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(convert)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, convert(inner)]))
  return value
}

const kept = new Map<string, Expression>()
const mostKept = 1000

/** Why the expression is none, in one line; undefined when it is one. */
export function problemOf(expression: string): string | undefined {
  try {
    parse(expression)
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n', 1)[0]
  }
}

/** Throws for what is no expression; `problemOf` says why. */
export function compile(expression: string): Expression {
  const known = kept.get(expression)
  if (known) return known
  const run = parse(expression)
  const judge: Expression = (facts) => {
    try {
      const value: unknown = run(facts)
      return typeof value === 'boolean' ? { value } : { unknown: `The expression gives ${typeof value}, not true or false.` }
    } catch (error) {
      return { unknown: (error as Error).message.split('\n', 1)[0]! }
    }
  }
  if (kept.size >= mostKept) kept.clear()
  kept.set(expression, judge)
  return judge
}
