/** What is kept quiet by whom: matchers as in Alertmanager. Pure. */
import { freezeHolds, type Matcher, type Resource, type SilenceSpec } from '@pavior/contract'
import { compilePattern } from '../../telemetry/index.ts'

export type Silence = Resource<SilenceSpec>

/** Answers that are remembered of one pattern. */
const remembered = 10_000

export interface Quieting {
  by: string
  because: 'Silenced' | 'Maintenance'
  until: string | undefined
  fits: (labels: Record<string, string>) => boolean
}

/** Why a matcher cannot be used; undefined when it can. */
export function matcherProblem({ op, value }: Matcher): string | undefined {
  return op === '=~' || op === '!~' ? compilePattern(value).problem : undefined
}

export function silenceHolds({ from, until, weekly, reason }: SilenceSpec, now: Date): boolean {
  return freezeHolds({ reason, from, until, weekly }, now)
}

/** Those that hold now, ready to be asked often. */
export function quietingOf(silences: readonly Silence[], now: Date): Quieting[] {
  return silences
    .filter(({ spec, metadata }) => !metadata.deletionTimestamp && silenceHolds(spec, now))
    .map(({ metadata, spec }) => {
      const tests = spec.matchers.map(testOf)
      return { by: metadata.name, because: spec.kind === 'Maintenance' ? 'Maintenance' : 'Silenced', until: spec.weekly ? undefined : spec.until, fits: (labels) => tests.every((test) => test(labels)) }
    })
}

/** What keeps all of these quiet; undefined when somebody is to be told of one of them. */
export function keptQuiet(quieting: readonly Quieting[], members: readonly Record<string, string>[]): Quieting | undefined {
  if (quieting.length === 0 || members.length === 0) return undefined
  let first: Quieting | undefined
  for (const labels of members) {
    const by = quieting.find(({ fits }) => fits(labels))
    if (!by) return undefined
    first ??= by
  }
  return first
}

function testOf({ label, op, value }: Matcher): (labels: Record<string, string>) => boolean {
  if (op === '=' || op === '!=') return (labels) => ((labels[label] ?? '') === value) === (op === '=')
  const pattern = compilePattern(value)
  const known = new Map<string, boolean>()
  return (labels) => {
    const text = labels[label] ?? ''
    const matches = known.get(text) ?? (pattern.problem === undefined && pattern.matches(text))
    if (known.size < remembered) known.set(text, matches)
    // A pattern that cannot be used keeps nothing quiet.
    return pattern.problem === undefined && matches === (op === '=~')
  }
}
