/** Load for tests and benchmarks. */
import { Agent, request } from 'node:http'

/** Requests without end, half on one connection, half on new ones, until stopped; counts what failed. */
export function constantLoad(port: number, host: string): { stop: () => Promise<{ total: number; failures: string[] }> } {
  let stopped = false
  let total = 0
  const failures: string[] = []
  const one = async (keepAlive: boolean): Promise<void> => {
    const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!stopped) {
      total++
      await new Promise<void>((resolve) => {
        const outgoing = request({ host: '127.0.0.1', port, headers: { host }, agent: agent ?? false }, (response) => {
          response.resume()
          if (response.statusCode !== 200) failures.push(`status ${response.statusCode}`)
          response.on('end', resolve)
          response.on('error', (error) => {
            failures.push(error.message)
            resolve()
          })
        })
        outgoing.on('error', (error) => {
          failures.push(error.message)
          resolve()
        })
        outgoing.end()
      })
    }
    agent?.destroy()
  }
  const running = Promise.all([one(true), one(true), one(false), one(false)])
  return {
    stop: async () => {
      stopped = true
      await running
      return { total, failures }
    },
  }
}
