/** Objectives that the platform proposes for apps with traffic; people confirm, change or delete them. */
import { apiVersion, type AppSpec, type EnvironmentSpec, type Resource, type SloSpec } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { defaultEnvironment, type Slo } from './evaluate.ts'
import { actor } from './evaluator.ts'
import type { GoldenSignals } from './ports.ts'
import { noteDrafted, wasDrafted } from './store.ts'

const intervalMs = 60_000
/** Traffic of this time makes an app worth an objective. */
const trafficMs = 3600_000
export const tierLabel = 'pavior.dev/tier'
/** `off` on an App: it wants no proposals. */
export const draftsAnnotation = 'pavior.dev/slo-drafts'

interface Draft {
  name: string
  spec: SloSpec
}

/** What is proposed for an app in an environment. An app of tier 1 promises more. */
export function draftsFor(app: string, environment: string, tier: string | undefined): Draft[] {
  const first = tier === '1'
  const prefix = environment === defaultEnvironment ? app : `${app}-${environment}`
  const place = { app, environment, draft: true, window: { rolling: '28d' } }
  return [
    { name: `${prefix}-availability`, spec: { ...place, description: 'Requests are answered without a server error.', indicator: { golden: 'requests' }, objective: first ? 0.999 : 0.995 } },
    { name: `${prefix}-latency`, spec: { ...place, description: 'Requests are answered soon.', indicator: { golden: 'latency', thresholdMs: first ? 500 : 1000 }, objective: 0.99 } },
  ]
}

export interface DraftDeps {
  database: Database
  resources: Resources
  slos: Mirror<Slo>
  signals: Pick<GoldenSignals, 'minutes'>
  clock: Clock
}

/** At most once a minute: proposes what nobody has and nobody was proposed before. */
export function createDrafts(deps: DraftDeps): () => Promise<void> {
  let at = 0
  return async () => {
    if (deps.clock.now().getTime() - at < intervalMs) return
    at = deps.clock.now().getTime()
    await draftOnce(deps)
  }
}

export async function draftOnce({ database, resources, slos, signals, clock }: DraftDeps): Promise<void> {
  const busy = await signals.minutes.busyApps(new Date(clock.now().getTime() - trafficMs))
  const has = new Set([...slos.values()].flatMap(({ metadata, spec }) => (spec.indicator?.golden ? [`${metadata.namespace}/${spec.app}/${spec.environment ?? defaultEnvironment}/${spec.indicator.golden}`] : [])))
  for (const { team, app: name, environment } of busy) {
    if (['requests', 'latency'].every((golden) => has.has(`${team}/${name}/${environment}/${golden}`))) continue
    const [app, place] = await Promise.all([
      resources.get<Resource<AppSpec>>(actor, { kind: 'App', namespace: team, name }),
      resources.get<Resource<EnvironmentSpec>>(actor, { kind: 'Environment', namespace: team, name: environment }),
    ])
    if (!app || app.metadata.deletionTimestamp || place?.spec.tier !== 'production' || app.metadata.annotations?.[draftsAnnotation] === 'off') continue
    if (await wasDrafted(database, app.metadata.uid, environment)) continue
    const drafts = draftsFor(name, environment, app.metadata.labels?.[tierLabel]).filter(({ spec }) => !has.has(`${team}/${name}/${environment}/${spec.indicator!.golden}`))
    await database.transaction(async (tx) => {
      // The writes first: they take the counter that every writer takes first.
      for (const { name: slo, spec } of drafts) {
        const metadata = { name: slo, labels: { 'pavior.dev/app': name, 'pavior.dev/environment': environment }, ownerReferences: [{ apiVersion, kind: 'App', name, uid: app.metadata.uid, controller: true }] }
        await resources.mutate(actor, { kind: 'Slo', namespace: team, name: slo }, (current) => (current as never) ?? { metadata, spec }, { upsert: true, tx })
      }
      await noteDrafted(tx, app.metadata.uid, environment)
    })
  }
}
