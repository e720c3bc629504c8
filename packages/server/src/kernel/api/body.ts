/** Request bodies: JSON and YAML, bounded in size and depth. */
import { createHash } from 'node:crypto'
import { fail, isPaviorError } from '@pavior/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseDocument } from 'yaml'
import type { ApiLimits } from './limits.ts'

const jsonTypes = [
  'application/json',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
]
const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'application/apply-patch+yaml']

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the body as it was sent; only for requests with an Idempotency-Key. */
    bodyDigest?: string
  }
}

export function addBodyParsers(app: FastifyInstance, limits: ApiLimits): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser(jsonTypes, { parseAs: 'buffer' }, (request, body, done) =>
    answer(request, done, () => parseJson(noted(request, body as Buffer), limits)),
  )
  app.addContentTypeParser(yamlTypes, { parseAs: 'buffer' }, (request, body, done) =>
    answer(request, done, () => parseYaml(noted(request, body as Buffer), limits)),
  )
}

function answer({ routeOptions }: FastifyRequest, done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  let body: unknown
  try {
    body = parse()
  } catch (error) {
    return done(routeOptions.config.holdsSecret ? withoutQuote(error) : (error as Error))
  }
  done(null, body)
}

/** What a parser says quotes the body. */
function withoutQuote(error: unknown): Error {
  if (!isPaviorError(error) || error.details.why === undefined) return error as Error
  return fail(error.code, { message: error.details.message })
}

function noted(request: FastifyRequest, body: Buffer): Buffer {
  if (request.headers['idempotency-key'] !== undefined) request.bodyDigest = createHash('sha256').update(body).digest('base64')
  return body
}

/** Empty is undefined. Throws BAD_REQUEST, TOO_LARGE. */
function parseJson(body: Buffer, limits: ApiLimits): unknown {
  if (body.length === 0) return undefined
  if (deeperThan(body, limits.bodyDepth)) throw tooDeep(limits)
  const text = body.toString('utf8')
  try {
    return text.includes('__proto__') ? JSON.parse(text, refusePrototype) : JSON.parse(text)
  } catch (error) {
    throw fail('BAD_REQUEST', { message: 'The body is not valid JSON.', why: (error as Error).message })
  }
}

function parseYaml(body: Buffer, limits: ApiLimits): unknown {
  if (body.length === 0) return undefined
  // Clients that apply mostly send JSON, which is YAML too and much faster read as what it is.
  if (body[0] === 0x7b) {
    try {
      return parseJson(body, limits)
    } catch (error) {
      if (deeperThan(body, limits.bodyDepth)) throw error
    }
  }
  if (body.length > limits.yamlBytes)
    throw fail('TOO_LARGE', {
      message: `The YAML body has ${body.length} bytes; ${limits.yamlBytes} are allowed.`,
      fix: 'Send less, or send JSON.',
    })
  if (deeperThan(body, limits.bodyDepth)) throw tooDeep(limits)
  let value: unknown
  try {
    const document = parseDocument(body.toString('utf8'), { uniqueKeys: true, stringKeys: true, logLevel: 'silent' })
    const [problem] = document.errors
    if (problem) throw problem
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw fail('BAD_REQUEST', { message: 'The body is not valid YAML.', why: firstLine(error as Error) })
  }
  if (nestedDeeperThan(value, limits.bodyDepth)) throw tooDeep(limits)
  return value
}

function firstLine(error: Error): string {
  return error instanceof RangeError ? 'It is nested too deeply.' : error.message.split('\n', 1)[0]!
}

function tooDeep({ bodyDepth }: ApiLimits): Error {
  return fail('BAD_REQUEST', { message: `The body is nested more than ${bodyDepth} levels deep.` })
}

function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('"__proto__" is not a key that can be used.')
  return value
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]

/** Counts open braces and brackets outside of strings, so that nothing deep ever reaches a recursive function. */
function deeperThan(body: Buffer, most: number): boolean {
  if (body.length <= most * 2) return false
  let depth = 0
  let inString = false
  for (let index = 0; index < body.length; index++) {
    const byte = body[index]
    if (inString) {
      if (byte === backslash) index++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > most) return true
    } else if (byte === closeBrace || byte === closeBracket) depth--
  }
  return false
}

function nestedDeeperThan(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (most === 0) return true
  return Object.entries(value).some(([key, inner]) => key === '__proto__' || nestedDeeperThan(inner, most - 1))
}
