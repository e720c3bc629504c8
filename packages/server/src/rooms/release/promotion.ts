/** The same artifact into the next environment, with what differs told before; and the approvals that it may need. */
import { fail, type EnvironmentComparison, type EnvironmentSpec, type PromotionPlan, type ReleaseChanges, type ReleaseSpec, type Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import { mayAct, type Resources } from '../../kernel/resources/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { releaseChanges } from './changes.ts'
import { configurationChanged, createRelease, type ReleaseDeps } from './commands.ts'
import { actor as system, builtOf, isActive, readContext, servingDeployment, type App, type Deployment, type Release } from './context.ts'
import { gatesOf } from './gates.ts'
import { openIncidents } from './incidents.ts'
import { deployment as deploymentKind } from './kinds.ts'
import { releaseName } from './names.ts'
import { budgetsOf, freezesOf } from './observe.ts'
import type { Writers } from './ports.ts'
import { snapshot, type Built } from './snapshot.ts'
import { resolveStrategy } from './strategy.ts'

interface Candidate {
  app: App
  source: Release
  built: Built
  target: Resource<EnvironmentSpec>
  serving: Release | undefined
  /** What serves in the environment before the target, and since when. */
  before: { artifact: string; since: Date } | undefined
}

export async function planPromotion({ resources, secrets, clock }: ReleaseDeps & { clock: Clock }, by: Actor, team: string, name: string, from: string, to: string): Promise<PromotionPlan> {
  const { app, source, built, target, serving, before } = await candidate(resources, by, team, name, from, to)
  const { refs } = (await secrets.givenIn(team, name, [to])).get(to)!
  const next = snapshot(name, app.spec, to, built, refs, 0, '')
  // What it would wait for if it began now.
  const spec = { app: name, environment: to, release: source.spec.version, promotedFrom: from }
  const { gates, notes, refusal } = gatesOf({ spec, environment: target.spec, release: next, serving: serving?.spec.artifact, before, approvals: [], freezes: await freezesOf(resources, team), budgets: await budgetsOf(resources, team, name, to), incidents: await openIncidents(resources, team, name, to), now: clock.now() })
  return {
    app: name,
    from: { environment: from, release: source.spec.version, artifact: source.spec.artifact },
    to: { environment: to, ...(serving ? { release: serving.spec.version, artifact: serving.spec.artifact } : {}) },
    ...(serving ? { changes: withoutValues(releaseChanges(serving.spec, next)) } : {}),
    strategy: resolveStrategy({}, target.spec),
    gates,
    ...(notes.length > 0 ? { notes } : {}),
    ...(refusal ? { refusal } : {}),
  }
}

export async function promote(deps: ReleaseDeps, by: Actor, team: string, name: string, from: string, to: string, allowPinned = false): Promise<Deployment> {
  const { app, source, built } = await candidate(deps.resources, by, team, name, from, to)
  const reason = `promoted from ${from} v${source.spec.version}`
  const { deployment } = await createRelease(deps, { team, app, spec: app.spec, environment: to, built, reason, by, wish: { promotedFrom: from }, allowPinned })
  return deployment
}

/** What serves in two environments, side by side. Values of configuration are left out. */
export async function diffEnvironments({ resources }: ReleaseDeps, by: Actor, team: string, name: string, from: string, to: string): Promise<EnvironmentComparison> {
  const { app, source, serving } = await candidate(resources, by, team, name, from, to)
  return {
    app: name,
    from: { environment: from, release: source.spec.version, artifact: source.spec.artifact },
    to: { environment: to, ...(serving ? { release: serving.spec.version, artifact: serving.spec.artifact } : {}) },
    ...(serving ? { changes: withoutValues(releaseChanges(scaled(serving.spec, app.spec.scale?.[to]), scaled(source.spec, app.spec.scale?.[from]))) } : {}),
  }
}

async function candidate(resources: Resources, by: Actor, team: string, name: string, from: string, to: string): Promise<Candidate> {
  if (from === to) throw fail('BAD_REQUEST', { message: 'A promotion leads from one environment to another.' })
  const app = await resources.mustGet<App>(by, { kind: 'App', namespace: team, name })
  const target = await resources.mustGet<Resource<EnvironmentSpec>>(by, { kind: 'Environment', namespace: team, name: to })
  const { deployments } = await readContext(resources, team, name)
  const releaseOf = async (environment: string): Promise<Release | undefined> => {
    const serving = servingDeployment(deployments, environment)
    return serving && resources.get<Release>(by, { kind: 'Release', namespace: team, name: releaseName(name, serving.spec.release) })
  }
  const source = await releaseOf(from)
  if (!source) throw fail('NO_SUCH_RELEASE', { message: `${name} has no release that serves in ${from}.`, fix: `Deploy it there first: pavior deploy --environment ${from}` })
  const built = await builtOf(resources, team, source)
  if (!built) throw fail('NO_SUCH_RELEASE', { message: `The build of ${name} v${source.spec.version} is not kept any more.`, fix: `Deploy it to ${from} again, then promote.` })
  const { after } = target.spec
  const earlier = after === undefined ? undefined : servingDeployment(deployments, after)
  const before = earlier && { artifact: (await releaseOf(after!))?.spec.artifact ?? '', since: new Date(earlier.status?.finishedAt ?? earlier.metadata.creationTimestamp) }
  return { app, source, built, target, serving: await releaseOf(to), before }
}

/** With as many instances as people asked for. */
function scaled(spec: ReleaseSpec, scale: Record<string, number> = {}): ReleaseSpec {
  return { ...spec, processes: Object.fromEntries(Object.entries(spec.processes).map(([process, one]) => [process, scale[process] === undefined ? one : { ...one, replicas: scale[process] }])) }
}

/** Names are enough to decide by, and some values are nobody's to read. */
function withoutValues({ configuration, ...rest }: ReleaseChanges): ReleaseChanges {
  const state = (value: string | undefined): string | undefined => (value === undefined ? undefined : '…')
  return { ...rest, configuration: configuration.map(({ name, before, after }) => ({ name, ...(before === undefined ? {} : { before: state(before)! }), ...(after === undefined ? {} : { after: state(after)! }) })) }
}

export interface ApprovalDeps {
  resources: Resources
  writers: Writers
  now: () => Date
}

/** Four eyes: whoever made the change, or asked for the deployment, does not approve it. */
export async function approve({ resources, writers, now }: ApprovalDeps, by: Actor, team: string, name: string): Promise<Deployment> {
  const key = { kind: 'Deployment', namespace: team, name }
  const deployment = await resources.mustGet<Deployment>(by, key)
  const environment = await resources.get<Resource<EnvironmentSpec>>(by, { kind: 'Environment', namespace: team, name: deployment.spec.environment })
  const { role = 'developer' } = environment?.spec.protection?.approvals ?? {}
  if (by.kind !== 'user') throw fail('APPROVAL_REFUSED', { message: `${by.name} is no person, so it cannot approve.` })
  if (!mayAct(by, 'approve', deploymentKind, team, { name, spec: deployment.spec }) || !holds(by, team, role)) throw fail('APPROVAL_REFUSED', { message: `${by.name} may not approve ${name}: it takes the role ${role} in team ${team}.` })
  if (!isActive(deployment)) throw fail('APPROVAL_REFUSED', { message: `${name} has ended already.`, fix: 'Deploy or promote again.' })
  if ((await makersOf(resources, writers, team, deployment)).has(by.name)) throw fail('APPROVAL_REFUSED', { message: `${by.name} made this change, and somebody else has to look at it.` })
  const at = now().toISOString()
  return resources.mutate<Deployment>(
    system,
    key,
    (current) => {
      const { approvals = [], ...status } = current!.status ?? {}
      if (approvals.some((approval) => approval.by === by.name)) throw fail('APPROVAL_REFUSED', { message: `${by.name} has approved ${name} already.` })
      return { ...current!, status: { ...status, approvals: [...approvals, { by: by.name, at }] } }
    },
    { subresource: 'status' },
  )
}

/** That a developer may approve, a role says that may do so; other roles have to be held. */
function holds({ admin, roles, grants = [] }: Actor, team: string, role: string): boolean {
  if (admin || role === 'developer' || roles.get(team) === 'admin') return true
  return grants.some((grant) => (grant.team === undefined || grant.team === team) && (grant.role === role || grant.role === 'platform-admin' || grant.member === 'admin'))
}

/** Configuration waits for a rollout under way before it becomes a release. */
const changeBeforeMs = 24 * 3600_000

async function makersOf(resources: Resources, writers: Writers, team: string, deployment: Deployment): Promise<Set<string>> {
  const { spec, metadata } = deployment
  const release = await resources.get<Release>(system, { kind: 'Release', namespace: team, name: releaseName(spec.app, spec.release) })
  const build = release?.spec.build === undefined ? undefined : await resources.get(system, { kind: 'Build', namespace: team, name: release.spec.build })
  const created = ({ kind, metadata: { name, creationTimestamp } }: Resource): Promise<string[]> => writers.of({ kind, team, name }, new Date(creationTimestamp), 'create')
  const changes = new Date(Date.parse(metadata.creationTimestamp) - changeBeforeMs)
  const wrote = await Promise.all([
    created(deployment),
    build ? created(build) : [],
    release?.spec.reason === configurationChanged ? writers.of({ kind: 'App', team, name: spec.app }, changes) : [],
  ])
  return new Set(wrote.flat())
}
