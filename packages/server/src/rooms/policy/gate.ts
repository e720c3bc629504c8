/** Where policies are asked: at every write, at the end of a build, and of what lives. */
import { isDeepStrictEqual } from 'node:util'
import { fail, type AppSpec, type AppStatus, type BuildSpec, type BuildStatus, type DeploymentSpec, type EnvironmentSpec, type ReleaseSpec, type Resource } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Tx } from '../../kernel/db/index.ts'
import type { Mirror } from '../../kernel/resources/mirror.ts'
import { appOf, type Admission, type AdmissionRequest, type Resources } from '../../kernel/resources/index.ts'
import type { Engine } from './engine.ts'
import { budgetFacts, declaredApp, deployFacts, buildFacts, type App, type Made } from './facts.ts'
import type { Notes } from './notes.ts'
import { denialOf, denies, warningText, warns, worstFirst, type Subject } from './plan.ts'

const system = systemActor('policy')
/** Whoever may change these decides on policies; a policy cannot lock them out. */
const neverJudged = new Set(['Policy', 'PolicyException', 'Quota'])

export type Build = Resource<BuildSpec, BuildStatus>
type Deployment = Resource<DeploymentSpec>

export interface GateDeps {
  resources: Resources
  engine: Engine
  notes: Notes
  environments: Mirror<Resource<EnvironmentSpec>>
  /** What is known of an artifact beyond its files: parts, licences, holes, signature. */
  artifactFacts: (team: string, app: string, digest: string) => Promise<object>
  /** Declared objectives of an app in an environment, with the share of the budget that is left where it is known. */
  budgets: (team: string, app: string, environment: string) => readonly { name: string; remaining: number | undefined }[]
}

/** How many rules were asked, and what they warn of. */
export interface Checked {
  rules: number
  warnings: string[]
}

export interface Gate {
  admission: Admission
  /** Refuses a build that ended well, or the deploy that would follow from it. `build` carries the status that it will have. */
  admitBuild(build: Build): Promise<Checked>
  deploySubject(app: App, environment: string, made: Made | undefined, who: { user: string; point: 'deploy' | 'sweep'; object?: Deployment }): Subject
  /** A release with what is known of its artifact. */
  madeOf(team: string, release: ReleaseSpec | undefined): Promise<Made | undefined>
  tierOf(team: string, environment: string): string
}

export function createGate({ resources, engine, notes, environments, artifactFacts, budgets }: GateDeps): Gate {
  const tiers = ['development', 'staging', 'production', 'preview']
  /** One that is not there yet is taken for what its name says, else for the one that asks for most care. */
  const tierOf = (team: string, environment: string): string => environments.get(team, environment)?.spec.tier ?? (tiers.includes(environment) ? environment : 'production')

  const check = async (subject: Subject, dryRun: boolean): Promise<Checked> => {
    const judged = engine.judge(subject, await engine.decisions(subject))
    await notes.note(subject, judged, dryRun)
    const refused = judged.flatMap(({ policy, verdicts }) => verdicts.filter((verdict) => denies(policy, verdict)))
    if (refused.length > 0) throw fail('POLICY_DENIED', denialOf(refused, subject, engine.title))
    return { rules: judged.reduce((sum, { verdicts }) => sum + verdicts.length, 0), warnings: worstFirst(judged.flatMap(({ policy, verdicts }) => verdicts.filter((verdict) => warns(policy, verdict)))).map(warningText) }
  }

  const deploySubject: Gate['deploySubject'] = (app, environment, made, { user, point, object }) => {
    const team = app.metadata.namespace!
    return {
      point,
      verb: 'create',
      kind: 'Deployment',
      object: object ?? { apiVersion: app.apiVersion, kind: 'Deployment', metadata: { ...app.metadata, name: `${app.metadata.name}-${environment}` }, spec: { app: app.metadata.name, environment } },
      oldObject: undefined,
      user,
      team,
      app: app.metadata.name,
      environment,
      tier: tierOf(team, environment),
      facts: { target: environments.get(team, environment)?.spec.target ?? 'local', ...deployFacts(app, environment, made), ...budgetFacts(budgets(team, app.metadata.name, environment)) },
    }
  }

  const madeOf: Gate['madeOf'] = async (team, release) => release && { ...release, artifactFacts: await artifactFacts(team, release.app, release.artifact) }

  const releaseOf = async (team: string, app: string, version: number | undefined, tx: Tx | undefined): Promise<Made | undefined> =>
    version === undefined ? undefined : madeOf(team, (await resources.get<Resource<ReleaseSpec>>(system, { kind: 'Release', namespace: team, name: `${app}-v${version}` }, tx))?.spec)

  /** A change of an App is a deploy into every environment where it serves. */
  const deploysOf = async ({ actor, kind, verb, object, tx }: AdmissionRequest): Promise<Subject[]> => {
    const team = object.metadata.namespace ?? ''
    if (kind.kind === 'Deployment' && verb === 'create') {
      const deployment = object as unknown as Deployment
      const app = await resources.get<App>(system, { kind: 'App', namespace: team, name: deployment.spec.app }, tx)
      const release = await releaseOf(team, deployment.spec.app, deployment.spec.release, tx)
      return app ? [deploySubject(app, deployment.spec.environment, release, { user: actor.name, point: 'deploy', object: deployment })] : []
    }
    if (kind.kind !== 'App' || verb !== 'update' || actor.kind === 'system') return []
    const serving = Object.entries((object.status as AppStatus | undefined)?.environments ?? {}).filter(([, { release }]) => release !== undefined)
    const subjects: Subject[] = []
    for (const [environment, { release }] of serving) {
      subjects.push(deploySubject(object as unknown as App, environment, await releaseOf(team, object.metadata.name, release, tx), { user: actor.name, point: 'deploy' }))
    }
    return subjects
  }

  return {
    tierOf,
    deploySubject,
    madeOf,
    admission: async (request) => {
      const { actor, verb, object, previous, kind, dryRun, warnings } = request
      if (neverJudged.has(kind.kind) || !isJudged(request)) return
      const subjects = [...(actor.kind === 'system' ? [] : [writeSubject(actor, verb, object, previous, tierOf)]), ...(await deploysOf(request))]
      const told: string[] = []
      for (const subject of subjects) told.push(...(await check(subject, dryRun || (actor.kind === 'system' && kind.kind === 'Deployment'))).warnings)
      warnings?.push(...new Set(told))
    },
    admitBuild: async (build) => {
      const { metadata, spec, status } = build
      const team = metadata.namespace!
      const made: Made = { ...status, revision: spec.revision, ...(status?.artifact === undefined ? {} : { artifactFacts: await artifactFacts(team, spec.app, status.artifact) }) }
      const base = { verb: 'update' as const, oldObject: undefined, user: 'system:delivery', team, app: spec.app, environment: spec.environment, tier: spec.environment === undefined ? undefined : tierOf(team, spec.environment) }
      const built = await check({ ...base, point: 'build', kind: 'Build', object: build as Resource, facts: { build: buildFacts(made) } }, false)
      if (spec.environment === undefined) return built
      const app = await resources.get<Resource<AppSpec>>(system, { kind: 'App', namespace: team, name: spec.app })
      if (!app) return built
      const subject = deploySubject(declaredApp(app, status?.declared), spec.environment, made, { user: 'system:delivery', point: 'deploy' })
      const deploy = await check({ ...subject, object: { ...subject.object, metadata: { ...subject.object.metadata, name: metadata.name } } }, false)
      return { rules: built.rules + deploy.rules, warnings: [...built.warnings, ...deploy.warnings] }
    },
  }
}

/** A status that is written, metadata that only the platform looks at, and what is being deleted already are nobody's change. */
function isJudged({ verb, object, previous, actor, kind }: AdmissionRequest): boolean {
  if (verb === 'delete') return actor.kind !== 'system'
  if (actor.kind === 'system' && kind.kind !== 'Deployment') return false
  if (object.metadata.deletionTimestamp || (kind.kind === 'Deployment' && isWayBack(object.spec as DeploymentSpec))) return false
  if (!previous) return true
  const asked = ({ spec, metadata: { labels, annotations } }: Resource): unknown => [spec, labels ?? {}, annotations ?? {}]
  return !isDeepStrictEqual(asked(object), asked(previous))
}

/** A rollback, and a rollout that is taken back: no rule stands in the way of what served before. */
function isWayBack({ rollbackTo, canceled }: DeploymentSpec): boolean {
  return rollbackTo === true || canceled === true
}

export function writeSubject(actor: Pick<Actor, 'name'>, verb: Subject['verb'], object: Resource, previous: Resource | undefined, tierOf: Gate['tierOf'], point: 'admission' | 'sweep' = 'admission'): Subject {
  const { kind, metadata } = object
  const team = metadata.namespace ?? (kind === 'Team' ? metadata.name : '')
  const { environment: named, tier, preview } = object.spec as { environment?: unknown; tier?: unknown; preview?: { ttlHours: number } }
  const environment = kind === 'Environment' ? metadata.name : typeof named === 'string' ? named : undefined
  return {
    point,
    verb,
    kind,
    object,
    oldObject: previous,
    user: actor.name,
    team,
    app: appOf(kind, metadata.name, object.spec),
    environment,
    tier: kind === 'Environment' ? String(tier) : environment === undefined ? undefined : tierOf(team, environment),
    facts: kind === 'Environment' && preview ? { ttlHours: preview.ttlHours } : {},
  }
}
