/** What objectives need from others to be measured. */
import type { MinuteCounts, TrafficMinutes } from '../../telemetry/index.ts'

export type { MinuteCounts }

/** Traffic, and when its counts were last taken. */
export interface GoldenSignals {
  minutes: TrafficMinutes
  takenAt: () => Date
}

export interface QueryResult {
  labels: Record<string, string>
  value: number
}

/** Asks the metrics of one team at one moment (PromQL), or those of one of its MetricSources. Throws when it cannot be told. */
export type Query = (team: string, text: string, at: Date, source?: string) => Promise<QueryResult[]>
