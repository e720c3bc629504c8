/** Serves a directory: the web process of a static site. Bundled into one file and put into the artifact. */
import { createServer } from 'node:http'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sirv from 'sirv'

const root = siteRoot(resolve(process.argv[2] ?? '.'))
const notFoundPage = join(root, '404.html')
const notFound = existsSync(notFoundPage) ? readFileSync(notFoundPage) : Buffer.from('Not found\n')
const type = existsSync(notFoundPage) ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'

// Names that begin with a dot are not published, except those that the web itself defines.
const serve = sirv(root, { etag: true, dotfiles: false, maxAge: 0 })
const server = createServer((request, response) => {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  serve(request, response, () => {
    response.writeHead(404, { 'content-type': type, 'content-length': notFound.length }).end(request.method === 'HEAD' ? undefined : notFound)
  })
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})

/** Some tools put the site one or two directories deeper, below the name of the project. */
function siteRoot(top: string): string {
  if (existsSync(join(top, 'index.html'))) return top
  const below = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const deeper = below.flatMap(({ name }) => [join(top, name), join(top, name, 'browser')]).filter((directory) => existsSync(join(directory, 'index.html')))
  return deeper.length === 1 ? deeper[0]! : top
}
