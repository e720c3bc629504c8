/** Serves the portal: one page for every path that a browser navigates to, and its files, which never change under their names. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from './kernel/api/types.ts'

/** Paths that are never a page: whoever asks there wants an answer of the API. */
const apiPaths = /^\/(api|apis|v1|git|openapi|healthz|livez|readyz|metrics|version|scim|\.well-known)(\/|$)/
const yearSeconds = 365 * 24 * 3600
const noncePlaceholder = '__CSP_NONCE__'
const types: Record<string, string> = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2', '.json': 'application/json' }
/** Made by the build beside each file; the smallest first. */
const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** One build of the portal, whole: a build that is replaced while we run must not leave pages of the old one without their files. */
interface Build {
  page: string
  /** By name, packed ones too. */
  files: Map<string, Buffer>
}

async function readBuild(directory: string): Promise<Build> {
  const assets = join(directory, 'assets')
  try {
    const page = await readFile(join(directory, 'index.html'), 'utf8')
    const names = await readdir(assets)
    return { page, files: new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(assets, name))] as const))) }
  } catch (error) {
    throw fail('NOT_FOUND', { message: 'The portal is not built.', fix: 'Run: npm run build' }, { cause: error })
  }
}

/** `directory` holds what the portal's build made. */
export function portalRoutes(directory: string): Routes {
  let reading: Promise<Build> | undefined
  const built = (): Promise<Build> => {
    reading ??= readBuild(directory).catch((error) => {
      reading = undefined
      throw error
    })
    return reading
  }

  return (app: FastifyInstance) => {
    const config = { public: true, unlimited: true }
    app.get<{ Params: { '*': string } }>('/assets/*', { config }, async (request, reply) => sendFile((await built()).files, request, reply))
    app.get('/*', { config }, async (request, reply) => {
      const path = request.url.split('?', 1)[0]!
      if (apiPaths.test(path) || !(request.headers.accept ?? '').includes('text/html')) throw fail('NOT_FOUND', { message: `There is nothing at GET ${path.slice(0, 200)}.`, fix: 'GET /apis lists what there is.' })
      return sendPage((await built()).page, reply)
    })
  }
}

function sendFile(files: Build['files'], { params, headers }: FastifyRequest<{ Params: { '*': string } }>, reply: FastifyReply): FastifyReply {
  const name = params['*']
  const type = types[extname(name)]
  void reply.header('x-content-type-options', 'nosniff').header('vary', 'accept-encoding')
  if (!files.has(name) || type === undefined) return reply.code(404).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send('There is no such file.\n')
  const accepted = String(headers['accept-encoding'] ?? '')
  const packed = encodings.find(([encoding, suffix]) => new RegExp(`\\b${encoding}\\b`).test(accepted) && files.has(name + suffix))
  if (packed) void reply.header('content-encoding', packed[0])
  return reply.header('cache-control', `public, max-age=${yearSeconds}, immutable`).type(type).send(files.get(name + (packed?.[1] ?? '')))
}

function sendPage(page: string, reply: FastifyReply): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  return reply
    .headers({
      'content-security-policy': policy(nonce),
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    })
    .type('text/html; charset=utf-8')
    .send(page.replaceAll(noncePlaceholder, nonce))
}
