/** Requests that the platform makes itself: to judge instances that have too little traffic, and to probe its own parts. */
import { Agent, get } from 'node:http'
import type { SyntheticAnswers } from '@pavior/contract'

const atOnce = 4
const firstServerError = 500
/** Of an answer that did not come in time, and of one that broke off or never began. */
export const silentStatus = 504
export const brokenStatus = 502

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
      const { status, durationMs } = await askOnce(`http://127.0.0.1:${port}${path}`, timeoutMs, connections)
      if (status >= firstServerError) errors++
      durations.push(durationMs)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askOn))
  connections.destroy()
  durations.sort((one, other) => one - other)
  const quantile = (share: number): number => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))]!
  return { requests: durations.length, errors, p95Ms: quantile(0.95), p99Ms: quantile(0.99) }
}

export interface Answer {
  status: number
  durationMs: number
  bytes: number
}

/** One request, with its whole answer. Never throws: what does not answer has a status of its own. */
export function askOnce(url: string, timeoutMs: number, agent: Agent | false = false): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve) => {
    let bytes = 0
    let timedOut = false
    const settle = (status: number): void => {
      clearTimeout(timer)
      resolve({ status, durationMs: performance.now() - began, bytes })
    }
    const asked = get(url, { agent, headers: { 'user-agent': 'pavior-probe', accept: 'text/html, */*' } }, (response) => {
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.once('end', () => settle(response.statusCode ?? brokenStatus))
      response.once('error', () => {})
    })
    // For the whole answer: one that drips would never be silent.
    const timer = setTimeout(() => {
      timedOut = true
      asked.destroy()
    }, timeoutMs)
    asked.once('error', () => {})
    asked.once('close', () => settle(timedOut ? silentStatus : brokenStatus))
  })
}
