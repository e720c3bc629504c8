/** Asks a MetricSource: so many questions at once, so long, so much, and says how it does. */
import { isPaviorError, type MetricSourceSpec, type MetricSourceStatus, type Resource } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { deadline } from '../../../kernel/deadline.ts'
import { ignore } from '../../../kernel/errors.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { reachedBy, type OpenSecret, type Reached } from '../exports/reach.ts'
import { Gate } from '../query/gate.ts'
import { refuseUnlessWell, sourceFailed } from './plan.ts'
import type { AskSource, SourceAnswer } from './ports.ts'

export type MetricSource = Resource<MetricSourceSpec, MetricSourceStatus>

const actor = systemActor('metric-sources')
const usualTimeoutSeconds = 10
export const mostBytes = 16 * 1024 * 1024
/** So long a secret is used that was opened once: each opening is written down. */
const openedMs = 60_000
const remembered = 1000

export interface AskDeps {
  database: Database
  resources: Resources
  events: Pick<EventRecorder, 'record'>
  askSource: AskSource
  openSecret: OpenSecret
  clock: Clock
  log: Logger
}

export interface Question {
  path: string
  parameters: URLSearchParams
  /** At most, whatever the source says. */
  mostMs?: number
  /** With secrets as they are now. */
  afresh?: boolean
}

/** Throws QUERY_INVALID, QUERY_FAILED, QUERY_TIMEOUT, QUERY_TOO_LARGE, TOO_MANY_REQUESTS, SOURCE_FAILED. */
export type Ask = (source: MetricSource, question: Question, outer?: AbortSignal) => Promise<SourceAnswer>

interface Kept {
  gate: Gate
  generation: number
  openedAtMs: number
  reached: Promise<Reached>
}

export function createAsk(deps: AskDeps): Ask {
  const kept = new Map<string, Kept>()

  const keptOf = ({ metadata, spec }: MetricSource, afresh: boolean): Kept => {
    const before = kept.get(metadata.uid)
    if (!afresh && before && before.generation === metadata.generation && performance.now() - before.openedAtMs < openedMs) return before
    if (kept.size >= remembered) kept.clear()
    const reached = reachedBy(spec, { id: metadata.uid, name: `source ${metadata.name}`, team: metadata.namespace! }, deps.openSecret)
    reached.catch(() => kept.delete(metadata.uid))
    const now = { gate: before?.gate ?? new Gate(), generation: metadata.generation, openedAtMs: performance.now(), reached }
    kept.set(metadata.uid, now)
    return now
  }

  return async (source, { path, parameters, mostMs = Infinity, afresh = false }, outer) => {
    const { name } = source.metadata
    const timeoutMs = Math.min(mostMs, (source.spec.timeoutSeconds ?? usualTimeoutSeconds) * 1000)
    const { signal, clear } = deadline(timeoutMs, outer)
    try {
      const { gate, reached } = keptOf(source, afresh)
      const { headers, secrets, missing } = await reached
      if (missing !== undefined) throw sourceFailed(name, `The secret "${missing}" has no value.`)
      const answer = await gate.through(() => deps.askSource({ url: source.spec.url, headers, secrets, path, parameters, mostBytes }, signal), signal)
      refuseUnlessWell(name, answer)
      await noteState(deps, source, 'Working', undefined)
      return answer
    } catch (error) {
      if (outer?.aborted) throw error
      const told = isPaviorError(error) ? error : sourceFailed(name, signal.aborted ? `It did not answer within ${timeoutMs / 1000} s.` : (error as Error).message)
      if (isPaviorError(told) && told.code === 'SOURCE_FAILED') {
        kept.delete(source.metadata.uid)
        await noteState(deps, source, 'Failing', told.details.why)
      }
      throw told
    } finally {
      clear()
    }
  }
}

/** Written when it changes, and told once. */
async function noteState({ database, resources, events, clock, log }: AskDeps, source: MetricSource, state: NonNullable<MetricSourceStatus['state']>, message: string | undefined): Promise<void> {
  if (source.status?.state === state) return
  const { name, namespace } = source.metadata
  await database.transaction(async (tx) => {
    let was: MetricSourceStatus['state']
    const written = await resources.mutate<MetricSource>(actor, { kind: 'MetricSource', namespace: namespace!, name }, (current) => {
      was = current!.status?.state
      return was === state ? current! : { ...current!, status: { ...current!.status, state, since: clock.now().toISOString(), message } }
    }, { subresource: 'status', tx })
    if (was !== state && (state === 'Failing' || was === 'Failing')) await events.record(written as never, state === 'Failing' ? 'Warning' : 'Normal', state === 'Failing' ? 'SourceFails' : 'SourceWorks', state === 'Failing' ? `${name} does not answer: ${message}` : `${name} answers again.`, 'telemetry', tx)
  }).catch(ignore('NOT_FOUND')).catch((error: Error) => log.warn({ source: name, err: error.message }, 'how a metric source does could not be noted'))
}
