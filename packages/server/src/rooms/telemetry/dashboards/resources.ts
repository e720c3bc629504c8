/** Figures as they are, and again whenever a resource changed that they are reckoned from. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Figures } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import type { OnMore } from '../../../kernel/api/lines.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { figuresOf } from './figures.ts'
import type { Alert, Build, Deployment, FiguresOf, Incident, Release, Slo } from './ports.ts'

const watched = ['Deployment', 'Slo', 'Incident', 'Alert']
/** However much moves, figures are reckoned no more often. */
const leastPauseMs = 3000
const retryMs = 1000

export async function readFigures(resources: Resources, actor: Actor, team: string, fromMs: number, untilMs: number): Promise<Figures> {
  const all = <R>(kind: string): Promise<R[]> => resources.listAll<R>(actor, kind, team)
  const [deployments, releases, builds, slos, incidents, alerts] = await Promise.all([all<Deployment>('Deployment'), all<Release>('Release'), all<Build>('Build'), all<Slo>('Slo'), all<Incident>('Incident'), all<Alert>('Alert')])
  return figuresOf({ deployments, arrived: arrivals(releases, builds), slos, incidents, alerts }, fromMs, untilMs)
}

/** By the first release of each build: another one of the same build is a change of configuration. */
function arrivals(releases: readonly Release[], builds: readonly Build[]): FiguresOf['arrived'] {
  const queued = new Map(builds.map(({ metadata, status }) => [`${metadata.namespace}/${metadata.name}`, status?.queuedAt ?? metadata.creationTimestamp]))
  const known = new Map<string, string>()
  for (const { metadata, spec } of releases.toSorted((one, other) => one.spec.version - other.spec.version)) {
    const build = `${metadata.namespace}/${spec.build}`
    const at = queued.get(build)
    if (at !== undefined) known.set(JSON.stringify([metadata.namespace, spec.app, spec.version]), at)
    queued.delete(build)
  }
  return (team, app, release) => known.get(JSON.stringify([team, app, release]))
}

/** Tells of changes of what figures are made of, and leaves a pause after each. */
export function onChanges(resources: Resources, actor: Actor, team: string): OnMore {
  return (listener) => {
    const ended = new AbortController()
    let due = false
    const tell = (): void => {
      if (due) return
      due = true
      void delay(leastPauseMs, undefined, { signal: ended.signal, ref: false }).then(
        () => {
          due = false
          listener()
        },
        () => {},
      )
    }
    for (const kind of watched) void follow(resources, actor, kind, team, tell, ended.signal)
    return () => ended.abort()
  }
}

async function follow(resources: Resources, actor: Actor, kind: string, team: string, tell: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { resourceVersion } = await resources.list(actor, kind, team, { limit: 1 })
      for await (const { type } of resources.watch(actor, kind, team, { resourceVersion, signal })) if (type !== 'BOOKMARK') tell()
    } catch {
      // Behind for too long, or the database is away: what changed meanwhile is told of once.
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
      tell()
    }
  }
}
