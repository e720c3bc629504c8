/** What runbooks need from others to look and to act. */
import type { TaskStatus } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'

export interface RunbookTools {
  /** The one value of a PromQL query now; undefined when nothing was measured. Throws coded when it cannot be asked. */
  value: (team: string, query: string, at: Date) => Promise<number | undefined>
  rollBack: (by: Actor, team: string, app: string, environment: string, to?: number) => Promise<{ metadata: { name: string } }>
  /** Starts a one-off command. */
  run: (by: Actor, request: { team: string; app: string; environment: string; command: string; timeoutMs?: number }) => Promise<{ id: string }>
  task: (id: string) => Promise<TaskStatus | undefined>
  /** Its last lines. */
  lines: (id: string, count: number) => Promise<string[]>
  defaultEnvironment: (team: string) => string
}
