/** What alerts need from others to tell what holds. */

/** How many lines of an app's log there were in a time. */
export interface LogCounts {
  count(of: { team: string; app: string; environment: string; match: string; level: string | undefined; from: Date; until: Date }): Promise<number>
}

export interface ProbeTarget {
  /** Address as users know it. */
  url: string
  /** Asked through the router of this machine, whatever the name of the host resolves to. */
  throughRouter: boolean
  timeoutMs: number
  /** Status that is fine; undefined: any of 2xx. */
  status: number | undefined
}

export interface ProbeAnswer {
  ok: boolean
  tookMs: number
  /** What was wrong, in a few words. */
  text: string | undefined
}

/** Asks an address once. Never throws. */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeAnswer>

export interface AppName {
  team: string
  app: string
}

/** Apps that this one calls, as far as the platform saw or knows. */
export type Calls = (app: AppName) => Promise<AppName[]>
