/** Identity providers for tests: a real one (oidc-provider), and one that can be told to lie. Both on the loopback. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

export interface Account {
  email?: string
  email_verified?: boolean
  preferred_username?: string
  name?: string
  groups?: string[]
}

export interface RealIssuer {
  url: string
  /** By what is typed as the login; read at each sign-in. */
  accounts: Record<string, Account>
  stop(): Promise<void>
}

export const clientId = 'pavior'
export const clientSecret = 'a secret of the client that nobody else has'

/** `redirectUri` and `returnTo` are asked late: the platform has its port only once it runs. */
export async function realIssuer(redirectUri: string, returnTo: string): Promise<RealIssuer> {
  const server = createServer()
  const url = await listening(server)
  const accounts: Record<string, Account> = {}
  const provider = new Provider(url, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri], post_logout_redirect_uris: [returnTo], response_types: ['code'], grant_types: ['authorization_code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub, ...accounts[sub] }) }),
    cookies: { keys: ['for tests'] },
    features: { devInteractions: { enabled: true } },
  })
  server.on('request', provider.callback())
  return { url, accounts, stop: () => closed(server) }
}

export interface BentIssuer {
  url: string
  /** What the next ID token says beside or instead of what it should. */
  claims: Record<string, unknown>
  /** Signs with a key that is not published. */
  foreignKey: boolean
  /** A new key; the old one is published no more. */
  rotate(): Promise<void>
  /** As if the person had signed in: the address that the browser is sent back to. */
  answer(authorization: string): string
  logoutToken(claims: Record<string, unknown>): Promise<string>
  stop(): Promise<void>
}

export async function bentIssuer(): Promise<BentIssuer> {
  const server = createServer()
  const url = await listening(server)
  let signer = await newKey('first')
  const foreign = await newKey('first')
  const nonces = new Map<string, string>()
  const sign = (claims: Record<string, unknown>, type = 'JWT'): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    const whole = { iss: url, aud: clientId, sub: 'mallory', iat: now, exp: now + 300, ...claims }
    return new SignJWT(whole).setProtectedHeader({ alg: 'ES256', kid: signer.jwk.kid!, typ: type }).sign(issuer.foreignKey ? foreign.key : signer.key)
  }
  const issuer: BentIssuer = {
    url,
    claims: {},
    foreignKey: false,
    rotate: async () => {
      signer = await newKey(`key-${Math.random()}`)
    },
    answer: (authorization) => {
      const { searchParams } = new URL(authorization)
      const code = `code-${Math.random()}`
      nonces.set(code, searchParams.get('nonce')!)
      return `${searchParams.get('redirect_uri')}?${new URLSearchParams({ code, state: searchParams.get('state')!, iss: url }).toString()}`
    },
    logoutToken: (claims) => sign({ jti: `${Math.random()}`, events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...claims }, 'logout+jwt'),
    stop: () => closed(server),
  }
  server.on('request', (request: IncomingMessage, response) => {
    const send = (body: object): void => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/.well-known/openid-configuration') return send({ issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'], authorization_response_iss_parameter_supported: true })
    if (request.url === '/jwks') return send({ keys: [signer.jwk] })
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const nonce = nonces.get(new URLSearchParams(body).get('code') ?? '')
      void sign({ nonce, ...issuer.claims }).then((token) => send({ access_token: 'opaque', token_type: 'Bearer', id_token: token }))
    })
  })
  return issuer
}

async function newKey(kid: string): Promise<{ key: CryptoKey; jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

/** A browser without a screen: keeps cookies by host, and follows where it is sent when asked to. */
export class Jar {
  readonly #cookies = new Map<string, Map<string, string>>()

  async send(address: string, { form, headers = {} }: { form?: Record<string, string>; headers?: Record<string, string> } = {}): Promise<Response> {
    const { host } = new URL(address)
    const known = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, known)
    const response = await fetch(address, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      headers: { cookie: [...known].map(([name, value]) => `${name}=${value}`).join('; '), ...headers },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';', 1)
      const at = pair.indexOf('=')
      if (pair.slice(at + 1) === '') known.delete(pair.slice(0, at))
      else known.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return response
  }

  cookieOf(address: string): string {
    return [...(this.#cookies.get(new URL(address).host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Where it is sent next, whole. */
  async next(address: string, options: Parameters<Jar['send']>[1] = {}): Promise<string> {
    const response = await this.send(address, options)
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${address} answered ${response.status}: ${(await response.text()).slice(0, 500)}`)
    return new URL(location, address).href
  }
}

/** Signs in at the real issuer as this login, and gives the address that leads back to the platform. */
export async function signInAt(jar: Jar, issuer: string, authorization: string, login: string): Promise<string> {
  let address = authorization
  for (let hops = 0; hops < 20; hops++) {
    if (!address.startsWith(issuer)) return address
    const response = await jar.send(address)
    const location = response.headers.get('location')
    if (location !== null) {
      address = new URL(location, address).href
      continue
    }
    const page = await response.text()
    const form = /<form[^>]*action="([^"]+)"/.exec(page)?.[1] ?? address
    address = await jar.next(new URL(form, address).href, { form: page.includes('name="login"') ? { prompt: 'login', login, password: 'any' } : { prompt: 'consent' } })
  }
  throw new Error('the sign-in goes in circles')
}

