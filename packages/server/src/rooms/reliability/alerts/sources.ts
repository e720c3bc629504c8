/** What alerts come from, all alike: rules that people wrote, and objectives, which need no rule. Pure. */
import type { AlertRuleSpec, AlertRuleStatus, AlertSpec, Resource, SloSpec, SloStatus } from '@pavior/contract'
import type { Member, Sample } from './plan.ts'

export type AlertRule = Resource<AlertRuleSpec, AlertRuleStatus>
export type Slo = Resource<SloSpec, SloStatus>

export interface Source {
  uid: string
  team: string
  kind: 'AlertRule' | 'Slo'
  name: string
  /** Undefined for an objective. */
  rule: AlertRule | undefined
  slo: Slo | undefined
  forMs: number
  keepMs: number
  groupBy: readonly string[]
}

export const usualEnvironment = 'production'
const secondMs = 1000
const unitMs: Record<string, number> = { s: secondMs, m: 60 * secondMs, h: 3600 * secondMs, d: 24 * 3600 * secondMs }
const usualKeep = '1m'
/** A pause of what measures is no absence. */
const usualAbsence = '5m'

/** `90s` in ms. */
export function lengthMs(text: string): number {
  return Number(text.slice(0, -1)) * unitMs[text.at(-1)!]!
}

/** Every rule, and every objective that a rule does not speak for. */
export function sourcesOf(rules: Iterable<AlertRule>, slos: Iterable<Slo>): Source[] {
  const own = [...rules].filter(({ metadata }) => !metadata.deletionTimestamp)
  return [...own.map(ofRule), ...[...slos].filter(({ metadata, spec }) => !metadata.deletionTimestamp && !spec.draft).map(ofSlo)]
}

export function ofRule(rule: AlertRule): Source {
  const { metadata, spec } = rule
  const { absence, slo } = spec.condition
  return {
    uid: metadata.uid,
    team: metadata.namespace!,
    kind: 'AlertRule',
    name: metadata.name,
    rule,
    slo: undefined,
    forMs: lengthMs(spec.for ?? (absence ? usualAbsence : '0s')),
    // An objective has a hysteresis of its own.
    keepMs: lengthMs(spec.keepFiringFor ?? (slo ? '0s' : usualKeep)),
    groupBy: spec.groupBy ?? [],
  }
}

function ofSlo(slo: Slo): Source {
  return { uid: slo.metadata.uid, team: slo.metadata.namespace!, kind: 'Slo', name: slo.metadata.name, rule: undefined, slo, forMs: 0, keepMs: 0, groupBy: ['severity'] }
}

/** What an objective says of itself, but for what a rule of its team speaks for. */
export function sloSamples({ metadata, status }: Slo, rules: Iterable<AlertRule>): Sample[] {
  const taken = new Set<string>()
  for (const { metadata: of, spec } of rules) if (of.namespace === metadata.namespace && spec.condition.slo?.name === metadata.name && spec.enabled !== false) taken.add(spec.condition.slo.alert)
  return (status?.alerts ?? []).filter(({ alert }) => !taken.has(alert)).map(({ alert, text }) => ({ labels: { slo: metadata.name, severity: alert }, text, holds: true }))
}

export function severityOf(source: Source, group: string): AlertSpec['severity'] {
  if (source.rule) return source.rule.spec.severity
  return group === 'severity=page' ? 'page' : 'ticket'
}

export function placeOf({ rule, slo }: Source): { app: string | undefined; environment: string | undefined } {
  const { app, environment } = (rule ?? slo)!.spec
  return { app, environment: app === undefined ? environment : (environment ?? usualEnvironment) }
}

/** Labels by which silences know a member. */
export function knownBy(source: Source, group: string, labels: Record<string, string>): Record<string, string> {
  const { app, environment } = placeOf(source)
  return { ...labels, ...(app === undefined ? {} : { app }), ...(environment === undefined ? {} : { environment }), severity: severityOf(source, group), ...(source.rule ? { rule: source.name } : { slo: source.name }) }
}

/** The spec of the Alert of a group: it stays as it was when the alert was opened. */
export function alertSpecOf(source: Source, group: string, members: readonly Member[]): AlertSpec {
  const { app, environment } = placeOf(source)
  const labels = inCommon(members.map((member) => member.labels))
  const runbook = (source.rule ?? source.slo)?.spec.runbook
  const { escalationPolicy } = source.rule?.spec ?? {}
  return {
    severity: severityOf(source, group),
    summary: summaryOf(source, members[0]),
    source: { kind: source.kind, name: source.name },
    ...(app === undefined ? {} : { app }),
    ...(environment === undefined ? {} : { environment }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(runbook === undefined ? {} : { runbook }),
    ...(escalationPolicy === undefined ? {} : { escalationPolicy }),
  }
}

function inCommon(all: readonly Record<string, string>[]): Record<string, string> {
  const [first = {}, ...others] = all
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value)))
}

const longestSummary = 300

export function summaryOf({ rule, name, slo }: Source, member: Member | undefined): string {
  if (slo) return cut(member?.text === undefined ? `${name} burns its budget.` : `${name}: ${member.text}`)
  const { summary, condition } = rule!.spec
  if (summary !== undefined) return cut(filledIn(summary, member))
  return cut(member?.text ?? textOf(name, condition, member?.value))
}

function textOf(name: string, { metric, absence }: AlertRuleSpec['condition'], value: number | undefined): string {
  if (metric) return `${name} is ${value === undefined ? 'out of bounds' : figure(value)}, ${metric.above === undefined ? `at least ${metric.below}` : `at most ${metric.above}`} is fine.`
  return absence ? `Nothing is measured for ${name} any more.` : `${name} fires.`
}

/** Texts of labels are put in as they are: every form of message escapes them for itself. */
function filledIn(summary: string, member: Member | undefined): string {
  return summary.replace(/\{\{\s*(?:(value)|labels\.([A-Za-z_][A-Za-z0-9_]*))\s*\}\}/g, (_, value: string | undefined, label: string | undefined) => {
    if (value) return member?.value === undefined ? '' : figure(member.value)
    return member?.labels[label!] ?? ''
  })
}

export function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value)
}

/** On one line, and not endless. */
function cut(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
  return plain.length <= longestSummary ? plain : `${plain.slice(0, longestSummary - 1)}…`
}
