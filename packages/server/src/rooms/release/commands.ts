/** Writes of several resources at once: a release with its deployment, a rollback. Numbers are counted in the same transaction. */
import { fail, type AppSpec, type DeploymentSpec, type EnvironmentSpec, type EnvironmentStatus, type ReleaseSpec, type Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Database, Tx } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { actor as system, readContext, servingDeployment, type App, type Deployment, type Release } from './context.ts'
import type { SecretsReads } from '../secrets/index.ts'
import { deploymentName, isPreview, labels, ownedBy, previewLabel, releaseName } from './names.ts'
import { afterRelease, isPinnedOut, pinnedOut, pinOf, withPin } from './pins.ts'
import { configAnnotation, configDigest, secretsAnnotation, snapshot, withSecrets, type Built } from './snapshot.ts'
import { nextNumber } from './store.ts'
import type { StrategyWish } from './strategy.ts'

export interface ReleaseDeps {
  database: Database
  resources: Resources
  secrets: Pick<SecretsReads, 'givenIn' | 'missing'>
}

export interface ReleaseRequest {
  team: string
  app: App
  /** The App as it shall be from now on; the same transaction writes it. */
  spec: AppSpec
  environment: string
  built: Built
  /** Take everything but the secrets from this release. */
  copyOf?: ReleaseSpec
  reason: string
  /** Asked once no other write can come between: a release that is no longer wanted is not made. Throws to refuse. */
  still?: (tx: Tx) => Promise<void>
  /** Who asked for the deployment; default: the platform itself. */
  by?: Actor
  wish?: DeploymentWish
  /** Although it was taken back from there. */
  allowPinned?: boolean
  /** For a preview, and when: `spec` is what its branch declares, and the App stays as it is. */
  preview?: { at: string }
}

/** What a deployment may be asked for beside its release. */
export type DeploymentWish = StrategyWish & Pick<DeploymentSpec, 'promotedFrom' | 'notBefore'>

/** Reason of a release that brings no new artifact. */
export const configurationChanged = 'configuration changed'

/** Release and Deployment in one transaction; the App's spec too when it changes with them. */
export async function createRelease({ database, resources, secrets }: ReleaseDeps, { team, app, spec, environment, built, copyOf, reason, still, by = system, wish, preview, allowPinned = false }: ReleaseRequest): Promise<{ release: Release; deployment: Deployment }> {
  const name = app.metadata.name
  // What is pinned is the App's as it is in the transaction.
  const { pinned: _, ...declared } = spec
  return database.transaction(async (tx) => {
    // The App first: it takes the counter of versions, which every writer takes first.
    if (preview) await noteActivity(resources, team, environment, preview.at, tx)
    else await resources.mutate<App>(system, { kind: 'App', namespace: team, name }, (current) => {
      if (!allowPinned && isPinnedOut(current!.spec, environment, built)) throw pinnedOut(current!.spec, name, environment)
      return { ...current!, spec: { ...declared, ...settingsOf(afterRelease(current!.spec, environment, built)) } }
    }, { tx })
    await still?.(tx)
    const given = (await secrets.givenIn(team, name, [environment], tx)).get(environment)!
    const version = await nextNumber(tx, `release/${team}/${name}`)
    const release = await resources.create<Release>(
      system,
      'Release',
      team,
      {
        metadata: {
          name: releaseName(name, version),
          labels: { [labels.app]: name, [labels.environment]: environment, [labels.number]: String(version), ...previewLabel(preview !== undefined), ...(built.build === undefined ? {} : { [labels.build]: built.build }) },
          ownerReferences: ownedBy(app),
        },
        spec: copyOf ? withSecrets(copyOf, given.refs, version, reason) : snapshot(name, spec, environment, built, given.refs, version, reason),
      },
      { tx },
    )
    const deployment = await createDeployment(resources, by, { team, app: { ...app, spec: { ...spec, ...settingsOf(app.spec) } }, environment, version, reason, secrets: given.mark, build: built.build, wish, preview: preview !== undefined }, tx)
    return { release, deployment }
  })
}

/** Writes the Environment in place of the App, and so takes the counter first too. A preview that is gone meanwhile gets no release. */
async function noteActivity(resources: Resources, team: string, name: string, activeAt: string, tx: Tx): Promise<void> {
  await resources.mutate<Resource<EnvironmentSpec, EnvironmentStatus>>(
    system,
    { kind: 'Environment', namespace: team, name },
    (current) => ({ ...current!, status: { ...current!.status, preview: { ...current!.status?.preview, activeAt } } }),
    { tx, subresource: 'status' },
  )
}

/** What people set beside the manifest; a deploy never takes it back. */
export function settingsOf({ config, scale, restart, pinned }: AppSpec): AppSpec {
  return { ...(config && { config }), ...(scale && { scale }), ...(restart && { restart }), ...(pinned && { pinned }) }
}

interface DeploymentRequest {
  team: string
  app: App
  environment: string
  version: number
  reason: string
  /** Mark of the secrets that are in force. */
  secrets: string
  build?: string
  wish?: DeploymentWish
  preview?: boolean
}

async function createDeployment(resources: Resources, by: Actor, { team, app, environment, version, reason, secrets, build, wish, preview = false }: DeploymentRequest, tx: Parameters<typeof nextNumber>[0]): Promise<Deployment> {
  const name = app.metadata.name
  const number = await nextNumber(tx, `deployment/${team}/${name}`)
  return resources.create<Deployment>(
    by,
    'Deployment',
    team,
    {
      metadata: {
        name: deploymentName(name, environment, number),
        labels: { [labels.app]: name, [labels.environment]: environment, [labels.number]: String(number), ...previewLabel(preview), ...(build === undefined ? {} : { [labels.build]: build }) },
        annotations: { [configAnnotation]: configDigest(app.spec, environment), ...(secrets === '' ? {} : { [secretsAnnotation]: secrets }) },
        ownerReferences: ownedBy(app),
      },
      spec: { app: name, environment, release: version, ...wish, reason },
    },
    { tx },
  )
}

/** Puts an earlier release into an environment again: its artifact and its configuration. */
export async function rollBack({ database, resources, secrets }: ReleaseDeps, by: Actor, team: string, appName: string, environment: string, to: number | undefined): Promise<Deployment> {
  const app = await resources.mustGet<App>(by, { kind: 'App', namespace: team, name: appName })
  const { deployments } = await readContext(resources, team, appName)
  const serving = servingDeployment(deployments, environment)?.spec.release
  const version = to ?? previousVersion(deployments, environment, serving)
  if (version === undefined) throw fail('NO_SUCH_RELEASE', { message: `${appName} has no earlier release in ${environment} to go back to.` })
  const release = await resources.get<Release>(by, { kind: 'Release', namespace: team, name: releaseName(appName, version) })
  if (!release) throw fail('NO_SUCH_RELEASE', { message: `${appName} has no release v${version}.`, fix: `See pavior releases --app ${appName}.` })
  const [gone] = await secrets.missing(release.spec.secrets ?? [])
  if (gone) {
    throw fail('SECRET_REVOKED', {
      message: `v${version} of ${appName} was released with version ${gone.version} of the secret ${gone.key}, which is revoked or removed.`,
      fix: `Roll back to a later release, or deploy that source again: it gets the secrets of today.`,
      state: 'What serves goes on serving.',
    })
  }
  const { mark } = (await secrets.givenIn(team, appName, [environment])).get(environment)!
  const from = serving === undefined ? undefined : await resources.get<Release>(by, { kind: 'Release', namespace: team, name: releaseName(appName, serving) })
  return database.transaction(async (tx) => {
    if (from && version < serving!) await pinOut(resources, team, appName, environment, { good: release, bad: from, reason: `Rolled back to v${version} by ${by.name}.` }, tx)
    return createDeployment(resources, by, { team, app, environment, version, reason: `rollback to v${version}`, secrets: mark, wish: { rollbackTo: true }, preview: isPreview(release) }, tx)
  })
}

/** Notes on the App what an environment was taken back from. A preview is pushed again all the time. */
export async function pinOut(resources: Resources, team: string, app: string, environment: string, { good, bad, reason }: { good: Release; bad: Release; reason: string }, tx?: Tx): Promise<void> {
  const pin = pinOf(good.spec, bad.spec, reason)
  if (!pin || isPreview(bad)) return
  await resources.mutate<App>(system, { kind: 'App', namespace: team, name: app }, (current) => ({ ...current!, spec: withPin(current!.spec, environment, pin) }), tx ? { tx } : {}).catch(ignore('NOT_FOUND'))
}

/** The last release that served before the one that serves now. */
function previousVersion(deployments: Deployment[], environment: string, serving: number | undefined): number | undefined {
  const served = deployments.filter(({ spec, status }) => spec.environment === environment && status?.phase === 'Succeeded').map(({ spec }) => spec.release)
  return served.findLast((version) => version !== serving)
}
