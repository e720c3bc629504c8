/** Serves the portal: one page for every path that a browser navigates to, and its files, which never change under their names. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'
import sirv from 'sirv'
import type { Routes } from './kernel/api/types.ts'

/** Paths that are never a page: whoever asks there wants an answer of the API. */
const apiPaths = /^\/(api|apis|v1|git|openapi|healthz|livez|readyz|metrics|version)(\/|$)/
const yearSeconds = 365 * 24 * 3600
const noncePlaceholder = '__CSP_NONCE__'

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

/** `directory` holds what the portal's build made. */
export function portalRoutes(directory: string): Routes {
  const files = sirv(directory, { etag: true, brotli: true, gzip: true, setHeaders: (response, path) => response.setHeader('cache-control', path.startsWith('/assets/') ? `public, max-age=${yearSeconds}, immutable` : 'no-cache') })
  let page: Promise<string> | undefined

  const sendPage = async (reply: FastifyReply): Promise<void> => {
    page ??= readFile(join(directory, 'index.html'), 'utf8').catch((error) => {
      page = undefined
      throw fail('NOT_FOUND', { message: 'The portal is not built.', fix: 'Run: npm run build' }, { cause: error })
    })
    const nonce = randomBytes(16).toString('base64')
    const html = (await page).replaceAll(noncePlaceholder, nonce)
    reply.headers({
      'content-security-policy': policy(nonce),
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    })
    await reply.type('text/html; charset=utf-8').send(html)
  }

  return (app: FastifyInstance) => {
    const config = { public: true, unlimited: true }
    app.get('/assets/*', { config }, (request, reply) => {
      reply.hijack()
      reply.raw.setHeader('x-content-type-options', 'nosniff')
      files(request.raw, reply.raw, () => void reply.raw.writeHead(404, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end('Not found.\n'))
    })
    app.get('/*', { config }, async (request, reply) => {
      const path = request.url.split('?', 1)[0]!
      if (apiPaths.test(path) || !(request.headers.accept ?? '').includes('text/html')) throw fail('NOT_FOUND', { message: `There is nothing at GET ${path.slice(0, 200)}.`, fix: 'GET /apis lists what there is.' })
      await sendPage(reply)
      return reply
    })
  }
}
