/** What room policy needs from outside. */
import type { PolicySpec } from '@pavior/contract'

/** Somebody else who decides. */
export interface DecisionPoint {
  /** The result; rejects with a sentence when there is none in time. */
  ask(where: NonNullable<PolicySpec['opa']>, input: object): Promise<unknown>
}
