/** What was taken back is not put there again until something new was pushed. Pure. */
import { fail, type AppSpec, type Pin, type PaviorError, type ReleaseSpec } from '@pavior/contract'
import type { Built } from './snapshot.ts'

/** Undefined where only configuration differs: the artifact is the same, and good. */
export function pinOf(good: ReleaseSpec, bad: ReleaseSpec, reason: string): Pin | undefined {
  if (good.artifact === bad.artifact) return undefined
  const commit = bad.revision?.commit
  return { release: good.version, artifact: good.artifact, out: { release: bad.version, artifact: bad.artifact, ...(commit === undefined ? {} : { commit }) }, reason: reason.slice(0, 500) }
}

export function withPin(spec: AppSpec, environment: string, pin: Pin): AppSpec {
  return { ...spec, pinned: { ...spec.pinned, [environment]: pin } }
}

/** Another revision goes there now, so nothing is pinned any more; the good one again changes nothing. */
export function afterRelease(spec: AppSpec, environment: string, built: Built): AppSpec {
  const { pinned, ...rest } = spec
  if (!pinned?.[environment] || pinned[environment].artifact === built.artifact) return spec
  const { [environment]: _, ...others } = pinned
  return Object.keys(others).length > 0 ? { ...rest, pinned: others } : rest
}

export function isPinnedOut({ pinned }: AppSpec, environment: string, { artifact, revision }: Pick<Built, 'artifact' | 'revision'>): boolean {
  const out = pinned?.[environment]?.out
  return out !== undefined && (out.artifact === artifact || (out.commit !== undefined && out.commit === revision?.commit))
}

export function pinnedOut({ pinned }: AppSpec, app: string, environment: string): PaviorError {
  const { out, release, reason } = pinned![environment]!
  return fail('REVISION_PINNED_OUT', {
    message: `${app} v${out.release} was taken back from ${environment}, so the same revision is not put there again.`,
    why: reason,
    state: `v${release} is what ${environment} was taken back to.`,
    facts: { environment, release: out.release, artifact: out.artifact },
  })
}
