/** Upload, git, build logs. */
import { fail, type LogLine, type StrategyType } from '@pavior/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Actor } from '../../kernel/actor.ts'
import { sendLines, type WriteLine } from '../../kernel/api/lines.ts'
import { flag } from '../../kernel/api/query.ts'
import type { Routes } from '../../kernel/api/types.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { checkSubmission, submit, type SubmitDeps, type Submission } from './commands.ts'
import { serveGit, type GitDeps } from './git.ts'
import type { StepRunner } from './ports.ts'
import { taskOf, type Build } from './builds.ts'

export interface DeliveryRoutesDeps extends SubmitDeps {
  resources: Resources
  runner: StepRunner
  /** Log of a step from its start to its end. */
  stepLog: (build: Build, step: string, signal: AbortSignal) => AsyncIterable<LogLine>
  git: GitDeps
  uploadBytes: number
  /** Resolves when the build may have changed. */
  buildChanged: (team: string, name: string, signal: AbortSignal) => Promise<void>
}

interface AppParams {
  team: string
  app: string
}

interface UploadSearch {
  environment?: string
  strategy?: string
  buildOnly?: string
  commit?: string
  branch?: string
  message?: string
  author?: string
}

const archiveTypes = ['application/gzip', 'application/x-gzip', 'application/x-tar', 'application/octet-stream', 'application/x-tgz']

export function deliveryRoutes(deps: DeliveryRoutesDeps): Routes {
  return (server: FastifyInstance) => {
    void server.register(async (scope) => {
      // Archives and git packs are streamed, never parsed.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      uploadRoute(scope, deps)
      gitRoutes(scope, deps)
    })
    logRoute(server, deps)
  }
}

function uploadRoute(scope: FastifyInstance, deps: DeliveryRoutesDeps): void {
  scope.post<{ Params: AppParams; Querystring: UploadSearch }>('/v1/teams/:team/apps/:app/source', { config: { maxBodyBytes: deps.uploadBytes }, bodyLimit: deps.uploadBytes }, async (request, reply) => {
    const type = request.headers['content-type']?.split(';')[0] ?? ''
    if (!archiveTypes.includes(type)) throw fail('UNSUPPORTED_MEDIA', { message: `Source cannot be sent as "${type}".`, fix: `Send a tar archive as one of: ${archiveTypes.join(', ')}.` })
    const submission = submissionOf(request.params, request.query)
    await checkSubmission(deps, request.actor, submission)
    const build = await submit(deps, request.actor, submission, request.raw).catch((error: Error) => {
      // What is still sent is thrown away, so that the sender hears why and can use the connection again.
      request.raw.resume()
      throw error
    })
    reply.code(201)
    return build
  })
}

function submissionOf({ team, app }: AppParams, { environment, strategy, buildOnly, commit, branch, message, author }: UploadSearch): Submission {
  return {
    team,
    app,
    ...(environment === undefined ? {} : { environment }),
    // Any other word is refused by the schema of Build.
    ...(strategy === undefined ? {} : { strategy: strategy as StrategyType }),
    buildOnly: buildOnly === 'true' || buildOnly === '1',
    revision: {
      type: commit === undefined ? 'upload' : 'git',
      ...(commit === undefined ? {} : { commit }),
      ...(branch === undefined ? {} : { branch: branch.slice(0, 255) }),
      ...(message === undefined ? {} : { message: message.slice(0, 500) }),
      ...(author === undefined ? {} : { author: author.slice(0, 254) }),
    },
  }
}

function gitRoutes(scope: FastifyInstance, deps: DeliveryRoutesDeps): void {
  const serve = (service: string) => async (request: FastifyRequest<{ Params: { team: string; repository: string } }>, reply: Parameters<typeof serveGit>[2]) => {
    const { team, repository } = request.params
    if (!repository.endsWith('.git')) throw fail('NOT_FOUND', { message: `There is no repository "${repository}".` })
    const app = repository.slice(0, -'.git'.length)
    const pushing = service === 'git-receive-pack' || (request.query as { service?: string }).service === 'git-receive-pack'
    if (pushing) await checkSubmission(deps, request.actor, { team, app, revision: { type: 'git' }, buildOnly: true })
    else await deps.resources.mustGet(request.actor, { kind: 'App', namespace: team, name: app })
    await serveGit(deps.git, request, reply, { team, app, service, authorization: request.headers.authorization!, actorName: request.actor.name })
  }
  scope.get('/git/:team/:repository/info/refs', serve('info/refs'))
  scope.post('/git/:team/:repository/git-upload-pack', { bodyLimit: deps.uploadBytes }, serve('git-upload-pack'))
  scope.post('/git/:team/:repository/git-receive-pack', { bodyLimit: deps.uploadBytes }, serve('git-receive-pack'))
}

interface LogSearch {
  follow?: string
}

function logRoute(server: FastifyInstance, deps: DeliveryRoutesDeps): void {
  server.get<{ Params: { team: string; build: string }; Querystring: LogSearch }>('/v1/teams/:team/builds/:build/log', async ({ params, query, actor }, reply) => {
    await deps.resources.mustGet(actor, { kind: 'Build', namespace: params.team, name: params.build })
    return sendLines(reply, (write, signal) => writeLog(deps, actor, { ...params, follow: flag({ ...query }, 'follow') }, write, signal))
  })
}

/** What the platform does itself has no log. */
const ownSteps = new Set(['store', 'inspect', 'policy'])

/** The log of each step in turn; when following, until the build has ended. */
async function writeLog({ resources, runner, stepLog, buildChanged }: DeliveryRoutesDeps, actor: Actor, { team, build: name, follow }: { team: string; build: string; follow: boolean }, write: WriteLine, signal: AbortSignal): Promise<void> {
  const written = new Set<string>()
  while (!signal.aborted) {
    const changed = buildChanged(team, name, signal)
    const build = await resources.get<Build>(actor, { kind: 'Build', namespace: team, name })
    if (!build) return
    for (const step of build.status?.steps ?? []) {
      if (written.has(step.name) || ownSteps.has(step.name)) continue
      written.add(step.name)
      if (step.state === 'skipped') await write({ step: step.name, line: step.message ?? 'skipped' })
      else await copyLog(follow ? stepLog(build, step.name, signal) : runner.logs(taskOf(build, step.name), { offset: 0 }, signal), step.name, write)
    }
    if (!follow || ['Succeeded', 'Failed', 'Canceled'].includes(build.status?.phase ?? '')) return
    await changed
  }
}

async function copyLog(lines: AsyncIterable<LogLine>, step: string, write: WriteLine): Promise<void> {
  try {
    for await (const { time, line } of lines) await write({ step, time, line })
  } catch (error) {
    // The agent keeps logs of finished steps for a while only.
    if (!hasCode(error, 'NOT_FOUND')) throw error
  }
}
