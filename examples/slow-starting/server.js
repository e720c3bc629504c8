import { createServer } from 'node:http'

const warmUpMs = Number(process.env.WARM_UP_MS ?? 10_000)
let ready = false
setTimeout(() => (ready = true), warmUpMs)

// It listens at once and is ready later: only the health path knows.
createServer((request, response) => {
  if (request.url === '/ready') response.statusCode = ready ? 200 : 503
  response.end(ready ? 'Warm.\n' : 'Warming up.\n')
}).listen(process.env.PORT)
