/** Whether an expression makes sense: types of arguments and operands, and what modifiers may stand where. */
import { bare, comparisons, innerOf, setOperators, type Aggregation, type Binary, type Call, type Expression, type Place, type ValueType } from './ast.ts'
import { refuse } from './refusals.ts'
import { knownElsewhere, signatures } from './signatures.ts'

export function typeOf(expression: Expression): ValueType {
  switch (expression.type) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'selector':
      return expression.rangeMs === undefined ? 'instant vector' : 'range vector'
    case 'subquery':
      return 'range vector'
    case 'call':
      return signatures.get(expression.name)?.returns ?? 'instant vector'
    case 'aggregation':
      return 'instant vector'
    case 'binary':
      return typeOf(expression.left) === 'scalar' && typeOf(expression.right) === 'scalar' ? 'scalar' : 'instant vector'
    default:
      return typeOf(expression.inner)
  }
}

/** Throws QUERY_INVALID with the place of what does not fit. */
export function check(text: string, expression: Expression): void {
  for (const inner of innerOf(expression)) check(text, inner)
  if (expression.type === 'call') checkCall(text, expression)
  else if (expression.type === 'aggregation') checkAggregation(text, expression)
  else if (expression.type === 'binary') checkBinary(text, expression)
  else if (expression.type === 'subquery') mustBe(text, expression.inner, ['instant vector'], 'A subquery')
  else if (expression.type === 'negation') mustBe(text, expression.inner, ['scalar', 'instant vector'], 'A sign')
}

function mustBe(text: string, expression: Expression, wanted: readonly ValueType[], who: string): void {
  const type = typeOf(expression)
  if (wanted.includes(type)) return
  const hint = type === 'instant vector' && wanted.includes('range vector') && bare(expression).type === 'selector' ? `Add a range: ${text.slice(expression.from, expression.to)}[5m]` : undefined
  throw refuse(text, expression, `${who} takes ${wanted.map(article).join(' or ')}; this is ${article(type)}.`, hint)
}

function article(type: ValueType): string {
  return type === 'instant vector' ? `an ${type}` : `a ${type}`
}

function checkCall(text: string, call: Call): void {
  const { name, args } = call
  const signature = signatures.get(name)
  const place: Place = { from: call.from, to: call.from + name.length }
  if (!signature) throw refuse(text, place, knownElsewhere.has(name) ? `${name} is not supported.` : `There is no function "${name}".`, 'docs/querying.md lists what there is.')
  const least = signature.args.length - signature.optional
  const most = signature.variadic ? Infinity : signature.args.length
  if (args.length < least || args.length > most) throw refuse(text, call, `${name} takes ${countText(least, most)}, and ${args.length} ${args.length === 1 ? 'is' : 'are'} given.`)
  for (const [index, arg] of args.entries()) mustBe(text, arg, [signature.args[Math.min(index, signature.args.length - 1)]!], name)
}

function countText(least: number, most: number): string {
  const plural = (count: number): string => (count === 1 ? '1 argument' : `${count} arguments`)
  if (most === Infinity) return `at least ${plural(least)}`
  return least === most ? plural(least) : `${least} to ${plural(most)}`
}

function checkAggregation(text: string, { op, parameter, inner }: Aggregation): void {
  mustBe(text, inner, ['instant vector'], op)
  if (parameter) mustBe(text, parameter, [op === 'count_values' ? 'string' : 'scalar'], `The first argument of ${op}`)
}

function checkBinary(text: string, binary: Binary): void {
  const { op, left, right, bool, matching } = binary
  for (const side of [left, right]) mustBe(text, side, ['scalar', 'instant vector'], `The operator ${op}`)
  const scalars = [left, right].filter((side) => typeOf(side) === 'scalar').length
  if (bool && !comparisons.has(op)) throw refuse(text, binary, 'bool can only stand behind a comparison.')
  if (setOperators.has(op)) {
    if (scalars > 0) throw refuse(text, binary, `${op} takes instant vectors on both sides.`)
    if (matching?.many) throw refuse(text, binary, `group_left and group_right cannot stand behind ${op}.`)
  }
  if (scalars === 2 && comparisons.has(op) && !bool) throw refuse(text, binary, 'A comparison of two scalars needs bool.', `Write ${op} bool.`)
  if (!matching) return
  if (scalars > 0 && (matching.on || matching.labels.length > 0)) throw refuse(text, binary, 'on and ignoring can only stand between instant vectors.')
  const both = matching.on ? matching.include.find((label) => matching.labels.includes(label)) : undefined
  if (both !== undefined) throw refuse(text, binary, `The label "${both}" cannot be in on and in the group at once.`)
}
