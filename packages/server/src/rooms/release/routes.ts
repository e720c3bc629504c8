/** Deploy progress, rollback, one-off commands. */
import { fail, isPaviorError, type DeployProgress } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../kernel/actor.ts'
import { sendLines, type WriteLine } from '../../kernel/api/lines.ts'
import type { Routes } from '../../kernel/api/types.ts'
import { rollBack } from './commands.ts'
import type { Release } from './context.ts'
import { releaseName } from './names.ts'
import { releaseChanges } from './changes.ts'
import { mayRun, startRun } from './one-off.ts'
import { readDrift, type DriftDeps } from './drift-read.ts'
import type { ArtifactTasks, SourceHistory, Writers } from './ports.ts'
import { approve, diffEnvironments, planPromotion, promote } from './promotion.ts'
import { previewRoutes, type PreviewRoutesDeps } from './previews/routes.ts'
import { deployProgress, deploymentProgress, type ProgressDeps } from './progress.ts'

const rollbackRequest = Compile(Type.Object({ environment: Type.Optional(Type.String()), to: Type.Optional(Type.Integer({ minimum: 1 })) }, { additionalProperties: false }))
const promotionRequest = Compile(Type.Object({ from: Type.String(), to: Type.String(), plan: Type.Optional(Type.Boolean()), allowPinned: Type.Optional(Type.Boolean()) }, { additionalProperties: false }))
const runRequest = Compile(
  Type.Object(
    {
      environment: Type.Optional(Type.String()),
      command: Type.String({ minLength: 1, maxLength: 8192 }),
      interactive: Type.Optional(Type.Boolean()),
      terminal: Type.Optional(Type.Object({ columns: Type.Integer({ minimum: 1, maximum: 1000 }), rows: Type.Integer({ minimum: 1, maximum: 1000 }) })),
    },
    { additionalProperties: false },
  ),
)

export interface ReleaseRoutesDeps extends PreviewRoutesDeps, ProgressDeps, DriftDeps {
  tasks: ArtifactTasks
  history: SourceHistory
  writers: Writers
}

interface AppParams {
  team: string
  app: string
}

export function releaseRoutes(deps: ReleaseRoutesDeps): Routes {
  const { resources, tasks, defaultEnvironment } = deps

  return (server: FastifyInstance) => {
    const stream = (name: string, path: string, make: (params: Record<string, string>, actor: Actor, signal: AbortSignal) => AsyncIterable<DeployProgress>): void => {
      server.get<{ Params: Record<string, string> }>(path, async (request, reply) => {
        const { params, actor } = request
        await resources.mustGet(actor, { kind: name, namespace: params.team!, name: params.name! })
        const tell = async (write: WriteLine, signal: AbortSignal): Promise<void> => {
          for await (const record of make(params, actor, signal)) await write(record)
        }
        return sendLines(reply, tell, { lastLine: lastRecord })
      })
    }
    previewRoutes(server, deps)
    stream('Build', '/v1/teams/:team/builds/:name/progress', ({ team, name }, actor, signal) => deployProgress(deps, actor, team!, name!, signal))
    stream('Deployment', '/v1/teams/:team/deployments/:name/progress', async function* ({ team, name }, actor, signal) {
      const deployment = await resources.mustGet(actor, { kind: 'Deployment', namespace: team!, name: name! })
      const { app } = deployment.spec as { app: string }
      yield* deploymentProgress(deps, actor, team!, ({ metadata }) => metadata.name === name, app, { app, team: team!, durations: {} }, signal)
    })

    server.get<{ Params: AppParams & { version: string }; Querystring: { against?: string } }>('/v1/teams/:team/apps/:app/releases/:version/diff', async ({ params, query, actor }) => {
      const { team, app } = params
      const read = (version: string): Promise<Release> => resources.mustGet<Release>(actor, { kind: 'Release', namespace: team, name: releaseName(app, versionOf(version)) })
      const to = await read(params.version)
      const from = await read(query.against ?? String(to.spec.version - 1))
      const source = from.spec.revision && to.spec.revision ? await deps.history.changes(team, app, from.spec.revision, to.spec.revision) : undefined
      return { from: from.spec.version, to: to.spec.version, ...releaseChanges(from.spec, to.spec), ...(source ? { source } : {}) }
    })

    server.post<{ Params: AppParams }>('/v1/teams/:team/apps/:app/promote', async ({ params, body, actor }, reply) => {
      if (!promotionRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A promotion takes { "from": environment, "to": environment, "plan"?: true }.' })
      const { from, to, plan, allowPinned } = body
      if (plan) return planPromotion(deps, actor, params.team, params.app, from, to)
      reply.code(201)
      return promote(deps, actor, params.team, params.app, from, to, allowPinned)
    })

    server.get<{ Params: AppParams; Querystring: { from?: string; to?: string } }>('/v1/teams/:team/apps/:app/diff', async ({ params, query, actor }) => {
      if (!query.from || !query.to) throw fail('BAD_REQUEST', { message: 'Say which environments to compare: ?from=staging&to=production' })
      return diffEnvironments(deps, actor, params.team, params.app, query.from, query.to)
    })

    server.get<{ Params: AppParams }>('/v1/teams/:team/apps/:app/drift', ({ params, actor }) => readDrift(deps, actor, params.team, params.app))

    server.post<{ Params: { team: string; name: string } }>('/v1/teams/:team/deployments/:name/approve', ({ params, actor }) =>
      approve({ resources, writers: deps.writers, now: () => deps.clock.now() }, actor, params.team, params.name))

    server.post<{ Params: AppParams }>('/v1/teams/:team/apps/:app/rollback', async ({ params, body, actor }, reply) => {
      const wanted = body ?? {}
      if (!rollbackRequest.Check(wanted)) throw fail('BAD_REQUEST', { message: 'A rollback takes { "environment"?: name, "to"?: number of a release }.' })
      reply.code(201)
      return rollBack(deps, actor, params.team, params.app, wanted.environment ?? defaultEnvironment(params.team), wanted.to)
    })

    server.post<{ Params: AppParams }>('/v1/teams/:team/apps/:app/run', async ({ params, body, actor }, reply) => {
      if (!runRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A one-off command takes { "command": "…" }.' })
      reply.code(201)
      return startRun(deps, actor, { ...params, environment: body.environment ?? defaultEnvironment(params.team), ...body })
    })

    const checkOwn = ({ team, app, id }: AppParams & { id: string }): void => {
      if (!id.startsWith(`run-${team}-${app}-`)) throw fail('NOT_FOUND', { message: `There is no one-off command "${id}" of ${app}.` })
    }
    server.get<{ Params: AppParams & { id: string } }>('/v1/teams/:team/apps/:app/run/:id', async ({ params, actor }) => {
      await mayRun(resources, actor, params.team, params.app)
      checkOwn(params)
      const task = await tasks.task(params.id)
      if (!task) throw fail('NOT_FOUND', { message: `There is no one-off command "${params.id}" of ${params.app}.` })
      return task
    })
    server.delete<{ Params: AppParams & { id: string } }>('/v1/teams/:team/apps/:app/run/:id', async ({ params, actor }) => {
      await mayRun(resources, actor, params.team, params.app)
      checkOwn(params)
      await tasks.cancelTask(params.id, 5000)
      return { id: params.id }
    })
    void server.register(async (scope) => {
      // The body is the input of the command, streamed as it is typed; the answer is its output.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
      scope.post<{ Params: AppParams & { id: string } }>('/v1/teams/:team/apps/:app/run/:id/attach', async ({ params, actor, raw }, reply) => {
        await mayRun(resources, actor, params.team, params.app)
        checkOwn(params)
        const task = await tasks.attach(params.id)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
        reply.raw.flushHeaders()
        raw.pipe(task)
        task.pipe(reply.raw)
        task.on('error', () => reply.raw.end())
        reply.raw.on('close', () => task.destroy())
      })
    })
  }
}

/** `v12` or `12`. */
function versionOf(text: string): number {
  const version = Number(text.replace(/^v/, ''))
  if (!Number.isInteger(version) || version < 1) throw fail('NO_SUCH_RELEASE', { message: `"${text.slice(0, 40)}" is no number of a release.`, fix: 'Give a number such as v12, and another one to compare with as ?against=11.' })
  return version
}

/** A failure after the answer has begun is the last record. */
function lastRecord(error: unknown): DeployProgress {
  const known = isPaviorError(error) ? error : fail('INTERNAL', 'The progress cannot be told any more; the deploy goes on.')
  return { type: 'error', error: known.toObject() }
}
