/**
 * Measures how soon somebody is told after a condition holds, with a few rules and with many, and what many rules cost.
 * Conditions are of the form time() > T, so that the moment is known exactly; metrics of apps come 5 s later, with the router's counts.
 *
 *   node bench/run.mjs alerts [rules=1000] [alerts=20]
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { startPlatform } from './platform.ts'

const [rules = 1000, alerts = 20] = process.argv.slice(2).map(Number)
const spacingMs = 1300
const leadMs = 8000
const patienceMs = 60_000
const measuredMs = 30_000
const base = '/apis/pavior.dev/v1/namespaces/default'

const platform = await startPlatform()
const arrived = new Map<string, number>()
const hook = createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => (text += String(chunk)))
  request.on('end', () => {
    const { kind, summary } = JSON.parse(text) as { kind: string; summary: string }
    if (kind === 'Fired') arrived.set(summary, Date.now())
    response.end()
  })
})
await new Promise<void>((resolve) => void hook.listen(0, '127.0.0.1', resolve))

async function api(method: string, path: string, body?: object): Promise<string> {
  const response = await fetch(platform.url + path, { method, headers: { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
  return text
}

const declare = (plural: string, name: string, spec: object): Promise<string> => api('POST', `${base}/${plural}`, { metadata: { name }, spec })

/** From the moment at which each condition holds until its message is there; rises. */
async function delays(prefix: string): Promise<number[]> {
  const begin = Date.now() + leadMs
  const due = new Map<string, number>()
  for (let index = 0; index < alerts; index++) {
    const at = Math.ceil((begin + index * spacingMs) / 1000) * 1000
    due.set(`${prefix} ${index}`, at)
    await declare('alertrules', `${prefix}-${index}`, { severity: 'page', summary: `${prefix} ${index}`, condition: { metric: { query: 'time()', above: at / 1000 } } })
  }
  const end = begin + alerts * spacingMs + patienceMs
  while ([...due.keys()].some((summary) => !arrived.has(summary)) && Date.now() < end) await pause(200)
  const missing = [...due.keys()].filter((summary) => !arrived.has(summary))
  if (missing.length > 0) throw new Error(`nobody was told of ${missing.join(', ')}`)
  return [...due].map(([summary, at]) => arrived.get(summary)! - at).toSorted((one, other) => one - other)
}

async function cpuSeconds(): Promise<number> {
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(await api('GET', '/metrics'))![1])
}

async function cpuPercent(): Promise<number> {
  const [before, at] = [await cpuSeconds(), performance.now()]
  await pause(measuredMs)
  return ((await cpuSeconds()) - before) / ((performance.now() - at) / 1000) * 100
}

const line = (name: string, sorted: number[]): void => console.log(`${name}: median ${(sorted[Math.floor(sorted.length / 2)]! / 1000).toFixed(1)} s, p95 ${(sorted[Math.ceil(sorted.length * 0.95) - 1]! / 1000).toFixed(1)} s, slowest ${(sorted.at(-1)! / 1000).toFixed(1)} s`)

try {
  await declare('notificationchannels', 'hook', { webhook: { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}` } })
  await declare('escalationpolicies', 'default', { levels: [{ channels: ['hook'] }] })
  const idle = await cpuPercent()
  line(`condition holds → message, ${alerts} alerts`, await delays('few'))
  for (let index = 0; index < rules; index += 20) {
    await Promise.all(Array.from({ length: Math.min(20, rules - index) }, (_, offset) => declare('alertrules', `rule-${index + offset}`, { severity: 'ticket', condition: { metric: { query: `sum(rate(http_requests_total{app="app-${index + offset}"}[5m]))`, above: 100 } } })))
  }
  await pause(leadMs)
  const busy = await cpuPercent()
  line(`the same beside ${rules} rules`, await delays('many'))
  console.log(`CPU of the server: ${idle.toFixed(1)} % of a core without rules, ${busy.toFixed(1)} % with ${rules}`)
} finally {
  hook.close()
  await platform.stop()
}
