/** What the server tells of a deploy while it goes on: a record a line, read by the CLI and by the git hook. */
import type { ErrorObject } from './errors.ts'
import type { Step } from './kinds/index.ts'

export interface DeployResult {
  app: string
  team: string
  environment?: string
  release?: string
  url?: string
  artifact?: string
  /** Milliseconds. */
  durations: { build?: number; rollout?: number }
}

export type DeployProgress =
  /** `within`: a part of that step. */
  | { type: 'step'; within?: 'build'; name: string; state: Step['state']; message?: string; ms?: number }
  /** What a deployment waits for, what the judge says of it, whenever that changes, and incidents of the app that are open. */
  | { type: 'state'; about: 'waits' | 'trial' | 'incident'; text: string }
  | { type: 'log'; step: string; line: string }
  | { type: 'result'; result: DeployResult }
  | { type: 'error'; error: ErrorObject; result?: DeployResult }
