/** One-off commands: a process of the release that serves, beside its instances. */
import { randomBytes } from 'node:crypto'
import { fail, type ReleaseSpec } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { readContext, servingDeployment, type App, type Release } from './context.ts'
import { releaseName } from './names.ts'
import type { ArtifactTasks } from './ports.ts'
import { bytesOf, commandOf, instanceEnv } from './snapshot.ts'

const usualTimeoutMs = 24 * 3600_000
const limits = { memory: '1Gi', cpu: 1, pids: 512 }

export interface RunRequest {
  team: string
  app: string
  environment: string
  command: string
  interactive?: boolean
  terminal?: { columns: number; rows: number }
  timeoutMs?: number
}

/** One-off commands are for those who may deploy. Throws FORBIDDEN, NOT_FOUND. */
export async function mayRun(resources: Resources, actor: Actor, team: string, app: string): Promise<void> {
  await resources.mutate<App>(actor, { kind: 'App', namespace: team, name: app }, (current) => current!, { dryRun: true })
}

/** Throws NO_SUCH_RELEASE where nothing serves. */
export async function startRun({ resources, tasks }: { resources: Resources; tasks: ArtifactTasks }, actor: Actor, { team, app, environment, command, interactive = false, terminal, timeoutMs = usualTimeoutMs }: RunRequest): Promise<{ id: string; release: string; environment: string }> {
  await mayRun(resources, actor, team, app)
  const { deployments } = await readContext(resources, team, app)
  const serving = servingDeployment(deployments, environment)
  if (!serving) throw fail('NO_SUCH_RELEASE', { message: `${app} has no release in ${environment} to run a command in.`, fix: 'Deploy it first.' })
  const release = await resources.mustGet<Release>(actor, { kind: 'Release', namespace: team, name: releaseName(app, serving.spec.release) })
  const spec: ReleaseSpec = release.spec
  const id = `run-${team}-${app}-${randomBytes(6).toString('hex')}`
  await tasks.run(id, {
    team,
    app,
    artifact: spec.artifact,
    command: commandOf(command, spec),
    env: instanceEnv({ team, app, environment, release: spec }, 'run'),
    secrets: spec.secrets ?? [],
    environment,
    mounts: spec.mounts ?? [],
    image: spec.image,
    limits: { memoryBytes: bytesOf(limits.memory), cpu: limits.cpu, pids: limits.pids },
    timeoutMs,
    interactive,
    terminal,
  })
  return { id, release: `v${spec.version}`, environment }
}
