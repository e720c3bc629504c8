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
  /** Objectives of the app in the environment. */
  budgets: readonly Budget[]
  /** Of the app in the environment, in sentences. */
  incidents?: readonly string[]
  now: Date
}

/** What a gate needs to know of an objective. */
export interface Budget {
  name: string
  onExhausted: 'none' | 'warn' | 'requireApproval' | 'freeze'
  /** Proposed by the platform: it holds nothing. */
  draft: boolean
  state: 'exhausted' | 'left' | 'unknown'
  /** Share of the budget. */
  used: number
  /** ISO 8601: since when nothing is left. */
  since: string | undefined
}

export interface Gates {
  gates: Gate[]
  /** What does not hold it, and is worth knowing. */
  notes: string[]
  /** It can never pass. */
  refusal: ErrorObject | undefined
}

/** A rollback waits for nothing but its time: the way back is always open. */
export function gatesOf(context: GateContext): Gates {
  const { spec, now } = context
  const scheduled = spec.notBefore !== undefined && Date.parse(spec.notBefore) > now.getTime()
  const schedule: Gate[] = scheduled ? [{ gate: 'schedule', text: `It is to begin no earlier than ${spec.notBefore}.`, until: spec.notBefore! }] : []
  if (spec.rollbackTo) return { gates: schedule, notes: [], refusal: undefined }
  const refusal = refusalOf(context)
  return { gates: refusal ? [] : [...schedule, ...soak(context), ...freeze(context), ...budget(context), ...approval(context)], notes: [...(context.incidents ?? []), ...budgetNotes(context)], refusal }
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

function exhausted({ spec, budgets }: GateContext, policy: Budget['onExhausted']): Budget[] {
  return spec.override ? [] : budgets.filter(({ draft, state, onExhausted }) => !draft && state === 'exhausted' && onExhausted === policy)
}

function usedUp({ name, used, since }: Budget): string {
  return `The error budget of ${name} is used up: ${Math.round(used * 100)} % of it${since === undefined ? '' : `, since ${since.slice(0, 16).replace('T', ' ')} UTC`}.`
}

/** A deploy may be the very thing that ends it, so somebody who answers for the team may let it through. */
function budget(context: GateContext): Gate[] {
  return exhausted(context, 'freeze').map((one) => ({ gate: 'budget', text: `${usedUp(one)} It opens when there is a budget again; an administrator of the team may override it with a reason.` }))
}

function budgetNotes(context: GateContext): string[] {
  const { spec, environment, budgets } = context
  const declared = budgets.filter(({ draft }) => !draft)
  if (declared.length === 0) return (environment?.tier ?? 'production') === 'production' ? [`No SLO is declared for ${spec.app} in ${spec.environment}: the error-budget gate is open.`] : []
  return [
    ...[...exhausted(context, 'warn'), ...exhausted(context, 'requireApproval')].map(usedUp),
    ...declared.filter(({ state, onExhausted }) => state === 'unknown' && (onExhausted === 'freeze' || onExhausted === 'requireApproval')).map(({ name }) => `Nothing was counted for ${name}: its error-budget gate is open.`),
  ]
}

/** A budget that is used up may ask for one more pair of eyes. */
function approval(context: GateContext): Gate[] {
  const { environment, approvals } = context
  const { count: asked = 0, role = 'developer' } = environment?.protection?.approvals ?? {}
  const count = asked + (exhausted(context, 'requireApproval').length > 0 ? 1 : 0)
  const missing = count - new Set(approvals.map(({ by }) => by)).size
  return missing > 0 ? [{ gate: 'approval', text: `It needs ${missing} more ${missing === 1 ? 'approval' : 'approvals'} by somebody with the role ${role} who did not make the change.` }] : []
}
