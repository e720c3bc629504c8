/** Asks an address once, as its users do: an app through the router, anything else by its name. */
import { get as getPlain, type IncomingMessage, type RequestOptions } from 'node:http'
import { get as getSecure } from 'node:https'
import { deadline } from '../../kernel/deadline.ts'
import { addressProblem, outwardLookup, refusalIn } from '../../kernel/outward.ts'
import type { Probe, ProbeTarget } from '../../rooms/reliability/alerts/ports.ts'

export function createAddressProbe(routerPort: () => number): Probe {
  return (target, signal) =>
    new Promise((resolve) => {
      const began = performance.now()
      const problem = target.throughRouter ? undefined : addressProblem(target.url)
      if (problem !== undefined) return resolve({ ok: false, tookMs: 0, text: problem })
      const { signal: limit, clear } = deadline(target.timeoutMs, signal)
      const ended = (text: string | undefined): void => {
        clear()
        resolve({ ok: text === undefined, tookMs: performance.now() - began, text })
      }
      const url = new URL(target.url)
      const options: RequestOptions = { agent: false, signal: limit, headers: { 'user-agent': 'Pavior', ...(target.throughRouter ? { host: url.host } : {}) }, ...(target.throughRouter ? { host: '127.0.0.1', port: routerPort(), path: url.pathname + url.search } : { lookup: outwardLookup }) }
      const heard = (answer: IncomingMessage): void => {
        answer.destroy()
        ended(wrongWith(answer.statusCode ?? 0, target))
      }
      const asked = target.throughRouter ? getPlain(options, heard) : url.protocol === 'https:' ? getSecure(url, options, heard) : getPlain(url, options, heard)
      asked.on('error', (error: NodeJS.ErrnoException) => ended(refusalIn(error) ?? (limit.aborted ? `did not answer within ${target.timeoutMs / 1000} s` : `cannot be reached: ${error.code ?? 'the connection failed'}`)))
    })
}

function wrongWith(answered: number, { status }: ProbeTarget): string | undefined {
  const fine = status === undefined ? answered >= 200 && answered < 300 : answered === status
  return fine ? undefined : `answered ${answered}`
}
