/** Listens, logs each request, and stops gracefully: requests in flight are finished first. */
import { createServer } from 'node:http'
import { answer } from './app.js'
import { log } from './log.js'

const port = Number(process.env.PORT ?? 3000)

const server = createServer((request, response) => {
  const began = performance.now()
  response.on('finish', () => {
    log('info', 'request', { method: request.method, path: request.url, status: response.statusCode, ms: Math.round(performance.now() - began), requestId: request.headers['x-request-id'] })
  })
  answer(request, response).catch((error: Error) => log('error', error.message, { stack: error.stack }))
})

server.listen(port, () => log('info', 'listening', { port }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log('info', 'stopping', { signal })
    server.close(() => process.exit(0))
  })
}
