import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { userInfo } from 'node:os'

const server = createServer((request, response) => {
  // The container's own files may be written; the changes are gone when the instance is.
  appendFileSync('visits.txt', '.')
  const visits = readFileSync('visits.txt', 'utf8').length
  response.end(`${process.env.GREETING}, ${readFileSync('built.txt', 'utf8')}, run by ${userInfo().username}. Visits: ${visits}\n`)
})
// The platform gives every instance its own port; 3000 is for running the image elsewhere.
server.listen(process.env.PORT ?? 3000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
