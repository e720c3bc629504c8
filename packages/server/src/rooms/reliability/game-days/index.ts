/** Game days: faults on purpose, watched, and ended at once when they hurt more than they may. */
import type { Routes } from '../../../kernel/api/types.ts'
import type { Reconciler } from '../../../kernel/reconcile/index.ts'
import type { CommandDeps } from './commands.ts'
import { createFaultGiver, createGameDays } from './reconcile.ts'
import { gameDayRoutes } from './routes.ts'

export { gameDay } from './kinds.ts'
export type { GameDayTools } from './ports.ts'
export type GameDayOptions = Pick<CommandDeps, 'tools' | 'deployment' | 'random'> & { library: string }

export function createGameDayRoom(deps: Omit<CommandDeps, keyof GameDayOptions> & GameDayOptions): { reconcilers: Reconciler[]; routes: Routes[] } {
  return { reconcilers: [createGameDays(deps), createFaultGiver(deps)], routes: [gameDayRoutes(deps)] }
}
