/** Whether a freeze holds now, and what it says of itself. Pure. */
import { freezeApplies, freezeHolds, type FreezePlace, type FreezeSpec } from '@pavior/contract'

export type FreezeState = 'Frozen' | 'Open' | 'To come' | 'Over'

export function freezeState(freeze: FreezeSpec, now: Date): FreezeState {
  const { from, until } = freeze
  if (until !== undefined && Date.parse(until) <= now.getTime()) return 'Over'
  if (from !== undefined && Date.parse(from) > now.getTime()) return 'To come'
  return freezeHolds(freeze, now) ? 'Frozen' : 'Open'
}

/** `eu, tier production`; both must be so. */
export function holdsText({ environments = [], tiers = [] }: FreezeSpec): string {
  const places = [...(environments.length > 0 ? [environments.join(', ')] : []), ...(tiers.length > 0 ? [`${tiers.length === 1 ? 'tier' : 'tiers'} ${tiers.join(', ')}`] : [])]
  return places.length === 0 ? 'every environment' : places.join(', ')
}

/** `fri, sat 22:00–06:00 Europe/Berlin`; undefined for a single period. */
export function weeklyText({ weekly, allows }: FreezeSpec): string | undefined {
  return weekly && `${allows ? 'outside of ' : ''}${weekly.days.join(', ')} ${weekly.from}–${weekly.to} ${weekly.timeZone}`
}

/** Why nothing may be deployed there now, a sentence each. */
export function frozenNow(freezes: readonly FreezeSpec[], place: FreezePlace, now: Date): string[] {
  return freezes.filter((freeze) => freezeApplies(freeze, place) && freezeState(freeze, now) === 'Frozen').map((freeze) => `Changes are frozen: ${freeze.reason}${freeze.weekly ? ` (${weeklyText(freeze)})` : ''}`)
}
