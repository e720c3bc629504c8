import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { WebSocketServer } from 'ws'

const page = readFileSync(new URL('index.html', import.meta.url))
const server = createServer((request, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(page))
const sockets = new WebSocketServer({ server })

// What one says, all hear.
sockets.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    for (const client of sockets.clients) client.send(data, { binary })
  })
})

server.listen(process.env.PORT)
process.on('SIGTERM', () => {
  for (const client of sockets.clients) client.close(1001, 'restarting')
  server.close(() => process.exit(0))
})
