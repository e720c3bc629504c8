/** Whether an app is fine, in one word and one sentence. Pure. */
import type { AppSpec, AppStatus, Resource } from '@pavior/contract'
import type { Tone } from '../pieces/status.tsx'
import { isUnderway, wentWrong } from './phases.ts'

export type App = Resource<AppSpec, AppStatus>

export interface Health {
  word: string
  tone: Tone
  message: string
}

export function healthOf({ metadata, status }: App): Health {
  if (metadata.deletionTimestamp) return { word: 'Deleting', tone: 'busy', message: 'It and everything that belongs to it goes away.' }
  // How a branch does says nothing of the app.
  const environments = Object.values(status?.environments ?? {}).filter(({ preview }) => !preview)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const message = ready?.message ?? 'Nothing has been deployed yet.'
  if (environments.some(({ phase }) => isUnderway(phase))) return { word: 'Deploying', tone: 'busy', message: 'A deployment is on its way.' }
  const serves = environments.some(({ release }) => release !== undefined)
  if (ready?.status === 'True') {
    const failed = environments.some(({ phase }) => wentWrong(phase))
    return failed ? { word: 'Deploy failed', tone: 'warn', message: 'The last deployment failed or was taken back; the release before it goes on serving.' } : { word: 'Healthy', tone: 'good', message }
  }
  if (!serves) return status?.problem ? { word: 'Failed', tone: 'bad', message } : { word: 'Not deployed', tone: 'idle', message }
  return { word: 'Unhealthy', tone: 'bad', message }
}

/** The worst first. */
const order: Tone[] = ['bad', 'warn', 'busy', 'idle', 'good']

export function urgency({ tone }: Health): number {
  return order.indexOf(tone)
}

/** Where the app is, previews of branches left out. */
export function lastingEnvironments(app: App | undefined): string[] {
  return Object.entries(app?.status?.environments ?? {}).flatMap(([name, { preview }]) => (preview ? [] : [name]))
}

/** The environment that a page shows when none is named: the default one where the app is in it, else its first. */
export function shownEnvironment(app: App | undefined, asked: string | undefined, defaultEnvironment: string): string {
  const known = lastingEnvironments(app)
  if (asked !== undefined) return asked
  return known.includes(defaultEnvironment) || known.length === 0 ? defaultEnvironment : known[0]!
}

export function urlOf({ status }: App, environment?: string): string | undefined {
  const environments = status?.environments ?? {}
  return environment === undefined ? Object.values(environments).find(({ url, preview }) => url && !preview)?.url : environments[environment]?.url
}
