/** Whose series the platform's own are. */
import { platformTeam } from '@pavior/contract'

/** Owner of what the platform measures of itself, in the store. */
const own = ''

/** The team that runs the platform sees what the platform measures of itself. */
export function withOwn(teams: readonly string[]): readonly string[] {
  return teams.includes(platformTeam) ? [...teams, own] : teams
}
