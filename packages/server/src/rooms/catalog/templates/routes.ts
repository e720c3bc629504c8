/** Templates over HTTP: what there is, publishing, running, following. */
import { Readable } from 'node:stream'
import { fail, type TemplateRunProgress, type TemplateSource } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../../kernel/actor.ts'
import { sendLines, type WriteLine } from '../../../kernel/api/lines.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { ChangeWaiters } from '../../../kernel/store/waiters.ts'
import type { SourceIntake } from '../ports.ts'
import type { Run, RunDeps } from './reconcile.ts'
import { actor as system, findTemplate, mustMakeApps, mustPublish, promote, publish, type Template } from './registry.ts'
import { beginRun, dryRun, type RunRequest } from './runs.ts'
import { fleetOf, upgrade } from './upgrade.ts'
import { addFiles, mostTreeBytes, type Tree } from './tree.ts'

/** A packed template. */
const largestUpload = 24 * 1024 * 1024
const archiveTypes = ['application/gzip', 'application/x-gzip', 'application/x-tar', 'application/octet-stream', 'application/x-tgz']

export interface TemplateRoutesDeps extends RunDeps {
  changes: ChangeWaiters
  intake: SourceIntake
  defaultTeam: string
}

const runBody = Compile(
  Type.Object(
    {
      answers: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      version: Type.Optional(Type.String({ maxLength: 60 })),
      templateTeam: Type.Optional(Type.String({ maxLength: 40 })),
      secrets: Type.Optional(Type.Record(Type.String({ maxLength: 60 }), Type.String({ maxLength: 10_000 }))),
    },
    { additionalProperties: false },
  ),
)

const upgradeBody = Compile(
  Type.Object({ version: Type.Optional(Type.String({ maxLength: 60 })), answers: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }, { additionalProperties: false }),
)

/** Templates are there for everybody; tokens that are made for one app see that app only. */
export function mustRead(actor: Actor): void {
  if (actor.app !== undefined) throw fail('FORBIDDEN', { message: `${actor.name} may read only what belongs to app "${actor.app}".`, fix: 'Use a token without that restriction.' })
  if (actor.limit) throw fail('FORBIDDEN', { message: `${actor.name} may do only what its token was made for.`, fix: 'Use a token without that restriction.' })
}

export function templateRoutes(deps: TemplateRoutesDeps): Routes {
  return (server: FastifyInstance) => {
    readRoutes(server, deps)
    runRoutes(server, deps)
    lifeRoutes(server, deps)
    promoteRoute(server, deps)
    void server.register(async (scope) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      publishRoute(scope, deps)
    })
  }
}

function readRoutes(server: FastifyInstance, deps: TemplateRoutesDeps): void {
  server.get('/v1/templates', async ({ actor }) => {
    mustRead(actor)
    const all = await deps.resources.listAll<Template>(system, 'Template')
    return { items: all.map(summaryOf).toSorted((one, other) => Number(one.deprecated !== undefined) - Number(other.deprecated !== undefined) || (one.title < other.title ? -1 : 1)) }
  })

  server.get<{ Params: { name: string }; Querystring: { team?: string } }>('/v1/templates/:name', async ({ actor, params, query }) => {
    mustRead(actor)
    const { metadata, spec } = await findTemplate(deps, query.team === undefined ? params.name : `${query.team}/${params.name}`, [...actor.roles.keys(), deps.defaultTeam])
    return { team: metadata.namespace!, name: metadata.name, ...spec }
  })
}

function lifeRoutes(server: FastifyInstance, deps: TemplateRoutesDeps): void {
  server.get<{ Params: { name: string }; Querystring: { team?: string } }>('/v1/templates/:name/fleet', async ({ actor, params, query }) => {
    mustRead(actor)
    const template = await findTemplate(deps, query.team === undefined ? params.name : `${query.team}/${params.name}`, [...actor.roles.keys(), deps.defaultTeam])
    return { template: `${template.metadata.namespace}/${template.metadata.name}`, version: template.spec.version, canary: template.spec.canary, deprecated: template.spec.deprecated, items: await fleetOf(deps, template) }
  })

  server.post<{ Params: { team: string; app: string }; Querystring: { dryRun?: string } }>('/v1/teams/:team/apps/:app/template-upgrade', async ({ params, query, body, actor, signal }) => {
    const given = body ?? {}
    if (!upgradeBody.Check(given)) throw fail('BAD_REQUEST', { message: 'An upgrade takes { "version"?: "1.2.0", "answers"?: { … } } with answers to new questions.' })
    return upgrade(deps, actor, { ...params, ...given, dryRun: query.dryRun === 'All' }, signal)
  })
}

function promoteRoute(server: FastifyInstance, deps: TemplateRoutesDeps): void {
  server.post<{ Params: { team: string; name: string } }>('/v1/teams/:team/templates/:name/promote', async ({ params, actor }) => {
    mustPublish(actor, params.team, params.name)
    return promote(deps, await findTemplate(deps, `${params.team}/${params.name}`, []))
  })
}

function summaryOf({ metadata, spec: { title, description, type, tags, owner, version, deprecated, canary } }: Template): { team: string; name: string; title: string; deprecated?: unknown } & Record<string, unknown> {
  return { team: metadata.namespace!, name: metadata.name, title, description, type, tags, owner, version, deprecated, canary }
}

function runRoutes(server: FastifyInstance, deps: TemplateRoutesDeps): void {
  server.post<{ Params: { team: string; name: string }; Querystring: { dryRun?: string } }>('/v1/teams/:team/templates/:name/runs', async ({ params, query, body, actor, signal }, reply) => {
    const given = body ?? {}
    if (!runBody.Check(given)) throw fail('BAD_REQUEST', { message: 'A run takes { "answers": { … }, "version"?: "1.2.0", "templateTeam"?: team, "secrets"?: { … } }.' })
    mustMakeApps(actor, params.team)
    const template = await findTemplate(deps, given.templateTeam === undefined ? params.name : `${given.templateTeam}/${params.name}`, [params.team, deps.defaultTeam])
    const request: RunRequest = { team: params.team, template, version: given.version, answers: given.answers ?? {}, secrets: given.secrets }
    if (query.dryRun === 'All') {
      const { tree: _tree, answers: _answers, secrets: _secrets, ...shown } = await dryRun(deps, actor, request, signal)
      return shown
    }
    reply.code(201)
    return beginRun(deps, actor, request, signal)
  })

  server.get<{ Params: { team: string; name: string } }>('/v1/teams/:team/templateruns/:name/progress', async ({ params, actor }, reply) => {
    await deps.resources.mustGet(actor, { kind: 'TemplateRun', namespace: params.team, name: params.name })
    return sendLines(reply, (write, signal) => follow(deps, actor, params.team, params.name, write, signal))
  })
}

/** Steps as they change, what they say, and the end. A stopped run ends the answer too: it waits for people. */
async function follow({ resources, changes, logs }: TemplateRoutesDeps, actor: Actor, team: string, name: string, write: WriteLine, signal: AbortSignal): Promise<void> {
  const told = new Map<string, string>()
  let lines = 0
  while (!signal.aborted) {
    // What is not waited for any more must not stay behind as a listener.
    const round = new AbortController()
    const stop = (): void => round.abort()
    signal.addEventListener('abort', stop, { once: true })
    const changed = changes.wait('TemplateRun', team, name, round.signal)
    const run = await resources.get<Run>(actor, { kind: 'TemplateRun', namespace: team, name })
    if (!run) return
    const { uid } = run.metadata
    const spoken = logs.wait(uid, round.signal)
    for (const { step, line } of logs.since(uid, lines)) {
      lines++
      await write({ type: 'log', step, line } satisfies TemplateRunProgress)
    }
    for (const step of run.status?.steps ?? []) {
      const state = JSON.stringify(step)
      if (step.state === 'pending' || told.get(step.id) === state) continue
      told.set(step.id, state)
      await write({ type: 'step', step } satisfies TemplateRunProgress)
    }
    const waits = run.status?.phase === 'Stopped' && (run.spec.resume === undefined || run.spec.resume === run.status.resumed) && !run.spec.canceled
    if (waits || run.status?.phase === 'Succeeded' || run.status?.phase === 'Failed') return write({ type: 'end', status: run.status! } satisfies TemplateRunProgress)
    await Promise.race([changed, spoken])
    signal.removeEventListener('abort', stop)
    stop()
  }
}

interface PublishSearch {
  dryRun?: string
  canary?: string
  url?: string
  ref?: string
  commit?: string
}

function publishRoute(scope: FastifyInstance, deps: TemplateRoutesDeps): void {
  scope.post<{ Params: { team: string }; Querystring: PublishSearch }>('/v1/teams/:team/templates', { config: { maxBodyBytes: largestUpload }, bodyLimit: largestUpload }, async ({ params, query, actor, raw, headers }, reply) => {
    mustPublish(actor, params.team)
    const type = headers['content-type']?.split(';')[0] ?? ''
    if (!archiveTypes.includes(type)) throw fail('UNSUPPORTED_MEDIA', { message: `A template cannot be sent as "${type}".`, fix: `Send a tar archive as one of: ${archiveTypes.join(', ')}.` })
    const files = await takeIn(deps.intake, raw)
    const { url, ref, commit } = query
    const source: TemplateSource = url === undefined ? { type: 'upload' } : { type: 'git', url: url.slice(0, 2000), ...(ref ? { ref } : {}), ...(commit ? { commit } : {}) }
    const published = await publish(deps, { team: params.team, files, source, canary: query.canary?.split(',').filter(Boolean), dryRun: query.dryRun === 'All' })
    reply.code(published.new ? 201 : 200)
    return published
  })
}

async function takeIn(intake: SourceIntake, stream: Readable): Promise<Tree> {
  const tree: Tree = new Map()
  const { files } = await intake.accept(limited(stream))
  addFiles(tree, files)
  return tree
}

/** 50 MB of template are not read to their end. */
function limited(stream: Readable): Readable {
  let bytes = 0
  return Readable.from(
    (async function* () {
      // Left as it is when it is refused, so that the answer still reaches its sender.
      for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > largestUpload) throw fail('TEMPLATE_TOO_LARGE', { message: `The packed template is larger than ${largestUpload / 1024 / 1024} MiB; unpacked it may have ${mostTreeBytes / 1024 / 1024} MiB.` })
        yield chunk
      }
    })(),
  )
}
