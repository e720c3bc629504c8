import type { EnvironmentSpec } from '@pavior/contract'

/** How soon instances of an environment are frozen, in ms; undefined for never. */
export function sleepAfterMsOf(spec: EnvironmentSpec | undefined): number | undefined {
  return spec?.sleepAfterMinutes ? Math.max(1, Math.round(spec.sleepAfterMinutes * 60_000)) : undefined
}
