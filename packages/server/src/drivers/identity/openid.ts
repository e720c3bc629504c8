/** OpenID Connect by openid-client: authorization code flow with PKCE, state and nonce; the signature of every ID token is checked. */
import { fail } from '@pavior/contract'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import type { Claims, Kept, ProviderSettings, SingleSignOn } from '../../rooms/identity/ports.ts'

const timeoutSeconds = 5
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** Clocks of two machines differ. */
const clockToleranceSeconds = 30
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

export function createOpenId(): SingleSignOn {
  return {
    begin: async (settings, redirectUri) => {
      const config = await discover(settings)
      const kept: Kept = { state: client.randomState(), nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() }
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: settings.scopes.join(' '),
        state: kept.state,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, kept }
    },
    // Discovered anew, so that keys which the provider has changed since are known.
    finish: async (settings, callback, kept) => {
      const config = await discover(settings)
      try {
        return await exchange(config, callback, kept)
      } catch (error) {
        throw told(error, settings)
      }
    },
    logoutUrl: async (settings, returnTo) => {
      const config = await discover(settings)
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined
      return client.buildEndSessionUrl(config, { post_logout_redirect_uri: returnTo }).href
    },
    verifyLogout: async (settings, token) => {
      const { jwks_uri: keys, issuer } = (await discover(settings)).serverMetadata()
      try {
        const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(keys!), { timeoutDuration: timeoutSeconds * 1000 }), { issuer, audience: settings.clientId, clockTolerance: clockToleranceSeconds, requiredClaims: ['iat', 'jti', 'events'] })
        if (!(logoutEvent in (payload.events as object)) || payload.nonce !== undefined) throw new Error('it is no logout token')
        return { ...(typeof payload.sid === 'string' ? { session: payload.sid } : {}), ...(payload.sub === undefined ? {} : { subject: payload.sub }) }
      } catch (error) {
        throw told(error, settings)
      }
    },
    inspect: async (settings) => {
      const config = await discover(settings)
      const { issuer, jwks_uri: keys, code_challenge_methods_supported: pkce, end_session_endpoint: logout, scopes_supported: scopes } = config.serverMetadata()
      return { issuer, keys: await countKeys(keys, settings), pkce: pkce?.includes('S256') ?? false, logout: logout !== undefined, scopes: scopes ?? [] }
    },
  }
}

async function exchange(config: client.Configuration, callback: URL, { state, nonce, verifier }: Kept): Promise<Claims> {
  const tokens = await client.authorizationCodeGrant(config, callback, { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true })
  const claims = tokens.claims()!
  const more = config.serverMetadata().userinfo_endpoint === undefined ? {} : await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const sid = claims.sid
  return { sub: claims.sub, ...(typeof sid === 'string' ? { sid } : {}), all: { ...more, ...claims } }
}

async function discover(settings: ProviderSettings): Promise<client.Configuration> {
  const issuer = new URL(settings.issuer)
  const insecure = issuer.protocol === 'http:' && loopback.has(issuer.hostname)
  try {
    // Without TLS only on this machine; openid-client refuses it elsewhere.
    const config = await client.discovery(issuer, settings.clientId, { [client.clockTolerance]: clockToleranceSeconds }, authenticationBy(settings.clientSecret), {
      timeout: timeoutSeconds,
      ...(insecure ? { execute: [client.allowInsecureRequests] } : {}),
    })
    client.enableNonRepudiationChecks(config)
    return config
  } catch (error) {
    throw told(error, settings)
  }
}

/** By whichever way the provider takes a secret. */
function authenticationBy(secret: string | undefined): client.ClientAuth {
  if (secret === undefined) return client.None()
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]
  return (server, ...rest) => ((server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']).includes('client_secret_basic') ? basic : post)(server, ...rest)
}

async function countKeys(address: string | undefined, settings: ProviderSettings): Promise<number> {
  if (address === undefined) return 0
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutSeconds * 1000) })
    return ((await response.json()) as { keys?: unknown[] }).keys?.length ?? 0
  } catch (error) {
    throw told(error, settings)
  }
}

/** "fetch failed" tells nothing; what is below it does. */
function innermost(error: unknown): Error {
  const { cause } = error as { cause?: unknown }
  return cause instanceof Error ? innermost(cause) : (error as Error)
}

/** What cannot be reached is unavailable; everything else cannot be trusted. Neither shows what was sent. */
function told(error: unknown, { issuer }: ProviderSettings): Error {
  const { code, message, cause } = error as { code?: string; message: string; cause?: { code?: string } }
  const unreachable = code === 'OAUTH_TIMEOUT' || code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' || code === 'OAUTH_RESPONSE_IS_NOT_JSON' || (error instanceof TypeError && message === 'fetch failed') || cause?.code === 'ECONNREFUSED' || (error as Error).name === 'TimeoutError'
  if (unreachable) return fail('SSO_UNAVAILABLE', { message: `The identity provider ${issuer} does not answer as one.`, why: innermost(error).message }, { cause: error })
  return fail('SSO_INVALID', { message: 'The answer of the identity provider cannot be trusted.', why: message }, { cause: error })
}
