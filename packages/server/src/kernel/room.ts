import type { Part } from './lifecycle/lifecycle.ts'
import type { Reconciler } from './reconcile/index.ts'
import type { Routes } from './api/types.ts'

/** What a room's door gives to main: everything that runs or answers. Its kinds are exported beside it, because the store needs them first. */
export interface Room<Reads = unknown> {
  reconcilers: Reconciler[]
  routes: Routes[]
  /** Background parts beyond reconcilers. */
  parts: Part[]
  /** Narrow questions for rooms further down the list. */
  reads: Reads
}
