/** Previews of branches: opened by pushes, kept and deleted by people. */
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { hostsOf, type HostPolicy } from '../hosts.ts'
import { deletePreview, keepPreview, openPreview, type PreviewDeps } from './commands.ts'

export interface PreviewRoutesDeps extends PreviewDeps {
  hostPolicy: (team: string) => HostPolicy
  routerUrl: (host: string) => string
}

interface Params {
  team: string
  app: string
}

const openRequest = Compile(Type.Object({ branch: Type.String({ minLength: 1 }) }, { additionalProperties: false }))
const keepRequest = Compile(Type.Object({ branch: Type.String({ minLength: 1 }), days: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 365 })) }, { additionalProperties: false }))
const keepDays = 7

export function previewRoutes(server: FastifyInstance, deps: PreviewRoutesDeps): void {
  const path = '/v1/teams/:team/apps/:app/previews'
  server.post<{ Params: Params }>(path, async ({ params: { team, app }, body, actor }) => {
    if (!openRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A preview takes { "branch": name }.' })
    const environment = await openPreview(deps, actor, team, app, body.branch)
    return environment === undefined ? { enabled: false } : { enabled: true, environment, url: deps.routerUrl(hostsOf(app, team, environment, deps.hostPolicy(team))[0]!) }
  })
  server.post<{ Params: Params }>(`${path}/keep`, ({ params: { team, app }, body, actor }) => {
    if (!keepRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'To keep a preview takes { "branch": name, "days"?: number up to 365 }.' })
    return keepPreview(deps, actor, team, app, body.branch, body.days ?? keepDays)
  })
  server.delete<{ Params: Params; Querystring: { branch?: string } }>(path, ({ params: { team, app }, query, actor }) => {
    if (!query.branch) throw fail('BAD_REQUEST', { message: 'Say which branch: ?branch=name' })
    return deletePreview(deps, actor, team, app, query.branch)
  })
}
