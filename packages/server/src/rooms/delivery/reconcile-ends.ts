/** What ends early or goes with what it belongs to: steps of builds that nobody wants any more, repositories of apps that are gone. */
import { done, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import { actor, cancelGraceMs, earlierBuilds, finalPhases, taskOf, type Build } from './builds.ts'
import type { BuildDeps } from './reconcile.ts'
import { forgetRecords } from './safety/store.ts'

/** Ends the step of a build that is deleted while it runs. */
export function createStepReaper({ runner }: BuildDeps): Reconciler {
  return {
    name: 'build-reaper',
    concurrency: 2,
    interests: [
      {
        kind: 'Build',
        keys: (object) => {
          const step = object.metadata.deletionTimestamp && (object as Build).status?.steps?.find(({ state }) => state === 'running')
          return step ? [taskOf(object, step.name)] : []
        },
      },
    ],
    reconcile: async (task) => {
      await runner.cancelTask(task, cancelGraceMs)
      return done
    },
  }
}

/** Takes the repository of an app away with it, and what is known of its artifacts, so that the next app of that name begins with nothing. */
export function createRepositoryReaper({ database, resources }: Pick<BuildDeps, 'database' | 'resources'>, repositories: { remove: (team: string, app: string) => Promise<void> }): Reconciler {
  return {
    name: 'repositories',
    concurrency: 1,
    interests: [{ kind: 'App', keys: (object) => (object.metadata.deletionTimestamp ? [resourceKeyText(object)] : []) }],
    reconcile: async (text) => {
      const { namespace: team, name } = splitKey(text)
      if (await resources.get(actor, { kind: 'App', namespace: team, name })) return done
      await repositories.remove(team, name)
      await forgetRecords(database, team, name)
      return done
    },
  }
}

/** Cancels builds that were asked to stop or have a later one, while their reconciler waits for a step. */
export function createBuildCanceler({ resources, runner }: BuildDeps): Reconciler {
  return {
    name: 'build-cancel',
    concurrency: 2,
    interests: [{ kind: 'Build', keys: (object) => [`${object.metadata.namespace}/${object.metadata.name}`] }],
    reconcile: async (text) => {
      const { namespace: team, name } = splitKey(text)
      const build = await resources.get<Build>(actor, { kind: 'Build', namespace: team, name })
      const doomed = build ? [...(build.spec.canceled ? [build] : []), ...(await earlierBuilds(resources, build))] : []
      for (const one of doomed) {
        if (finalPhases.has(one.status?.phase ?? '')) continue
        const step = one.status?.steps?.find(({ state }) => state === 'running')
        if (step) await runner.cancelTask(taskOf(one, step.name), cancelGraceMs)
      }
      return done
    },
  }
}
