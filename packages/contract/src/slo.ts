/** What the API tells of an objective beyond its resource. */

export interface SloBurnShare {
  name: string
  bad: number
  /** Share of the budget: 1 is all of it. */
  ofBudget: number
}

export interface SloBurnRun {
  from: string
  until: string
  /** Minutes with bad ones. */
  minutes: number
  bad: number
  ofBudget: number
  /** Release with most of them. */
  release?: number
}

/** Who burned a budget. */
export interface SloBurns {
  used: number
  allowed: number
  releases: SloBurnShare[]
  causes: SloBurnShare[]
  /** Worst first. */
  runs: SloBurnRun[]
}

/** A budget over time; parallel arrays. */
export interface SloHistory {
  stepMinutes: number
  /** End of each step, seconds since the epoch. */
  times: number[]
  /** Share of the budget of the whole window that was left then; null before anything was counted. */
  remaining: (number | null)[]
  /** Share of good in the step. */
  sli: (number | null)[]
  bad: number[]
  total: number[]
}
