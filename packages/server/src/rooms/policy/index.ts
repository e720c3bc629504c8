/** Door of room policy: rules as code, exceptions from them, what they find. */
import type { EnvironmentSpec, QuotaSpec, Resource } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Admission, Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createEngine } from './engine.ts'
import { createExceptionReconciler, exceptionAdmission, type ExceptionDeps } from './exceptions.ts'
import { createGate, type Gate, type GateDeps } from './gate.ts'
import { policy, policyException } from './kinds.ts'
import { createNotes } from './notes.ts'
import { createQuotas } from './quotas/check.ts'
import { quota } from './quotas/kinds.ts'
import type { DecisionPoint } from './ports.ts'
import { policyRoutes } from './routes.ts'
import { ensureLibrary } from './seed.ts'
import { changesController, createSweep, type SweepDeps } from './sweep.ts'

export { changesController }
export const kinds = [policy, policyException, quota]

export interface PolicyDeps {
  database: Database
  resources: Resources
  events: EventRecorder
  request: SweepDeps['request']
  /** Longest that an exception may last, in days. */
  longestExceptionDays: number
  /** Directory of the policies that Pavior brings. */
  library: string
  artifactFacts: GateDeps['artifactFacts']
  budgets: GateDeps['budgets']
  decisionPoint: DecisionPoint
  clock: Clock
  log: Logger
}

export interface PolicyReads {
  admission: { exceptions: Admission; policies: Admission; quotas: Admission }
  admitBuild: Gate['admitBuild']
}

/** Asked at call time, because resources are built before the room is. */
export function admissionOf(reads: () => PolicyReads): Admission[] {
  return [(request) => reads().admission.exceptions(request), (request) => reads().admission.policies(request), (request) => reads().admission.quotas(request)]
}

export function createPolicyRoom({ database, resources, events, request, longestExceptionDays, library, artifactFacts, budgets, decisionPoint, clock, log }: PolicyDeps): Room<PolicyReads> {
  const environments = new Mirror<Resource<EnvironmentSpec>>(resources, 'Environment', log)
  const limits = new Mirror<Resource<QuotaSpec>>(resources, 'Quota', log)
  const quotas = createQuotas({ database, quotas: limits, clock })
  const engine = createEngine({ resources, decisionPoint, clock, log })
  const notes = createNotes({ database, resources, clock, log })
  const gate = createGate({ resources, engine, notes, environments, artifactFacts, budgets })
  const sweep = createSweep({ database, resources, engine, gate, notes, request, clock })
  const exceptions: ExceptionDeps = { resources, engine, events, clock, longestDays: longestExceptionDays }
  const seed = { name: 'policy library', start: () => ensureLibrary(database, resources, library), stop: async () => {} }
  return {
    reconcilers: [createExceptionReconciler({ ...exceptions, sweep: sweep.ask }), ...sweep.reconcilers],
    routes: [policyRoutes({ ...exceptions, database, sweep, quotas })],
    parts: [seed, environments, limits, ...engine.parts, notes.part],
    reads: {
      admission: { exceptions: exceptionAdmission(exceptions), policies: gate.admission, quotas: quotas.admission },
      admitBuild: async (build) => {
        await quotas.admitBuild(build)
        return gate.admitBuild(build)
      },
    },
  }
}
