/** The expressions of policies, compiled once for every version of a policy. */
import type { PolicySpec, Resource } from '@pavior/contract'
import { createCel, type CelFacts } from '../../kernel/cel.ts'
import { plainSecrets } from './secrets.ts'

export const cel = createCel({
  variables: ['object', 'oldObject', 'request', 'facts'],
  functions: {
    // The names of variables whose values look like secrets.
    'plainSecrets(dyn): list<dyn>': plainSecrets,
  },
})

export interface CompiledRule {
  holds: (facts: CelFacts) => unknown
  message: (facts: CelFacts) => string
}

export interface CompiledPolicy {
  name: string
  uid: string
  generation: number
  spec: PolicySpec
  rules: CompiledRule[]
  /** Holds expressions whose cost depends on what they are given: they run under a time limit. */
  costly: boolean
}

const placeholder = /\$\{([^}]*)\}/g
/** Regular expressions, and everything that goes through lists and maps. */
const costlyWords = /\b(matches|all|exists|exists_one|map|filter|split|join|replace)\s*\(/

export function placeholdersOf(message: string): string[] {
  return [...message.matchAll(placeholder)].map(([, expression = '']) => expression)
}

/** Throws for expressions that admission would have refused. */
export function compilePolicy({ metadata, spec }: Resource<PolicySpec>): CompiledPolicy {
  return {
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation,
    spec,
    rules: spec.rules.map(({ expression, message }) => ({ holds: cel.compile(expression), message: compileMessage(message) })),
    costly: spec.rules.some(({ expression, message }) => costlyWords.test(expression) || costlyWords.test(message)),
  }
}

/** A part of a message that cannot be told is left as it was written. */
function compileMessage(message: string): CompiledRule['message'] {
  const parts = new Map(placeholdersOf(message).map((expression) => [expression, cel.compile(expression)]))
  return (facts) =>
    message.replaceAll(placeholder, (written: string, expression: string) => {
      try {
        const value = parts.get(expression)!(facts)
        return Array.isArray(value) ? value.map(String).join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)
      } catch {
        return written
      }
    })
}
