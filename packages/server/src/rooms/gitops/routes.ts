/** Looks before a push, what a push brings, and diffs of files that are nowhere yet. */
import { fail, type ConfigPlan } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import { configRepo } from './kinds.ts'
import type { ConfigFile } from './parse.ts'
import { placeOf } from './place.ts'
import { fetchBranch, syncRepo, type GitopsDeps } from './reconcile.ts'
import { invalid, look, type ConfigRepo } from './sync.ts'

const checkRequest = Compile(Type.Object({ commit: Type.String({ pattern: '^[0-9a-f]{40,64}$' }) }, { additionalProperties: false }))
const diffRequest = Compile(
  Type.Object(
    {
      branch: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 200 })),
      files: Type.Optional(Type.Array(Type.Object({ path: Type.String({ maxLength: 1024 }), content: Type.String({ maxLength: 262_144 }) }, { additionalProperties: false }), { maxItems: 1000 })),
    },
    { additionalProperties: false },
  ),
)

interface Params {
  team: string
  name: string
}

export function gitopsRoutes(deps: GitopsDeps): Routes {
  const { resources, repositories } = deps
  const find = (by: Actor, { team, name }: Params): Promise<ConfigRepo> => resources.mustGet<ConfigRepo>(by, { kind: configRepo.kind, namespace: team, name })
  /** Whoever may change the repository's settings may have it looked at and applied. */
  const mayChange = async (by: Actor, { team, name }: Params): Promise<ConfigRepo> => resources.mutate<ConfigRepo>(by, { kind: configRepo.kind, namespace: team, name }, (current) => current!, { dryRun: true })
  const planOf = async (repo: ConfigRepo, files: ConfigFile[], commit?: string): Promise<ConfigPlan> => ({ ...(commit === undefined ? {} : { commit }), ...(await look(deps, repo, files)).plan })

  return (server: FastifyInstance) => {
    const path = '/v1/teams/:team/configrepos/:name'
    server.post<{ Params: Params }>(`${path}/check`, async ({ params, body, actor }) => {
      if (!checkRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A check takes { "commit": id }.' })
      const repo = await mayChange(actor, params)
      const plan = await planOf(repo, await repositories.files(placeOf(repo), body.commit, repo.spec.path ?? ''), body.commit)
      if (plan.errors.length > 0) throw invalid(body.commit, plan.errors)
      return plan
    })
    server.post<{ Params: Params }>(`${path}/sync`, async ({ params, actor, signal }) => {
      const repo = await mayChange(actor, params)
      if (repo.spec.suspended) throw fail('CONFLICT', { message: `The repository ${params.name} is suspended, so nothing of it is applied.`, fix: 'Set spec.suspended to false.' })
      const entry = await syncRepo(deps, repo, signal, actor)
      if (!entry) throw fail('CONFIG_REPO_UNREACHABLE', { message: `There is nothing to apply of ${params.name}.`, why: (await find(actor, params)).status?.conditions?.[0]?.message })
      return entry
    })
    server.post<{ Params: Params }>(`${path}/diff`, { bodyLimit: 8 * 1024 * 1024 }, async ({ params, body, actor, signal }) => {
      const wanted = body ?? {}
      if (!diffRequest.Check(wanted)) throw fail('BAD_REQUEST', { message: 'A diff takes { "branch": name } or { "files": [{ "path", "content" }] }.' })
      const repo = await find(actor, params)
      if (wanted.files) return planOf(repo, wanted.files.map((file) => ({ path: file.path, content: Buffer.from(file.content) })))
      const branch = wanted.branch ?? repo.spec.branch ?? 'main'
      await fetchBranch(deps, repo, branch, signal)
      const commit = await repositories.head(placeOf(repo), branch)
      if (commit === undefined) throw fail('NOT_FOUND', { message: `The repository ${params.name} has no branch "${branch}".` })
      return planOf(repo, await repositories.files(placeOf(repo), commit, repo.spec.path ?? ''), commit)
    })
  }
}
