/** What game days need from others: to inject, to see, and to know when to stop. */
import type { FaultReports, FaultTarget, GameDayFigures, ObservedState, WantedFaults } from '@pavior/contract'

export interface Place {
  team: string
  app: string
  environment: string
}

export interface FaultInjector {
  /** What runs, as it is now. */
  current: () => Promise<ObservedState>
  /** Replaces the faults in force. */
  inject: (wanted: WantedFaults) => Promise<FaultReports>
  /** What they reached. */
  injected: () => Promise<FaultReports>
}

export interface GameDayTools {
  injector: FaultInjector
  /** As the router counted in whole intervals. */
  figures: (place: Place, from: Date, until: Date) => Promise<GameDayFigures>
  /** The only value of a PromQL query now; undefined when it gives none. Throws coded when it cannot be asked. */
  value: (team: string, query: string, at: Date) => Promise<number | undefined>
  /** Throws QUERY_INVALID. */
  check: (query: string) => Promise<void>
  /** Instances of an app in an environment that are healthy. */
  serving: (place: Place) => Promise<FaultTarget[]>
  /** This server ends as if it had crashed, and does not come back before. */
  leave: (until: Date) => Promise<void>
}
