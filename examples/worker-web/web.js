import { createServer } from 'node:http'

const server = createServer((request, response) => response.end(`web of release v${process.env.PAVIOR_RELEASE}, instance ${process.env.PAVIOR_INSTANCE}\n`))
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
