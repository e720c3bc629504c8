/** Asks an app one thing as its users do: through the router. */
import { get } from 'node:http'
import type { AppProbe } from '../../rooms/catalog/ports.ts'

const patienceMs = 2000

/** Success is a status of 2xx in time; a redirection is none. */
export function createAppProbe(routerPort: () => number): AppProbe {
  return (url, path) =>
    new Promise((resolve) => {
      const asked = get({ host: '127.0.0.1', port: routerPort(), path, headers: { host: new URL(url).host }, agent: false, timeout: patienceMs }, ({ statusCode = 0 }) => {
        asked.destroy()
        resolve(statusCode >= 200 && statusCode < 300)
      })
      asked.on('timeout', () => asked.destroy())
      asked.on('error', () => resolve(false))
    })
}
