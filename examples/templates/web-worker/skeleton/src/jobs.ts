/** What the worker does, and how often. A job gets a signal that ends when it has to stop. */
export interface Job {
  name: string
  everyMs: number
  /** Longest duration; the signal ends after it. */
  timeoutMs: number
  run: (signal: AbortSignal) => Promise<Record<string, unknown>>
}

export const jobs: Job[] = [
  {
    name: 'memory-report',
    everyMs: 60_000,
    timeoutMs: 5000,
    // An example that needs nothing: put your own work here.
    run: async () => ({ residentMib: Math.round(process.memoryUsage().rss / 1024 / 1024) }),
  },
]
