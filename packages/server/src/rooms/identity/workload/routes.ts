/** The platform as an issuer of OpenID Connect for what runs on it: discovery, keys, and tokens for whoever shows a credential of an instance. */
import { fail, type AppSpec, type AppStatus, type Resource } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'
import { systemActor, type Actor } from '../../../kernel/actor.ts'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { bearerToken } from '../bearer.ts'
import type { TakeNote } from '../notes.ts'
import type { Credentials, Workload } from './credential.ts'
import type { WorkloadKeys } from './keys.ts'
import { algorithms, type Algorithm } from './plan.ts'

const system = systemActor('workload-identity')
export const longestTokenMs = 3600_000
const shortestTokenSeconds = 60
const defaultTokenSeconds = 600
const longestAudience = 300
const keysCacheSeconds = 300
const tokensPerSecond = 5
const tokenBurst = 50
export const tokenPath = '/v1/workload/token'

export interface WorkloadRoutesDeps {
  resources: Pick<Resources, 'get'>
  keys: WorkloadKeys
  credentials: Credentials
  publicUrl: () => string
  /** Throws FORBIDDEN for who may not deploy the app there. */
  mayDeploy: (actor: Actor, workload: Workload) => void
  clock: Clock
  note: TakeNote
}

interface Wanted {
  audience?: string
  lifetimeSeconds?: string | number
  algorithm?: string
}

export function workloadRoutes({ resources, keys, credentials, publicUrl, mayDeploy, clock, note }: WorkloadRoutesDeps): Routes {
  const rates = new RateLimiter(tokensPerSecond, tokenBurst, clock)
  const config = { public: true }

  const issue = async (workload: Workload, wanted: Wanted): Promise<{ value: string; audience: string; expiresAt: string }> => {
    const { audience, seconds, algorithm } = checked(wanted)
    const release = await releaseOf(resources, workload)
    const { id, key } = await keys.signer(algorithm)
    const { team, app, environment } = workload
    const now = Math.floor(clock.now().getTime() / 1000)
    const value = await new SignJWT({ team, app, environment, ...(release === undefined ? {} : { release }) })
      .setProtectedHeader({ alg: algorithm, kid: id, typ: 'JWT' })
      .setIssuer(publicUrl())
      .setSubject(`${team}:${app}:${environment}`)
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + seconds)
      .setJti(crypto.randomUUID())
      .sign(key)
    return { value, audience, expiresAt: new Date((now + seconds) * 1000).toISOString() }
  }

  return (app: FastifyInstance) => {
    app.get('/.well-known/openid-configuration', { config }, async (_request, reply) => {
      void reply.header('cache-control', `public, max-age=${keysCacheSeconds}`)
      const issuer = publicUrl()
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: algorithms,
        claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'team', 'app', 'environment', 'release'],
      }
    })
    app.get('/.well-known/jwks.json', { config }, async (_request, reply) => {
      void reply.header('cache-control', `public, max-age=${keysCacheSeconds}`)
      return { keys: await keys.published() }
    })

    app.get<{ Querystring: Wanted }>(tokenPath, { config }, async ({ headers, query, ip, id }, reply) => {
      const workload = await credentials.verify(bearerToken(headers.authorization))
      if (!workload) throw fail('UNAUTHENTICATED', { message: 'The credential is not one of an instance of this platform.', fix: 'Send the value of PAVIOR_ID_TOKEN_REQUEST_TOKEN as Authorization: Bearer.' })
      const wait = rates.take(`${workload.team}/${workload.app}`)
      if (wait !== undefined) throw tooMany(`${workload.app} asks for more than ${tokensPerSecond} tokens a second.`, wait)
      const issued = await issue(workload, query)
      note({ actor: `workload:${workload.team}/${workload.app}/${workload.environment}`, verb: 'issue-workload-token', name: workload.app, reason: `for ${issued.audience}`, team: workload.team, address: ip, requestId: id })
      void reply.header('cache-control', 'no-store')
      return issued
    })

    // For whoever sets up what shall trust the tokens: a developer can run a command in the app, and so has them anyway.
    app.post<{ Params: { team: string; app: string }; Body: Wanted & { environment?: string } }>('/v1/teams/:team/apps/:app/id-token', async ({ actor, params, body, ip, id }) => {
      const { environment = '', ...wanted } = (body ?? {}) as Wanted & { environment?: string }
      const workload = { ...params, environment }
      if (environment === '') throw fail('BAD_REQUEST', { message: 'A token is of an app in an environment.', fix: 'Name the environment.' })
      mayDeploy(actor, workload)
      const issued = await issue(workload, wanted)
      note({ actor: actor.name, verb: 'issue-workload-token', name: params.app, reason: `${environment}, for ${issued.audience}`, team: params.team, address: ip, requestId: id })
      return issued
    })

    app.post('/v1/workload/rotate', async ({ actor }) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not rotate the keys of the platform.`, fix: 'Ask an administrator of the platform.' })
      await keys.rotate()
      return { rotated: true }
    })
  }
}

function checked({ audience, lifetimeSeconds, algorithm = 'ES256' }: Wanted): { audience: string; seconds: number; algorithm: Algorithm } {
  if (typeof audience !== 'string' || audience === '' || audience.length > longestAudience) throw fail('BAD_REQUEST', { message: 'A token needs its audience.', fix: `Add ?audience=<who shall accept it> to the address, ${longestAudience} characters at most.` })
  if (!algorithms.includes(algorithm as Algorithm)) throw fail('BAD_REQUEST', { message: `Tokens are not signed with "${String(algorithm).slice(0, 20)}".`, fix: `Use one of: ${algorithms.join(', ')}.` })
  const seconds = lifetimeSeconds === undefined ? defaultTokenSeconds : Number(lifetimeSeconds)
  if (!Number.isInteger(seconds) || seconds < shortestTokenSeconds || seconds > longestTokenMs / 1000) throw fail('BAD_REQUEST', { message: `lifetimeSeconds is a whole number from ${shortestTokenSeconds} to ${longestTokenMs / 1000}.` })
  return { audience, seconds, algorithm: algorithm as Algorithm }
}

/** The release that serves there. Throws NOT_FOUND for an app that is gone: its credential ends with it. */
async function releaseOf(resources: Pick<Resources, 'get'>, { team, app, environment }: Workload): Promise<number | undefined> {
  const found = await resources.get<Resource<AppSpec, AppStatus>>(system, { kind: 'App', namespace: team, name: app })
  if (!found) throw fail('NOT_FOUND', { message: `There is no app "${app}" in team ${team} any more.` })
  return found.status?.environments?.[environment]?.release
}
