/** Prometheus' HTTP API: https://prometheus.io/docs/prometheus/2.53/querying/api/ */
import { addressProblem, refusalIn } from '../../kernel/outward.ts'
import type { AskSource } from '../../rooms/telemetry/sources/ports.ts'
import { exchange, saidIn } from './exchange.ts'

/** Questions that may be long are posted; the others know GET only. */
const posted = new Set(['query', 'query_range', 'series', 'labels'])

export const askSource: AskSource = async ({ url, headers: own, secrets, path, parameters, mostBytes }, signal) => {
  const problem = addressProblem(url)
  if (problem !== undefined) throw new Error(`The address ${problem}.`)
  const address = `${url.replace(/\/+$/, '')}/api/v1/${path}`
  const text = parameters.toString()
  const sent = posted.has(path) ? { url: address, headers: { ...own, 'content-type': 'application/x-www-form-urlencoded' }, body: text } : { url: `${address}${text === '' ? '' : `?${text}`}`, method: 'GET' as const, headers: own }
  const { status, headers, body, cut } = await exchange({ ...sent, headers: { ...sent.headers, accept: 'application/json' } }, signal, mostBytes).catch((error: unknown) => {
    const reason = refusalIn(error)
    if (reason !== undefined) throw new Error(`The address ${reason}.`)
    const { code } = error as { code?: unknown }
    // Its own text names the address.
    throw signal.aborted ? error : new Error(`It could not be reached: ${String(code ?? 'the connection failed')}.`)
  })
  return { status, isJson: /^application\/json\b/.test(headers['content-type'] ?? ''), body, cut, said: saidIn(body.subarray(0, 4096), secrets) }
}
