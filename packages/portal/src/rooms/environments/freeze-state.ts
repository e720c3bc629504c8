/** Whether a freeze holds now, and what it says of itself. Pure. */
import type { FreezeSpec } from '@pavior/contract'

export type FreezeState = 'Frozen' | 'Open' | 'To come' | 'Over'

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
type Weekly = NonNullable<FreezeSpec['weekly']>

export function freezeState({ from, until, weekly, allows }: FreezeSpec, now: Date): FreezeState {
  if (until !== undefined && Date.parse(until) <= now.getTime()) return 'Over'
  if (from !== undefined && Date.parse(from) > now.getTime()) return 'To come'
  if (weekly === undefined) return 'Frozen'
  return isWithin(weekly, now) === (allows === true) ? 'Open' : 'Frozen'
}

function isWithin({ days: named, from, to, timeZone }: Weekly, now: Date): boolean {
  const parts = Object.fromEntries(new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(now).map(({ type, value }) => [type, value]))
  const today = days.indexOf(parts.weekday!.toLowerCase() as (typeof days)[number])
  const time = `${parts.hour}:${parts.minute}`
  const on = (day: number): boolean => named.includes(days[(day + 7) % 7]!)
  if (from < to) return on(today) && time >= from && time < to
  // Over midnight: it belongs to the day on which it begins.
  return (on(today) && time >= from) || (on(today - 1) && time < to)
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

export interface Place {
  environment: string
  tier: string
}

function appliesTo({ environments, tiers }: FreezeSpec, place: Place): boolean {
  return (environments === undefined || environments.includes(place.environment)) && (tiers === undefined || tiers.includes(place.tier as never))
}

/** Why nothing may be deployed there now, a sentence each. */
export function frozenNow(freezes: readonly FreezeSpec[], place: Place, now: Date): string[] {
  return freezes.filter((freeze) => appliesTo(freeze, place) && freezeState(freeze, now) === 'Frozen').map((freeze) => `Changes are frozen: ${freeze.reason}${freeze.weekly ? ` (${weeklyText(freeze)})` : ''}`)
}
