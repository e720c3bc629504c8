/** Runs each job again and again: never twice at once, never longer than it may, and to its end when asked to stop. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Job } from './jobs.js'

export type Report = (outcome: { job: string; ms: number; error?: Error; result?: Record<string, unknown> }) => void

/** Resolves when the signal has ended and the last run is over. */
export async function schedule(jobs: readonly Job[], signal: AbortSignal, report: Report): Promise<void> {
  await Promise.all(jobs.map((job) => repeat(job, signal, report)))
}

async function repeat(job: Job, signal: AbortSignal, report: Report): Promise<void> {
  while (!signal.aborted) {
    await once(job, signal, report)
    await delay(job.everyMs, undefined, { signal }).catch(() => {})
  }
}

/** A job that fails is tried again at its next turn. */
async function once({ name, timeoutMs, run }: Job, signal: AbortSignal, report: Report): Promise<void> {
  const began = performance.now()
  const took = (): number => Math.round(performance.now() - began)
  try {
    const result = await run(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
    report({ job: name, ms: took(), result })
  } catch (error) {
    report({ job: name, ms: took(), error: error as Error })
  }
}
