/** What policies say of one thing. Pure. */
import type { PolicyExceptionSpec, PolicyExceptionStatus, PolicyRule, PolicySpec, PolicyVerdict, Resource } from '@pavior/contract'
import { celFacts, type CelFacts } from '../../kernel/cel.ts'
import type { CompiledPolicy } from './language.ts'
import { mayBeShown } from './secrets.ts'

export type Point = PolicySpec['points'][number]
export type PolicyException = Resource<PolicyExceptionSpec, PolicyExceptionStatus>

/** What is judged, and everything that is known about it. */
export interface Subject {
  point: Point
  verb: 'create' | 'update' | 'delete'
  kind: string
  object: Resource
  oldObject: Resource | undefined
  user: string
  team: string
  /** App that it belongs to. */
  app: string | undefined
  environment: string | undefined
  tier: string | undefined
  facts: Record<string, unknown>
}

/** Verdicts of one policy. */
export interface Judged {
  policy: CompiledPolicy
  verdicts: PolicyVerdict[]
}

export function applies({ spec }: Pick<CompiledPolicy, 'spec'>, subject: Subject): boolean {
  const { kinds, teams, environments, tiers, labels = {}, operations = ['create', 'update'] } = spec.match
  if (spec.mode === 'off' || !kinds.includes(subject.kind) || !spec.points.includes(subject.point)) return false
  if (subject.point === 'admission' && !operations.includes(subject.verb)) return false
  if (teams && !teams.includes(subject.team)) return false
  if (environments && (subject.environment === undefined || !environments.includes(subject.environment))) return false
  if (tiers && (subject.tier === undefined || !tiers.includes(subject.tier as never))) return false
  return Object.entries(labels).every(([key, value]) => subject.object.metadata.labels?.[key] === value)
}

/** What expressions see. Made once for all policies. */
export function inputOf({ object, oldObject, verb, user, team, kind, facts, environment, tier }: Subject, exceptions: PolicyException[]): CelFacts {
  return celFacts({
    object: plain(object),
    oldObject: oldObject === undefined ? null : plain(oldObject),
    request: { verb, user, team, kind },
    facts: { team, environment: environment ?? '', tier: tier ?? '', exceptions: exceptions.map(({ spec }) => spec.policy), ...facts },
  })
}

/** What somebody else decided, or why nothing was decided. */
export interface Decision {
  result?: unknown
  problem?: string
}
export type Decisions = ReadonlyMap<string, Decision>

export function withDecision(input: CelFacts, decision: Decision | undefined): CelFacts {
  return decision === undefined ? input : { ...input, facts: { ...(input.facts as object), ...(celFacts({ opa: decision.result }) as object) } }
}

/** What others are asked with: the same as rules see, without what looks like a secret. */
export function questionOf({ object, oldObject, verb, user, team, kind, facts, environment, tier }: Subject): object {
  const shown = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((inner) => shown(inner, path))
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner, key)]))
    return mayBeShown(path, value) ? value : '[redacted]'
  }
  return shown({ object: plain(object), oldObject: oldObject === undefined ? null : plain(oldObject), request: { verb, user, team, kind }, facts: { team, environment: environment ?? '', tier: tier ?? '', ...facts } }, '') as object
}

/** Without what only the platform writes for itself; labels and annotations are always there. */
function plain({ apiVersion, kind, metadata, spec, status = {} }: Resource): Record<string, unknown> {
  const { managedFields: _, ...rest } = metadata
  return { apiVersion, kind, metadata: { labels: {}, annotations: {}, ...rest }, spec, status }
}

/** In force: granted, not yet at its end, and for this team and app. One that once expired stays so, whatever the clock says. */
export function inForce(exception: PolicyException, subject: { team: string; app: string | undefined }, now: Date): boolean {
  const { metadata, spec, status } = exception
  if (status?.phase !== 'Granted' || metadata.deletionTimestamp || Date.parse(spec.expiresAt) <= now.getTime()) return false
  return metadata.namespace === subject.team && (spec.app === undefined || spec.app === subject.app)
}

export function judge(policy: CompiledPolicy, input: CelFacts, exceptions: PolicyException[]): PolicyVerdict[] {
  return policy.spec.rules.map((rule, index) => exempted(judgeRule(policy, rule, index, input), exceptions))
}

function exempted(verdict: PolicyVerdict, exceptions: PolicyException[]): PolicyVerdict {
  if (verdict.outcome !== 'broken' && verdict.outcome !== 'error') return verdict
  const exception = exceptions.find(({ spec }) => spec.policy === verdict.policy && (spec.rule === undefined || spec.rule === verdict.rule))
  return exception === undefined ? verdict : { ...verdict, outcome: 'exempt', exception: exception.metadata.name }
}

function judgeRule(policy: CompiledPolicy, rule: PolicyRule, index: number, input: CelFacts): PolicyVerdict {
  const base = baseOf(policy, rule)
  const missing = rule.needs?.find((path) => at(input.facts, path) === undefined)
  if (missing !== undefined) return { ...base, outcome: 'unknown', message: `Nothing is known of ${missing} yet.` }
  const compiled = policy.rules[index]!
  try {
    const kept = compiled.holds(input)
    if (kept === true) return { ...base, outcome: 'kept', message: '' }
    if (kept !== false) return { ...base, outcome: 'error', message: `The expression gives ${typeof kept}, not true or false.` }
  } catch (error) {
    return { ...base, outcome: 'error', message: (error as Error).message.split('\n', 1)[0]! }
  }
  return { ...base, outcome: 'broken', message: compiled.message(input), ...shownValue(rule.field, input) }
}

/** For a policy that could not be asked at all. */
export function failed(policy: CompiledPolicy, message: string, exceptions: PolicyException[]): PolicyVerdict[] {
  return policy.spec.rules.map((rule) => exempted({ ...baseOf(policy, rule), outcome: 'error', message }, exceptions))
}

function baseOf({ name, spec }: CompiledPolicy, { name: rule, field, fix, docs }: PolicyRule): Omit<PolicyVerdict, 'outcome' | 'message'> {
  return { policy: name, rule, severity: spec.severity, mode: spec.mode, ...(field === undefined ? {} : { field }), ...(fix === undefined ? {} : { fix }), ...(docs === undefined ? {} : { docs }) }
}

const longestShown = 200

function shownValue(field: string | undefined, input: CelFacts): { value?: string } {
  if (field === undefined) return {}
  const value = at(input.object, field)
  if (value === undefined) return { value: 'not set' }
  if (!mayBeShown(field, value)) return { value: '[redacted]' }
  return { value: JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)).slice(0, longestShown) }
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, part) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[part] : undefined), value)
}

/** Whether the change is refused for it. A rule that fails counts as its policy says. */
export function denies(policy: Pick<CompiledPolicy, 'spec'>, { outcome, mode }: PolicyVerdict): boolean {
  return mode === 'enforce' && (outcome === 'broken' || (outcome === 'error' && policy.spec.failure === 'closed'))
}

/** Whether it is said to the caller, who may go on. */
export function warns(policy: Pick<CompiledPolicy, 'spec'>, verdict: PolicyVerdict): boolean {
  return verdict.mode === 'warn' && (verdict.outcome === 'broken' || (verdict.outcome === 'error' && policy.spec.failure === 'closed'))
}

export function warningText({ policy, rule, outcome, message, fix }: PolicyVerdict): string {
  const what = outcome === 'error' ? `the rule could not be judged: ${message}` : message
  return `policy ${policy}/${rule}: ${what}${fix === undefined ? '' : ` ${fix}`}`.replaceAll(/\s+/g, ' ').slice(0, 1000)
}

const severities = ['critical', 'high', 'medium', 'low']

export function worstFirst(verdicts: PolicyVerdict[]): PolicyVerdict[] {
  return verdicts.toSorted((one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity))
}

export interface Denial {
  message: string
  why: string
  fix: string
  state: string
  more: string
  causes: { field: string; message: string; reason: string }[]
  facts: Record<string, unknown>
}

/** The "no" with its reasons and the way on. The worst first. */
export function denialOf(verdicts: PolicyVerdict[], subject: Subject, titles: (policy: string) => string): Denial {
  const sorted = worstFirst(verdicts)
  const [first] = sorted as [PolicyVerdict]
  const what = subject.app === undefined ? `${subject.kind} "${subject.object.metadata.name}"` : `App "${subject.app}"`
  const more = sorted.length === 1 ? '' : ` ${sorted.length - 1} more ${sorted.length === 2 ? 'rule is' : 'rules are'} broken.`
  return {
    message: `${what}${subject.environment === undefined ? '' : ` in ${subject.environment}`} breaks the policy ${first.policy}: ${sentence(first)}${more}`,
    why: titles(first.policy),
    fix: sorted.map(({ fix }) => fix).find((fix) => fix !== undefined) ?? 'Change what the policy names.',
    state: subject.point === 'admission' ? 'Nothing was changed.' : 'Nothing was deployed; what served before goes on serving.',
    more: `${exceptionCommand(first.policy, subject)}   (granted by a platform administrator, or another administrator of team ${subject.team})`,
    causes: sorted.map(({ policy, rule, field, value, outcome, message, fix }) => ({
      field: field ?? '',
      message: `${sentence({ outcome, message })}${value === undefined ? '' : ` It is ${value}.`}${fix === undefined ? '' : ` ${fix}`}`,
      reason: `${policy}/${rule}`,
    })),
    facts: { policy: first.policy, rule: first.rule, team: subject.team, ...(subject.app === undefined ? {} : { app: subject.app }), policies: [...new Set(sorted.map(({ policy }) => policy))], exception: exceptionCommand(first.policy, subject) },
  }
}

function sentence({ outcome, message }: Pick<PolicyVerdict, 'outcome' | 'message'>): string {
  const text = outcome === 'error' ? `the rule could not be judged (${message}), and the policy refuses then` : message
  return /[.!?]$/.test(text) ? text : `${text}.`
}

export function exceptionCommand(policy: string, { app, team }: Pick<Subject, 'app' | 'team'>): string {
  return `pavior exception request ${policy} ${app === undefined ? '' : `--app ${app} `}--team ${team} --reason "…" --days 30`
}
