/** Asks every policy that applies. Follows policies and exceptions through the change feed, so that no replica is behind for longer than the feed is. */
import type { PolicySpec, PolicyStatus, PolicyVerdict, Resource } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { within } from '../../kernel/within.ts'
import { compilePolicy, type CompiledPolicy } from './language.ts'
import type { DecisionPoint } from './ports.ts'
import { applies, failed, inForce, inputOf, judge, questionOf, withDecision, type Decision, type Decisions, type Judged, type PolicyException, type Subject } from './plan.ts'

/** For all costly policies of one request together; the one that runs when it is over is not asked again until it changes. */
const timeLimitMs = 200

export type Policy = Resource<PolicySpec, PolicyStatus>

export interface Engine {
  parts: Part[]
  /** What others decide for the policies that ask them, by policy. */
  decisions(subject: Subject, only?: CompiledPolicy): Promise<Decisions>
  /** `only`: this policy instead of those in force. */
  judge(subject: Subject, decisions: Decisions, only?: CompiledPolicy): Judged[]
  title(policy: string): string
  has(policy: string): boolean
  exceptions(): PolicyException[]
  policies(): Policy[]
}

export function createEngine({ resources, decisionPoint, clock, log }: { resources: Resources; decisionPoint: DecisionPoint; clock: Clock; log: Logger }): Engine {
  const policies = new Mirror<Policy>(resources, 'Policy', log)
  const exceptions = new Mirror<PolicyException>(resources, 'PolicyException', log)
  const compiled = new Map<string, CompiledPolicy | undefined>()
  const slow = new WeakMap<CompiledPolicy, string>()
  let all: CompiledPolicy[] | undefined
  policies.onChange(() => (all = undefined))

  const compiledOf = (policy: Policy): CompiledPolicy | undefined => {
    const version = `${policy.metadata.uid}/${policy.metadata.generation}`
    if (!compiled.has(version)) {
      try {
        compiled.set(version, compilePolicy(policy))
      } catch (error) {
        // Admission refuses such; one that got in with an older version of Pavior is said and left out.
        log.warn({ policy: policy.metadata.name, err: (error as Error).message }, 'a policy cannot be compiled')
        compiled.set(version, undefined)
      }
    }
    return compiled.get(version)
  }

  const current = (): CompiledPolicy[] => {
    if (!all) {
      const present = [...policies.values()]
      const versions = new Set(present.map(({ metadata }) => `${metadata.uid}/${metadata.generation}`))
      for (const version of compiled.keys()) if (!versions.has(version)) compiled.delete(version)
      all = present.flatMap((policy) => compiledOf(policy) ?? [])
    }
    return all
  }

  /** Under one time limit; goes on behind a policy that used it up. */
  const judgeCostly = (asked: CompiledPolicy[], ask: (policy: CompiledPolicy) => PolicyVerdict[]): Judged[] => {
    const judged: Judged[] = []
    while (judged.length < asked.length) {
      try {
        within(timeLimitMs, () => {
          while (judged.length < asked.length) judged.push({ policy: asked[judged.length]!, verdicts: ask(asked[judged.length]!) })
        })
      } catch (error) {
        const policy = asked[judged.length]
        if (!policy) break
        slow.set(policy, `It ${(error as Error).message}; it is not asked again until it changes.`)
        log.warn({ policy: policy.name, err: (error as Error).message }, 'a policy is too slow')
        judged.push({ policy, verdicts: ask(policy) })
      }
    }
    return judged
  }

  return {
    parts: [policies, exceptions],
    decisions: async (subject, only) => {
      const asking = (only ? [only] : current()).filter((policy) => policy.spec.opa !== undefined && applies(policy, subject))
      const answers = await Promise.all(
        asking.map(async ({ name, spec }): Promise<[string, Decision]> => {
          try {
            return [name, { result: await decisionPoint.ask(spec.opa!, questionOf(subject)) }]
          } catch (error) {
            return [name, { problem: (error as Error).message }]
          }
        }),
      )
      return new Map(answers)
    },
    judge: (subject, decisions, only) => {
      const asked = (only ? [only] : current()).filter((policy) => applies(policy, subject))
      if (asked.length === 0) return []
      const valid = [...exceptions.values()].filter((exception) => inForce(exception, subject, clock.now()))
      const input = inputOf(subject, valid)
      const ask = (policy: CompiledPolicy): PolicyVerdict[] => {
        const decision = decisions.get(policy.name)
        const problem = slow.get(policy) ?? decision?.problem
        return problem === undefined ? judge(policy, withDecision(input, decision), valid) : failed(policy, problem, valid)
      }
      return [...asked.filter(({ costly }) => !costly).map((policy) => ({ policy, verdicts: ask(policy) })), ...judgeCostly(asked.filter(({ costly }) => costly), ask)]
    },
    title: (name) => {
      const spec = policies.get('', name)?.spec
      return spec === undefined ? '' : spec.description ?? spec.title
    },
    has: (name) => policies.get('', name) !== undefined,
    exceptions: () => [...exceptions.values()],
    policies: () => [...policies.values()],
  }
}
