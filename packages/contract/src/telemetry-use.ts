/** What an app uses of its limits of telemetry, and what was not taken, as the API gives it. */
export interface TelemetryUse {
  app: string
  metrics: { series: { used: number; limit: number }; pointsPerSecond: { limit: number } }
  logs: { linesPerSecond: { limit: number }; bytesPerSecond: { limit: number } }
  /** By reason, of the last `droppedDays` days. */
  dropped: { signal: 'metrics' | 'logs' | 'traces'; reason: string; meaning: string; /** Points of metrics, or lines. */ points: number; lastAt: string }[]
  droppedDays: number
}
