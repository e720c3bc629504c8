/** What an app uses of its limits of telemetry, and what was not taken, as the API gives it. */
export interface TelemetryUse {
  app: string
  metrics: { series: { used: number; limit: number }; pointsPerSecond: { limit: number } }
  /** By reason, of the last `droppedDays` days. */
  dropped: { reason: string; meaning: string; points: number; lastAt: string }[]
  droppedDays: number
}
