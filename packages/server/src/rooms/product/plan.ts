/** The first days of a person: steps by persona, ticked off by what really happened. Pure. */

/** What a person does for the first time. */
export type Milestone = 'invited' | 'signed-in' | 'connected' | 'built' | 'deployed' | 'changed' | 'shaped-team' | 'invited-somebody' | 'exempted'

export type Milestones = Partial<Record<Milestone, Date>>

/** Who somebody is to the platform, told from what they may do. */
export type Persona = 'developer' | 'team-lead' | 'platform-engineer'

export interface Step {
  milestone: Milestone
  title: string
  /** A command, or where in the portal. */
  how: string
  /** ISO 8601; absent while it is not done. */
  doneAt?: string
}

export interface Onboarding {
  persona: Persona
  steps: Step[]
  /** From the invitation to the first deploy that succeeded; absent until there is one. */
  secondsToFirstDeploy?: number
}

const titles: Record<Milestone, { title: string; how: string }> = {
  invited: { title: 'Be invited', how: 'An administrator adds you.' },
  'signed-in': { title: 'Sign in to the portal', how: 'pavior users login-link <name>' },
  connected: { title: 'Connect the command line', how: 'pavior login <url>' },
  built: { title: 'Push your first code', how: 'cd your-app && pavior deploy' },
  deployed: { title: 'See it live', how: 'pavior open' },
  changed: { title: 'Change a running app', how: 'pavior config set GREETING=hello' },
  'shaped-team': { title: 'Set up your team', how: '/teams' },
  'invited-somebody': { title: 'Invite somebody', how: '/people' },
  exempted: { title: 'Agree on an exemption', how: '/scorecards' },
}

const paths: Record<Persona, Milestone[]> = {
  developer: ['signed-in', 'connected', 'built', 'deployed', 'changed'],
  'team-lead': ['signed-in', 'shaped-team', 'connected', 'built', 'deployed', 'changed'],
  'platform-engineer': ['signed-in', 'connected', 'deployed', 'invited-somebody', 'shaped-team'],
}

export function personaOf({ admin, roles }: { admin: boolean; roles: ReadonlyMap<string, string> }): Persona {
  if (admin) return 'platform-engineer'
  return [...roles.values()].includes('admin') ? 'team-lead' : 'developer'
}

export function onboardingOf(persona: Persona, milestones: Milestones): Onboarding {
  const seconds = secondsToFirstDeploy(milestones)
  return {
    persona,
    steps: paths[persona].map((milestone) => {
      const at = milestones[milestone]
      return { milestone, ...titles[milestone], ...(at === undefined ? {} : { doneAt: at.toISOString() }) }
    }),
    ...(seconds === undefined ? {} : { secondsToFirstDeploy: seconds }),
  }
}

function secondsToFirstDeploy({ invited, deployed }: Milestones): number | undefined {
  return invited === undefined || deployed === undefined ? undefined : Math.max(0, Math.round((deployed.getTime() - invited.getTime()) / 1000))
}

export interface OnboardingSummary {
  people: number
  /** How many have reached each milestone: the funnel. */
  reached: Record<Milestone, number>
  /** Half of those who deployed needed less; null without any. */
  medianSecondsToFirstDeploy: number | null
}

export function summaryOf(everyone: Milestones[]): OnboardingSummary {
  const names = Object.keys(titles) as Milestone[]
  const times = everyone.flatMap((one) => secondsToFirstDeploy(one) ?? []).toSorted((one, other) => one - other)
  return {
    people: everyone.length,
    reached: Object.fromEntries(names.map((name) => [name, everyone.filter((one) => one[name] !== undefined).length])) as Record<Milestone, number>,
    medianSecondsToFirstDeploy: times.length === 0 ? null : (times[Math.floor((times.length - 1) / 2)]! + times[Math.floor(times.length / 2)]!) / 2,
  }
}
