/** Artifacts with what is known of them, and advisories to know more. */
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Safety, SafetyDeps } from './index.ts'
import { importAdvisories } from './import.ts'
import { advisoryStates, listRecords, readSbom } from './store.ts'

const mostListed = 100
const largestImport = 4 * 1024 ** 3
const longestLine = 4 * 1024 ** 2

interface Params {
  team: string
  app: string
  digest: string
}

export interface ArtifactRoutesDeps extends SafetyDeps {
  safety: Safety
  advised: () => Promise<void>
}

export function artifactRoutes(deps: ArtifactRoutesDeps): Routes {
  const { database, resources, safety, artifacts, signer } = deps
  const seeApp = async (actor: Actor, { team, app }: Pick<Params, 'team' | 'app'>): Promise<void> => void (await resources.mustGet(actor, { kind: 'App', namespace: team, name: app }))

  return (server: FastifyInstance) => {
    server.get<{ Params: Params }>('/v1/teams/:team/apps/:app/artifacts', async ({ actor, params }) => {
      await seeApp(actor, params)
      return { items: await listRecords(database, params.team, params.app, mostListed) }
    })
    server.get<{ Params: Params }>('/v1/teams/:team/apps/:app/artifacts/:digest', async ({ actor, params }) => {
      await seeApp(actor, params)
      return safety.view(params.team, params.app, params.digest)
    })
    server.get<{ Params: Params }>('/v1/teams/:team/apps/:app/artifacts/:digest/sbom', async ({ actor, params }, reply) => {
      await seeApp(actor, params)
      const sbom = await readSbom(database, params.team, params.app, params.digest)
      if (sbom === undefined) throw fail('NOT_FOUND', { message: `There is no list of parts of the artifact ${params.digest.slice(0, 19)}.`, fix: 'Deploy again: a build writes it.' })
      return reply.type('application/vnd.cyclonedx+json; version=1.6').send(sbom)
    })
    server.post<{ Params: Params }>('/v1/teams/:team/apps/:app/artifacts/:digest/verify', async ({ actor, params: { team, app, digest } }) => {
      await seeApp(actor, { team, app })
      const { signature } = await safety.view(team, app, digest)
      if (!(await artifacts.has(digest))) throw fail('ARTIFACT_MISSING', { message: `The artifact ${digest.slice(0, 19)} is not stored any more.` })
      return { digest, signature, contents: (await artifacts.verify(digest)) ? 'unchanged' : 'changed' }
    })
    server.get('/v1/artifacts/key', async (_request, reply) => reply.type('application/x-pem-file').send(signer.publicKey))
    server.get('/v1/advisories', async () => ({ items: await advisoryStates(database) }))
    void server.register(async (scope) => importRoute(scope, deps))
  }
}

/** Lines of what is sent; what breaks on the way in breaks the reading. */
async function* linesOf(raw: Readable, packed: boolean): AsyncGenerator<string> {
  const unpacked = packed ? createGunzip() : raw
  if (packed) pipeline(raw, unpacked as Gunzip, () => {})
  let rest = ''
  for await (const chunk of unpacked.setEncoding('utf8') as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    if (rest.length > longestLine) throw fail('ADVISORIES_INVALID', { message: `A line is longer than ${longestLine / 1024 ** 2} MiB.`, state: 'Nothing was imported; what was known before stays.' })
    yield* parts
  }
  yield rest
}

/** Advisories as JSON, one a line, gzip or plain. */
function importRoute(scope: FastifyInstance, { database, advised }: ArtifactRoutesDeps): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  scope.post('/v1/advisories', { config: { maxBodyBytes: largestImport }, bodyLimit: largestImport }, async ({ actor, raw, headers }) => {
    if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not import advisories.`, why: 'They hold for all teams.', fix: 'Ask an administrator of the platform.' })
    const imported = await importAdvisories(database, linesOf(raw, headers['content-encoding'] === 'gzip'))
    await advised()
    return imported
  })
}
