/** What applying a repository means. Pure. */
import type { ConfigItem, ConfigPlan, Resource } from '@pavior/contract'
import { changedPaths, type Declared } from './parse.ts'

export const repoLabel = 'pavior.dev/config-repo'
export const fileAnnotation = 'pavior.dev/config-file'
export const manualAnnotation = 'pavior.dev/manual-change'

export function managerOf(repo: string): string {
  return `configrepo:${repo}`
}

/** What others stand on comes first. */
const order = ['Team', 'Environment', 'Quota', 'PlatformFreeze', 'Freeze', 'Policy', 'Secret', 'App']

export function inOrder<T extends Pick<Declared, 'kind' | 'name'>>(declared: readonly T[]): T[] {
  const place = ({ kind }: T): number => (order.includes(kind) ? order.indexOf(kind) : order.length)
  return declared.toSorted((one, other) => place(one) - place(other) || (`${one.kind}/${one.name}` < `${other.kind}/${other.name}` ? -1 : 1))
}

/** A declared resource as it is, and as it would be. */
export interface Looked {
  declared: Declared
  live: Resource | undefined
  next: Pick<Resource, 'spec'> & { metadata: Partial<Resource['metadata']> }
}

export function actionOf({ declared, live, next }: Looked): ConfigPlan['actions'][number] {
  const item = { kind: declared.kind, name: declared.name, file: declared.file }
  if (live === undefined) return { ...item, action: 'create', fields: [] }
  const seen = ({ spec, metadata: { labels = {}, annotations = {} } }: Looked['next']): object => ({ metadata: { labels, annotations }, spec })
  const all = changedPaths(seen(live), seen(next))
  const fields = all.filter((field) => !ours.has(field))
  return { ...item, action: all.length > 0 ? 'change' : 'unchanged', fields: all.length > 0 && fields.length === 0 ? ['declared here from now on'] : fields }
}

/** What the platform notes on a resource is nothing that people declared. */
const ours = new Set([`metadata.labels.${repoLabel}`, `metadata.annotations.${fileAnnotation}`])

/** What it owned and declares no longer. */
export function toPrune(inventory: readonly ConfigItem[], declared: readonly Pick<Declared, 'kind' | 'name'>[]): ConfigItem[] {
  const wanted = new Set(declared.map(({ kind, name }) => `${kind}/${name}`))
  return inOrder(inventory.filter(({ kind, name }) => !wanted.has(`${kind}/${name}`))).toReversed()
}

const kept = 20

/** The newest first; the same commit again takes the place of what was said of it before. */
export function withCommit<T extends { commit: string }>(commits: readonly T[], entry: T): T[] {
  return [entry, ...commits.filter(({ commit }) => commit !== entry.commit)].slice(0, kept)
}
