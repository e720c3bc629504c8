/** Expressions of users over facts: CEL, which always ends and touches nothing. */
import { Environment, parse } from '@marcbachmann/cel-js'

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

/** What expressions of a language of its own may be: which variables and functions they know, and how large they may grow. */
export interface CelLanguage {
  variables: string[]
  functions: Record<string, (value: any) => unknown>
}

export interface Cel {
  /** Why it is no expression that gives this type, with its position; undefined when it is one. */
  problem(expression: string, gives: 'bool' | 'any'): string | undefined
  /** Throws for what is none. The result throws where a value is missing or of another type. */
  compile(expression: string): (facts: CelFacts) => unknown
}

const celLimits = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 }

/** CEL with declared variables and bounded size. `functions` are by signature, for example `shout(string): string`. */
export function createCel({ variables, functions }: CelLanguage): Cel {
  const environment = new Environment({ limits: celLimits, homogeneousAggregateLiterals: false })
  for (const variable of variables) environment.registerVariable(variable, 'dyn')
  for (const [signature, handler] of Object.entries(functions)) environment.registerFunction(signature, handler)
  return {
    problem: (expression, gives) => {
      const checked = environment.check(expression)
      if (!checked.valid) return placed(checked.error?.message ?? 'It cannot be read.')
      if (gives === 'any' || checked.type === 'bool' || checked.type === 'dyn') return undefined
      return `It gives ${checked.type}, not true or false.`
    },
    compile: (expression) => environment.parse(expression) as (facts: CelFacts) => unknown,
  }
}

/** The message with the column that the caret below the expression points to. */
function placed(message: string): string {
  const lines = message.split('\n')
  const caret = lines.findIndex((line) => /^\s*\^\s*$/.test(line))
  const [, number = '1', gutter] = /^(?:>?\s*)(\d+)( \| )/.exec(lines[caret - 1] ?? '') ?? []
  if (caret < 1 || gutter === undefined) return lines[0]!
  const column = lines[caret]!.indexOf('^') - (lines[caret - 1]!.indexOf(gutter) + gutter.length) + 1
  return `${lines[0]} (line ${number}, column ${column})`
}
