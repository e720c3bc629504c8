/** Requests that the platform makes itself, to judge instances that have too little traffic. */
import { Agent, request } from 'node:http'
import type { SyntheticAnswers } from '@pavior/contract'

const atOnce = 4
const firstServerError = 500

/** GETs `path` of these ports in turn. Never throws: what does not answer is an error. */
export async function askInTurn(ports: readonly number[], path: string, count: number, timeoutMs: number): Promise<SyntheticAnswers> {
  if (ports.length === 0) return { requests: 0, errors: 0, p95Ms: null, p99Ms: null }
  const connections = new Agent({ keepAlive: true, maxSockets: atOnce })
  const durations: number[] = []
  let errors = 0
  let next = 0
  const askOn = async (): Promise<void> => {
    while (next < count) {
      const port = ports[next++ % ports.length]!
      const began = performance.now()
      if (!(await isFine(connections, port, path, timeoutMs))) errors++
      durations.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askOn))
  connections.destroy()
  durations.sort((one, other) => one - other)
  const quantile = (share: number): number => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))]!
  return { requests: durations.length, errors, p95Ms: quantile(0.95), p99Ms: quantile(0.99) }
}

function isFine(agent: Agent, port: number, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, agent, headers: { 'user-agent': 'pavior-probe' } }, (response) => {
      response.resume()
      response.once('end', () => resolve((response.statusCode ?? firstServerError) < firstServerError))
    })
    // For the whole answer: one that drips would never be silent.
    const timer = setTimeout(() => asked.destroy(), timeoutMs)
    asked.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
    asked.once('error', () => resolve(false))
    asked.end()
  })
}
