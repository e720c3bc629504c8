/** Asks the instances of apps that declare an endpoint for Prometheus what they measure. */
import type { Clock } from '../../../kernel/clock.ts'
import { deadline } from '../../../kernel/deadline.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { inParallel } from '../../../kernel/in-parallel.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Instances, RunningInstance } from '../ports.ts'
import { parseExposition } from './exposition.ts'
import type { Incoming, Ingest } from './ingest.ts'
import { incomingName, labelsOf, type OwnLabels } from './names.ts'
import type { MetricMetadata } from './series.ts'
import { takeTurns } from './store.ts'

const lookEveryMs = 1000
const defaultIntervalSeconds = 15
const longestScrapeMs = 10_000
const largestAnswerBytes = 4 * 1024 * 1024
const atOnce = 8
const accept = 'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8'

export interface ScrapeDeps {
  database: Database
  ingest: Ingest
  instances: Instances
  clock: Clock
  log: Logger
}

/** Asks whoever is due, whichever server looks; returns how many answered. */
export async function scrapeOnce(deps: ScrapeDeps, signal: AbortSignal): Promise<number> {
  const targets = deps.instances.known().filter(({ metrics, port, asleep }) => metrics !== undefined && port !== undefined && !asleep)
  const due = await takeTurns(deps.database, targets.map((target) => ({ name: turnOf(target), everyMs: intervalMs(target) })))
  const answers = await inParallel(targets.filter((target) => due.has(turnOf(target))), atOnce, (target) => scrape(target, deps, signal))
  return answers.filter(Boolean).length
}

function turnOf({ id }: RunningInstance): string {
  return `scrape/${id}`
}

function intervalMs({ metrics }: RunningInstance): number {
  return (metrics?.intervalSeconds ?? defaultIntervalSeconds) * 1000
}

/** Whether the instance answered. `up` says it, as with Prometheus. */
async function scrape(target: RunningInstance, { ingest, clock }: ScrapeDeps, signal: AbortSignal): Promise<boolean> {
  const { team, app } = target
  const own: OwnLabels = { team, app, environment: target.environment, release: String(target.release), instance: target.id }
  const job: [string, string][] = [['job', `${app}/${target.process}`]]
  const begunMs = clock.now().getTime()
  let answered = false
  let count = 0
  try {
    const { samples, metadata } = parseExposition(await readAnswer(target, signal), begunMs)
    count = samples.length
    const incoming = samples.map(({ name, labels, timeMs, value }): Incoming => ({ labels: labelsOf(incomingName(name), [...job, ...labels.map(([label, text]) => [label === 'job' ? 'exported_job' : label, text] as const)], own), times: [timeMs], values: [value] }))
    await ingest.take({ team, app }, incoming, renamed(metadata))
    answered = true
  } catch {
    // What went wrong is the app's; that it did shows in `up`.
  }
  const figures: [string, number][] = [['up', answered ? 1 : 0], ['scrape_duration_seconds', Math.max(0, clock.now().getTime() - begunMs) / 1000], ['scrape_samples_scraped', count]]
  await ingest.takeOwn({ team, app }, figures.map(([name, value]) => ({ labels: labelsOf(name, job, own), times: [begunMs], values: [value] })))
  return answered
}

function renamed(metadata: ReadonlyMap<string, MetricMetadata>): Map<string, MetricMetadata> {
  return new Map([...metadata].map(([name, one]) => [incomingName(name), one]))
}

/** Throws for an answer that is not 200, too large or too late. Nobody is followed to another address. */
async function readAnswer(target: RunningInstance, signal: AbortSignal): Promise<string> {
  const limit = deadline(Math.min(longestScrapeMs, intervalMs(target)), signal)
  try {
    const response = await fetch(`http://127.0.0.1:${target.port}${target.metrics!.path}`, { headers: { accept }, redirect: 'error', signal: limit.signal })
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > largestAnswerBytes) throw new Error('the answer is too large')
      chunks.push(chunk)
    }
    if (!response.ok) throw new Error(`answered ${response.status}`)
    return Buffer.concat(chunks).toString('utf8')
  } finally {
    limit.clear()
  }
}

export function createScraper(deps: ScrapeDeps): Part {
  return recurring({
    name: 'scraper',
    pauseMs: every(lookEveryMs),
    once: async (signal) => void (await scrapeOnce(deps, signal)),
    failed: ({ message }) => deps.log.warn({ err: message }, 'what apps measure could not be stored; trying again'),
  })
}
