/** Which release of an app is the newest that serves anywhere, and where its source lies. */
import type { AppSpec, AppStatus, ReleaseSpec, Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Serving } from './docs/take.ts'

export interface ServingRelease {
  release: Resource<ReleaseSpec>
  /** Undefined when the release does not say what it was built from. */
  source: Serving | undefined
}

export async function servingOf(resources: Resources, actor: Actor, app: Resource<AppSpec, AppStatus>): Promise<ServingRelease | undefined> {
  const { name, namespace: team = '' } = app.metadata
  const newest = Math.max(0, ...Object.values(app.status?.environments ?? {}).map(({ release }) => release ?? 0))
  if (newest === 0) return undefined
  const labels = Object.entries({ 'pavior.dev/app': name, 'pavior.dev/number': String(newest) }).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] }))
  const [release] = (await resources.list<Resource<ReleaseSpec>>(actor, 'Release', team, { labels, limit: 1 })).items
  if (release === undefined) return undefined
  const { source, commit, type } = release.spec.revision ?? {}
  return { release, source: source === undefined ? undefined : { team, app: name, release: newest, source, ...(app.spec.build?.directory ? { directory: app.spec.build.directory } : {}), ...(commit && type === 'git' ? { commit } : {}) } }
}
