import { createServer } from 'node:http'

if (process.env.CRASH_AT_START === 'yes') {
  console.error('CRASH_AT_START is set, so this ends before it listens')
  process.exit(3)
}

createServer((request, response) => {
  if (request.url !== '/crash') return response.end('Alive. GET /crash ends this instance.\n')
  console.error('somebody asked for it')
  process.exit(1)
}).listen(process.env.PORT)
