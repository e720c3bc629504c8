/** Single sign-on: begins at `/v1/sso/{provider}/start`, comes back to `/v1/sso/callback`. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { errorCatalogue, fail, type ErrorCode, type IdentityProviderSpec, type Resource } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { systemActor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Authenticator } from '../authenticate.ts'
import { keepCode, useCode } from '../codes.ts'
import type { TakeNote } from '../notes.ts'
import type { Kept, ProviderSettings, SingleSignOn } from '../ports.ts'
import type { KeptSecrets } from '../secrets.ts'
import { mustBeUnbounded, type Sessions } from '../sign-in.ts'
import { digestOf, endProviderSessions } from '../store.ts'
import { admitPerson, type PeopleDeps } from './people.ts'

const system = systemActor('sso')
const signInLifetimeMs = 10 * 60_000
const cookieName = 'pavior_sso'
const callbackPath = '/v1/sso/callback'
const defaultScopes = ['openid', 'profile', 'email']
const secretRequest = Compile(Type.Object({ secret: Type.String({ minLength: 1, maxLength: 4096 }) }, { additionalProperties: false }))

type Provider = Resource<IdentityProviderSpec>
type Named = { Params: { provider: string } }

/** What is kept of a sign-in under way. */
interface UnderWay extends Kept {
  provider: string
  to: string
  /** Digest of what the browser that began it keeps in a cookie: nobody is signed in by a link of somebody else. */
  browser: string
}

export interface SsoDeps extends PeopleDeps {
  database: Database
  resources: Resources
  sso: SingleSignOn
  secrets: KeptSecrets
  sessions: Sessions
  authenticator: Authenticator
  publicUrl: () => string
  note: TakeNote
  log: Logger
}

/** Name under which the client secret of a provider is kept. */
export const secretOf = (provider: string): string => `sso/${provider}`

export function createProviders({ resources, secrets }: Pick<SsoDeps, 'resources' | 'secrets'>): { find(name: string): Promise<{ provider: Provider; settings: ProviderSettings }> } {
  return {
    find: async (name) => {
      const provider = await resources.get<Provider>(system, { kind: 'IdentityProvider', namespace: '', name })
      if (!provider || provider.spec.disabled) throw fail('NOT_FOUND', { message: `There is no identity provider "${name.slice(0, 60)}" to sign in with.` })
      const clientSecret = await secrets.read(secretOf(name))
      const { issuer, clientId, scopes = defaultScopes } = provider.spec
      return { provider, settings: { issuer, clientId, scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes], ...(clientSecret === undefined ? {} : { clientSecret }) } }
    },
  }
}

export function ssoRoutes(deps: SsoDeps): Routes {
  const { resources, sso, sessions, publicUrl, note } = deps
  const providers = createProviders(deps)
  const config = { public: true }

  return (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))

    app.get('/v1/sso', { config }, async () => {
      const all = await resources.listAll<Provider>(system, 'IdentityProvider')
      return { items: all.filter(({ spec }) => !spec.disabled).map(({ metadata, spec }) => ({ name: metadata.name, displayName: spec.displayName })) }
    })

    app.get<Named & { Querystring: { to?: string } }>('/v1/sso/:provider/start', { config }, async (request, reply) => {
      try {
        return await reply.redirect(await begin(deps, providers, request, reply), 302)
      } catch (error) {
        return told(deps, reply, error, request.params.provider)
      }
    })

    app.get(callbackPath, { config }, async (request, reply) => {
      let provider = ''
      try {
        const underWay = await takeUp(deps, request)
        provider = underWay.provider
        const { provider: found, settings } = await providers.find(provider)
        const callback = new URL(request.url, publicUrl())
        const claims = await sso.finish(settings, new URL(`${callbackPath}${callback.search}`, publicUrl()), underWay)
        const username = await admitPerson(deps, provider, found.spec, claims)
        await sessions.start(request, reply, { username, provider, ...(claims.sid === undefined ? {} : { providerSession: claims.sid }) })
        note({ actor: `user:${username}`, verb: 'sign-in', name: username, reason: `through ${provider}`, address: request.ip, requestId: request.id })
        return await reply.redirect(underWay.to, 302)
      } catch (error) {
        // What belongs to no sign-in of ours is noise of anybody; it is in the log.
        if (provider !== '') note({ actor: 'unknown', verb: 'sign-in-failed', name: provider, reason: (error as { code?: string }).code ?? 'INTERNAL', address: request.ip, requestId: request.id })
        return told(deps, reply, error, provider)
      }
    })

    addProviderRoutes(app, deps, providers)
  }
}

type Providers = ReturnType<typeof createProviders>

async function begin({ sso, database, publicUrl }: SsoDeps, providers: Providers, request: FastifyRequest<Named & { Querystring: { to?: string } }>, reply: FastifyReply): Promise<string> {
  const { provider } = request.params
  const { settings } = await providers.find(provider)
  const { url, kept } = await sso.begin(settings, publicUrl() + callbackPath)
  const browser = randomBytes(24).toString('base64url')
  const content: UnderWay = { ...kept, provider, to: pathOf(request.query.to), browser: digestOf(browser).toString('base64') }
  await keepCode(database, 'sso', kept.state, content, signInLifetimeMs)
  const secure = publicUrl().startsWith('https:') ? '; Secure' : ''
  void reply.header('set-cookie', `${cookieName}=${browser}; Path=/v1/sso; HttpOnly; SameSite=Lax; Max-Age=${signInLifetimeMs / 1000}${secure}`)
  return url
}

/** The sign-in that this answer belongs to, once, and only in the browser that began it. Throws SSO_INVALID. */
async function takeUp({ database }: SsoDeps, request: FastifyRequest): Promise<UnderWay> {
  const { state } = request.query as { state?: string | string[] }
  const underWay = typeof state === 'string' ? await useCode<UnderWay>(database, 'sso', state) : undefined
  if (!underWay) throw fail('SSO_INVALID', { message: 'This sign-in is not known, was used before, or took longer than ten minutes.' })
  const cookie = new RegExp(`(?:^|;\\s*)${cookieName}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1] ?? ''
  if (!timingSafeEqual(digestOf(cookie), Buffer.from(underWay.browser, 'base64'))) throw fail('SSO_INVALID', { message: 'This sign-in was begun in another browser.' })
  return underWay
}

/** Only paths of this portal. */
function pathOf(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : '/'
}

/** A browser is shown the sign-in page with the reason; what is ours stays in the log. */
function told({ log }: SsoDeps, reply: FastifyReply, error: unknown, provider: string): FastifyReply {
  const { code = 'INTERNAL', message, why } = error as { code?: string; message?: string; why?: string; details?: { why?: string } }
  const known = code in errorCatalogue ? (code as ErrorCode) : 'INTERNAL'
  log.warn({ provider, code: known, err: message, why: why ?? (error as { details?: { why?: string } }).details?.why }, 'a single sign-on ended without a session')
  return reply.redirect(`/sign-in?${new URLSearchParams({ problem: known }).toString()}`, 302)
}

function addProviderRoutes(app: FastifyInstance, { database, resources, sso, secrets, authenticator, publicUrl, note }: SsoDeps, providers: Providers): void {
  app.get<Named>('/v1/sso/:provider/logout', { config: { public: true } }, async ({ params }, reply) => {
    const { settings } = await providers.find(params.provider)
    const url = await sso.logoutUrl(settings, `${publicUrl()}/sign-in`).catch(() => undefined)
    return reply.redirect(url ?? '/sign-in', 302)
  })

  // OpenID Connect Back-Channel Logout 1.0
  app.register((scope, _options, done) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, Object.fromEntries(new URLSearchParams(body as string))))
    scope.post<Named>('/v1/sso/:provider/backchannel-logout', { config: { public: true } }, async ({ params, body }, reply) => {
      const { logout_token: token } = (body ?? {}) as { logout_token?: unknown }
      if (typeof token !== 'string') throw fail('BAD_REQUEST', { message: 'A back-channel logout takes logout_token.' })
      const { settings } = await providers.find(params.provider)
      const { session, subject } = await sso.verifyLogout(settings, token)
      const { items } = subject === undefined ? { items: [] } : await resources.list<Resource>(system, 'User', undefined, { fields: [{ path: 'spec.subject', operator: '=', value: `${params.provider}/${subject}` }] })
      const username = items[0]?.metadata.name
      if (session !== undefined || username !== undefined) await endProviderSessions(database, params.provider, { ...(session === undefined ? { username } : { session }) })
      authenticator.forget()
      return reply.code(200).send()
    })
    done()
  })

  app.put<Named>('/v1/sso/:provider/secret', async ({ actor, params, body, ip, id: requestId }) => {
    mustAdministrate(actor, 'set the secret of an identity provider')
    if (!secretRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A client secret is sent as { "secret" }.' })
    await resources.mustGet(system, { kind: 'IdentityProvider', namespace: '', name: params.provider })
    await secrets.write(secretOf(params.provider), body.secret)
    note({ actor: actor.name, verb: 'set-sso-secret', name: params.provider, address: ip, requestId })
    return { provider: params.provider, set: true }
  })

  app.get<Named>('/v1/sso/:provider/check', async ({ actor, params }) => {
    mustAdministrate(actor, 'check an identity provider')
    const { settings } = await providers.find(params.provider)
    const found = await sso.inspect(settings)
    return { ...found, redirectUri: publicUrl() + callbackPath, backchannelLogoutUri: `${publicUrl()}/v1/sso/${params.provider}/backchannel-logout`, secretSet: settings.clientSecret !== undefined }
  })
}

function mustAdministrate(actor: FastifyRequest['actor'], what: string): void {
  mustBeUnbounded(actor)
  if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not ${what}.`, fix: 'Ask an administrator of the platform.' })
}
