import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok\n')
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`Hello from ${process.env.PAVIOR_APP ?? 'hello-node'} v${process.env.PAVIOR_RELEASE ?? '0'}\n`)
})

server.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`))

// Finish the requests in flight, then go.
process.on('SIGTERM', () => server.close(() => process.exit(0)))
