/** Listens, and stops gracefully: every client is told to come back. */
import { log } from './log.js'
import { createRealtime } from './server.js'

const port = Number(process.env.PORT ?? 3000)
const realtime = createRealtime()

realtime.http.listen(port, () => log('info', 'listening', { port }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log('info', 'stopping', { signal })
    realtime.stop().then(() => process.exit(0))
  })
}
