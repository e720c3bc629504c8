/** What the rest of the room asks about game days. */
import type { Resources } from '../../../kernel/resources/index.ts'
import { systemActor } from '../../../kernel/actor.ts'
import type { GameDay } from './plan.ts'

const actor = systemActor('game-days')

/** Name of the one that is at work on an app; anywhere when no environment is named. */
export async function runningGameDay(resources: Pick<Resources, 'listAll'>, team: string, app: string, environment: string | undefined): Promise<string | undefined> {
  const running = await resources.listAll<GameDay>(actor, 'GameDay', team, { fields: [{ path: 'status.state', operator: '=', value: 'Running' }] })
  return running.find(({ spec }) => spec.app === app && (environment === undefined || spec.environment === environment))?.metadata.name
}

/** All that were ever done to these apps. */
export async function gameDaysOf(resources: Pick<Resources, 'listAll'>, team: string, apps: readonly string[]): Promise<GameDay[]> {
  const found = await Promise.all(apps.map((app) => resources.listAll<GameDay>(actor, 'GameDay', team, { fields: [{ path: 'spec.app', operator: '=', value: app }] })))
  return found.flat().filter(({ status }) => status?.startedAt !== undefined)
}
