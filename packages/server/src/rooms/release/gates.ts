/** What an environment asks of a deployment before it begins. Pure. */
import type { DeploymentSpec, DeploymentStatus, EnvironmentSpec, ErrorObject, FreezeSpec, Gate, ReleaseSpec } from '@pavior/contract'
import { errorCatalogue, frozenBy } from '@pavior/contract'

export interface GateContext {
  spec: DeploymentSpec
  environment: EnvironmentSpec | undefined
  release: Pick<ReleaseSpec, 'artifact' | 'revision'> | undefined
  /** Artifact that serves in the environment. */
  serving: string | undefined
  /** What serves in the environment before this one, and since when. */
  before: { artifact: string; since: Date } | undefined
  approvals: NonNullable<DeploymentStatus['approvals']>
  freezes: readonly FreezeSpec[]
  now: Date
}

export interface Gates {
  gates: Gate[]
  /** It can never pass. */
  refusal: ErrorObject | undefined
}

/** A rollback waits for nothing but its time: the way back is always open. */
export function gatesOf(context: GateContext): Gates {
  const { spec, now } = context
  const scheduled = spec.notBefore !== undefined && Date.parse(spec.notBefore) > now.getTime()
  const schedule: Gate[] = scheduled ? [{ gate: 'schedule', text: `It is to begin no earlier than ${spec.notBefore}.`, until: spec.notBefore! }] : []
  if (spec.rollbackTo) return { gates: schedule, refusal: undefined }
  const refusal = refusalOf(context)
  return { gates: refusal ? [] : [...schedule, ...soak(context), ...freeze(context), ...approval(context)], refusal }
}

function refusalOf({ spec, environment, release, serving, before }: GateContext): ErrorObject | undefined {
  const { branches, promoteOnly } = environment?.protection ?? {}
  // Configuration alone brings nothing new from anywhere.
  if (!release || release.artifact === serving) return undefined
  const branch = release.revision?.branch
  if (branches && !branches.some((pattern) => branch !== undefined && fits(branch, pattern))) {
    const came = branch === undefined ? 'This release was uploaded and has no branch.' : `This release is from the branch ${branch}.`
    return refused('BRANCH_NOT_ALLOWED', `Only ${branches.join(', ')} may be deployed to ${spec.environment}.`, came)
  }
  if (promoteOnly && release.artifact !== before?.artifact) {
    const from = environment?.after
    return refused('PROMOTION_REQUIRED', `Only what serves in ${from ?? 'the environment before'} may be deployed to ${spec.environment}.`, undefined, from && `pavior promote --from ${from} --to ${spec.environment}`)
  }
  return undefined
}

function refused(code: 'BRANCH_NOT_ALLOWED' | 'PROMOTION_REQUIRED', message: string, why: string | undefined, fix = errorCatalogue[code].fix): ErrorObject {
  return { code, message, ...(why === undefined ? {} : { why }), fix }
}

/** `*` stands for any characters. */
export function fits(branch: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return branch === pattern
  if (!branch.startsWith(first)) return false
  const last = rest.pop()!
  let at = first.length
  for (const part of rest) {
    const found = branch.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return branch.length - last.length >= at && branch.endsWith(last)
}

function soak({ spec, environment, release, serving, before, now }: GateContext): Gate[] {
  const minutes = environment?.protection?.soakMinutes
  if (minutes === undefined || spec.override || !release || release.artifact === serving) return []
  const where = environment?.after ?? 'the environment before'
  if (release.artifact !== before?.artifact) return [{ gate: 'soak', text: `The same artifact must have served in ${where} for ${minutes} min first; it does not serve there.` }]
  const until = new Date(before.since.getTime() + minutes * 60_000)
  return until > now ? [{ gate: 'soak', text: `The same artifact must have served in ${where} for ${minutes} min.`, until: until.toISOString() }] : []
}

function freeze({ spec, environment, freezes, now }: GateContext): Gate[] {
  if (spec.override) return []
  const frozen = frozenBy(freezes, { environment: spec.environment, tier: environment?.tier ?? 'production' }, now)
  return frozen ? [{ gate: 'freeze', text: `Changes are frozen: ${frozen.reason}`, ...(frozen.until ? { until: frozen.until.toISOString() } : {}) }] : []
}

function approval({ environment, approvals }: GateContext): Gate[] {
  const { count = 0, role = 'developer' } = environment?.protection?.approvals ?? {}
  const missing = count - new Set(approvals.map(({ by }) => by)).size
  return missing > 0 ? [{ gate: 'approval', text: `It needs ${missing} more ${missing === 1 ? 'approval' : 'approvals'} by somebody with the role ${role} who did not make the change.` }] : []
}
