/** Facts of an app, and what scorecards say of them. Pure. */
import type { AppSpec, AppStatus, DeploymentSpec, DeploymentStatus, ReleaseSpec, Resource, RuleResult, ScorecardExemptionSpec, ScorecardSpec, Toolchain } from '@pavior/contract'
import { celFacts, compile } from '../../../kernel/cel.ts'

export interface FactSources {
  app: Resource<AppSpec, AppStatus>
  /** Tier by environment of the team. */
  tiers: Record<string, string>
  /** Release that serves in the most careful environment. */
  release: Resource<ReleaseSpec> | undefined
  deployments: Resource<DeploymentSpec, DeploymentStatus>[]
  /** What the catalogue knows. `undeclared`: what it was seen to need and does not declare. */
  entity: { declared: boolean; drift: number; owner: string | undefined; undeclared: string[] } | undefined
  /** Template that it came from; null for none. `behind` is undefined when the template is gone. */
  template: { name: string; version: string; behind: number | undefined } | null
  docs: { pages: number; readme: boolean; newest: Date | undefined }
  now: Date
}

/** What rules speak of; a fact that nobody knows yet is left out, so a rule about it is unknown and never kept. */
export type Facts = Record<string, unknown>

const dayMs = 24 * 3600_000
/** Names that say that the value is a secret. */
const secretName = /(^|_)(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)/i

export function factsOf({ app, tiers, release, deployments, entity, template, docs, now }: FactSources): Facts {
  const { metadata, spec, status } = app
  const environments = Object.entries(status?.environments ?? {})
  const production = environments.find(([name, { release: serving }]) => serving !== undefined && (tiers[name] ?? name) === 'production')?.[0]
  const processes = release?.spec.processes ?? spec.processes ?? {}
  const web = processes.web
  const ended = deployments.filter((one) => one.status?.finishedAt !== undefined).toSorted((one, other) => (one.status!.finishedAt! < other.status!.finishedAt! ? -1 : 1))
  const last = ended.at(-1)
  const days = (time: Date): number => Math.floor((now.getTime() - time.getTime()) / dayMs)
  return {
    app: { name: metadata.name, team: metadata.namespace, description: spec.description ?? '', labels: metadata.labels ?? {}, declaredBy: spec.declaredBy ?? 'detection' },
    production: production !== undefined,
    processes: Object.keys(processes),
    ...(web === undefined ? {} : { web: { health: { path: web.health?.path ?? '', declared: web.health?.path !== undefined }, replicas: replicasOf(app, production, web.replicas) } }),
    config: { names: Object.keys({ ...spec.env, ...Object.assign({}, ...Object.values(spec.config ?? {})) }), plainSecrets: Object.keys(spec.env ?? {}).filter((name) => secretName.test(name)) },
    docs: { pages: docs.pages, readme: docs.readme, ...(docs.newest === undefined ? {} : { daysOld: days(docs.newest) }) },
    ...(entity === undefined ? {} : { catalog: { declared: entity.declared, drift: entity.drift, owner: entity.owner ?? '' }, dependencies: { undeclared: entity.undeclared } }),
    // An app that came from no template has one without a name, so that rules may say that this is fine.
    template: template === null ? { name: '', version: '', behind: 0 } : { name: template.name, version: template.version, ...(template.behind === undefined ? {} : { behind: template.behind }) },
    ...(release?.spec.toolchain === undefined ? {} : { toolchain: toolchainFacts(release.spec.toolchain) }),
    ...(release === undefined ? {} : { release: { version: release.spec.version, git: release.spec.revision?.type === 'git', daysOld: days(new Date(release.metadata.creationTimestamp)) } }),
    ...(last === undefined ? {} : { deploy: { succeeded: last.status!.phase === 'Succeeded', daysAgo: days(new Date(last.status!.finishedAt!)) } }),
    deploys: { last30Days: ended.filter((one) => days(new Date(one.status!.finishedAt!)) < 30).length, failedLast30Days: ended.filter((one) => one.status!.phase === 'Failed' && days(new Date(one.status!.finishedAt!)) < 30).length },
  }
}

/** Without a name there is nothing to pin: files, images, commands of its own. */
function toolchainFacts({ name, version = '', asked = '' }: Toolchain): Facts {
  return { name, version, asked, pinned: asked !== '' }
}

function replicasOf({ spec }: FactSources['app'], environment: string | undefined, declared: number | undefined): number {
  return (environment === undefined ? undefined : spec.scale?.[environment]?.web) ?? declared ?? 1
}

export interface ScorecardResult {
  /** Highest level whose rules, and all below it, are kept; undefined when not even the first. */
  level?: string
  /** Next level to reach; undefined at the highest. */
  next?: string
  /** Percent of the weight of the rules that are kept or exempt. */
  score: number
  rules: RuleResult[]
}

const onlyLevel = 'ready'

export function measures(scorecard: Resource<ScorecardSpec>, { metadata }: Resource): boolean {
  const { teams, labels = {} } = scorecard.spec
  return (teams === undefined || teams.includes(metadata.namespace ?? '')) && Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)
}

export function judge(scorecard: Resource<ScorecardSpec>, facts: Facts, exemptions: ScorecardExemptionSpec[], now: Date): ScorecardResult {
  const { levels = [onlyLevel], rules } = scorecard.spec
  const known = celFacts(facts)
  const results = rules.map((rule): RuleResult => {
    const level = rule.level ?? levels[0]!
    const base = { rule: rule.name, title: rule.title, level, ...(rule.fix === undefined ? {} : { fix: rule.fix }), ...(rule.docs === undefined ? {} : { docs: rule.docs }), ...(rule.action === undefined ? {} : { action: rule.action }) }
    const judgement = compile(rule.expression)(known)
    if ('value' in judgement && judgement.value) return { ...base, outcome: 'kept' }
    const exemption = exemptions.find((one) => one.rule === rule.name && Date.parse(one.expiresAt) > now.getTime())
    if (exemption) return { ...base, outcome: 'exempt', reason: `${exemption.reason} (${exemption.owner}, until ${exemption.expiresAt.slice(0, 10)})` }
    if ('unknown' in judgement) return { ...base, outcome: 'unknown', reason: judgement.unknown }
    return { ...base, outcome: 'broken', ...(rule.message === undefined ? {} : { reason: rule.message }) }
  })
  const fine = ({ outcome }: RuleResult): boolean => outcome === 'kept' || outcome === 'exempt'
  const reached = levels.findIndex((level) => results.some((result) => result.level === level && !fine(result)))
  const weight = (index: number): number => rules[index]!.weight ?? 1
  const whole = rules.reduce((sum, _, index) => sum + weight(index), 0)
  const won = results.reduce((sum, result, index) => sum + (fine(result) ? weight(index) : 0), 0)
  const level = reached < 0 ? levels.at(-1) : levels[reached - 1]
  return { ...(level === undefined ? {} : { level }), ...(reached < 0 ? {} : { next: levels[reached]! }), score: Math.round((won / whole) * 100), rules: results }
}
