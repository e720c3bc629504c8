/** Pure: what packages say of their licence, as SPDX expressions. */
import correct from 'spdx-correct'
import parse from 'spdx-expression-parse'

const longest = 200

/** One expression for each thing that was said; what is no SPDX, and cannot be made one, stays as it was said. */
export function licencesOf(said: readonly string[]): string[] {
  return [...new Set(said.map((one) => spdxOf(one.slice(0, longest))))]
}

function spdxOf(text: string): string {
  if (isExpression(text)) return text
  return correct(text) ?? text
}

export function isExpression(text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

type Node = ReturnType<typeof parse>

/** The licences that cannot be avoided: both sides of AND, and of OR only where both sides bind. */
export function bindingLicences(expression: string): string[] {
  const walk = (node: Node): string[][] => {
    if ('license' in node) return [[node.license]]
    const [left, right] = [walk(node.left), walk(node.right)]
    if (node.conjunction === 'or') return [...left, ...right]
    return left.flatMap((one) => right.map((other) => [...one, ...other]))
  }
  if (!isExpression(expression)) return [expression]
  const choices = walk(parse(expression))
  // With a choice, only what every way holds binds.
  return choices[0]!.filter((licence) => choices.every((choice) => choice.includes(licence)))
}
