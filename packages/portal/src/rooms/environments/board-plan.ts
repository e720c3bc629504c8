/** What the board says of environments: their order, how far one is behind another, what protects one. Pure. */
import type { EnvironmentSpec } from '@pavior/contract'

export interface Declared {
  name: string
  spec: EnvironmentSpec | undefined
}

const tiers: EnvironmentSpec['tier'][] = ['development', 'preview', 'staging', 'production']

/** Each after the one that it names, else by how careful it is, else by name. What names each other in a circle is in order of its tier. */
export function inOrder(environments: readonly Declared[]): Declared[] {
  const byName = new Map(environments.map((each) => [each.name, each]))
  const sorted = environments.toSorted((one, other) => rankOf(one) - rankOf(other) || one.name.localeCompare(other.name))
  const placed = new Set<string>()
  const place = (each: Declared, within: ReadonlySet<string>): Declared[] => {
    if (placed.has(each.name) || within.has(each.name)) return []
    const before = byName.get(each.spec?.after ?? '')
    const first = before ? place(before, new Set([...within, each.name])) : []
    placed.add(each.name)
    return [...first, each]
  }
  return sorted.flatMap((each) => place(each, new Set()))
}

function rankOf({ spec }: Declared): number {
  return spec === undefined ? tiers.length : tiers.indexOf(spec.tier)
}

export interface Served {
  environment: string
  release: number
}

export type Lag = { same: true } | { same: false; behind: number | undefined }

/**
 * How many releases an environment is behind the one before it, counted in artifacts that served there; `behind` is undefined
 * when what it has never served there. Undefined when one of the two has nothing.
 */
export function lagOf(environment: string, before: string | undefined, serving: ReadonlyMap<string, number>, history: readonly Served[], artifactOf: (release: number) => string | undefined): Lag | undefined {
  const own = serving.get(environment)
  const other = before === undefined ? undefined : serving.get(before)
  if (own === undefined || other === undefined) return undefined
  const artifact = artifactOf(own)
  if (own === other || (artifact !== undefined && artifact === artifactOf(other))) return { same: true }
  const artifacts = history.filter((each) => each.environment === before).map(({ release }) => artifactOf(release)).filter((each, index, all) => each !== all[index - 1])
  const at = artifacts.lastIndexOf(artifact)
  return { same: false, behind: artifact === undefined || at < 0 ? undefined : artifacts.length - 1 - at }
}

export function lagText(lag: Lag, before: string): string {
  if (lag.same) return `The same artifact as ${before}.`
  if (lag.behind === undefined || lag.behind === 0) return `Another artifact than ${before}.`
  return `${lag.behind} ${lag.behind === 1 ? 'release' : 'releases'} behind ${before}.`
}

/** What holds a deployment back, a sentence each. */
export function protectionOf({ protection = {}, after = 'the environment before' }: EnvironmentSpec): string[] {
  const { approvals, branches, soakMinutes, promoteOnly } = protection
  return [
    ...(approvals ? [`${approvals.count} ${approvals.count === 1 ? 'approval' : 'approvals'} by somebody with the role ${approvals.role ?? 'developer'} who did not make the change`] : []),
    ...(soakMinutes ? [`the same artifact must have served in ${after} for ${soakMinutes} min`] : []),
    ...(promoteOnly ? [`only what serves in ${after} comes here`] : []),
    ...(branches ? [`only from the ${branches.length === 1 ? 'branch' : 'branches'} ${branches.join(', ')}`] : []),
  ]
}

export function strategyText(type: string, steps: readonly { weight: number; pause?: boolean }[]): string {
  if (type === 'rolling') return 'rolling: new instances beside the old ones, then all traffic at once'
  if (type === 'bluegreen') return 'blue-green: everything beside the old, looked at by testers, then all traffic at once'
  return `canary: ${[...steps.map(({ weight, pause }) => `${weight} %${pause ? ' (then asks)' : ''}`), '100 %'].join(' → ')}`
}
