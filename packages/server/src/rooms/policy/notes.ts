/** Writes down what was decided: rows for people, counts for the status of each policy. */
import { systemActor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Policy } from './engine.ts'
import { denies, type Judged, type Subject } from './plan.ts'
import { pruneDecisions, recordDecisions, type DecisionRow } from './store.ts'

const actor = systemActor('policy')
const flushEveryMs = 2000
const keepDecisionsMs = 90 * 24 * 3600_000
const pruneEveryMs = 3600_000
/** A status is written for the time of the last judgement alone only this often. */
const timeEveryMs = 60_000
const mostErrors = 50

export interface Notes {
  part: Part
  /** Rules that were not kept, with what became of the change. */
  note(subject: Subject, judged: Judged[], dryRun: boolean): Promise<void>
}

interface Count {
  denied: number
  errors: Map<string, string>
  at: Date
}

export function createNotes({ database, resources, clock, log }: { database: Database; resources: Resources; clock: Clock; log: Logger }): Notes {
  let counts = new Map<string, Count>()
  let timers: NodeJS.Timeout[] = []

  const flush = async (): Promise<void> => {
    const taken = counts
    counts = new Map()
    for (const [name, count] of taken) {
      await resources
        .mutate<Policy>(actor, { kind: 'Policy', namespace: '', name }, (current) => withCount(current!, count), { subresource: 'status' })
        .catch(ignore('NOT_FOUND', 'CONFLICT'))
        .catch((error: Error) => log.warn({ policy: name, err: error.message }, 'the status of a policy could not be written'))
    }
  }

  return {
    part: {
      name: 'policy notes',
      start: async () => {
        timers = [setInterval(() => void flush(), flushEveryMs), setInterval(() => void pruneDecisions(database, keepDecisionsMs).catch(() => {}), pruneEveryMs)]
      },
      stop: async () => {
        for (const timer of timers) clearInterval(timer)
        await flush()
      },
    },
    note: async (subject, judged, dryRun) => {
      const now = clock.now()
      for (const { policy, verdicts } of judged) {
        const count = counts.get(policy.name) ?? { denied: 0, errors: new Map<string, string>(), at: now }
        count.at = now
        for (const { rule, outcome, message } of verdicts) if (outcome === 'error') count.errors.set(rule, message)
        if (!dryRun && verdicts.some((verdict) => denies(policy, verdict))) count.denied += 1
        counts.set(policy.name, count)
      }
      if (dryRun || subject.point === 'sweep') return
      const rows = judged.flatMap(({ policy, verdicts }) =>
        verdicts.filter(({ outcome }) => outcome === 'broken' || outcome === 'error' || outcome === 'exempt').map((verdict): DecisionRow => ({ ...verdict, denied: denies(policy, verdict), ...whereOf(subject) })),
      )
      if (rows.length > 0) await recordDecisions(database, rows)
    },
  }
}

function whereOf({ point, user, team, app = '', kind, object, environment = '' }: Subject): Pick<DecisionRow, 'point' | 'actor' | 'team' | 'app' | 'kind' | 'name' | 'environment'> {
  return { point, actor: user, team, app, kind, name: object.metadata.name, environment }
}

/** Errors are those of the version that is in force. */
function withCount(policy: Policy, { denied, errors, at }: Count): Policy {
  const now = at.toISOString()
  const rules = new Set(policy.spec.rules.map(({ name }) => name))
  const kept = (policy.status?.errors ?? []).filter(({ rule }) => rules.has(rule) && !errors.has(rule))
  const fresh = [...errors].filter(([rule]) => rules.has(rule)).map(([rule, message]) => ({ rule, message: message.slice(0, 500), at: now }))
  const old = policy.status?.lastEvaluated
  const lastEvaluated = old !== undefined && denied === 0 && fresh.length === 0 && Date.parse(now) - Date.parse(old) < timeEveryMs ? old : now
  return { ...policy, status: { ...policy.status, lastEvaluated, denied: (policy.status?.denied ?? 0) + denied, errors: [...fresh, ...kept].slice(0, mostErrors) } }
}
