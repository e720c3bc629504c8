/**
 * Exports: lines and points a second that go on to a receiver, beside their intake on the same machine.
 *
 *   node bench/run.mjs exports [seconds=8]
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encode } from '../packages/server/src/rooms/telemetry/otlp/protobuf.ts'
import { join } from 'node:path'
import { cpuSeconds, root, show, startPlatform, type BenchPlatform } from './platform.ts'

const [seconds = 8] = process.argv.slice(2).map(Number)
const atOnce = 4
const itemsOfRequest = 2000
const drainMs = 60_000

/** Answers as a receiver that is never busy. */
async function receiver(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => request.resume().on('end', () => response.writeHead(204).end()))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void (server.closeAllConnections(), server.close()) }
}

async function exported(platform: BenchPlatform, signal: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', platform.url))).text()
  return Number(new RegExp(`pavior_telemetry_exported_total\\{signal="${signal}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

async function post({ url, token }: BenchPlatform, path: string, body: Buffer): Promise<void> {
  const response = await fetch(new URL(path, url), { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-protobuf', 'pavior-team': 'default', 'pavior-app': 'hello-node' }, body: body as never })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
}

const now = (): { low: number; high: number; unsigned: boolean } => {
  const value = BigInt(Date.now()) * 1_000_000n
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: true }
}

const messages = {
  logs: () => encode('ExportLogsServiceRequest', { resourceLogs: [{ scopeLogs: [{ logRecords: Array.from({ length: itemsOfRequest }, (_, index) => ({ timeUnixNano: now(), severityNumber: 9, body: { stringValue: `order ${index} placed in 12 ms by somebody who wanted it at once, request ${(index * 7919).toString(16).padStart(16, '0')}` } })) }] }] }),
  metrics: () => encode('ExportMetricsServiceRequest', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'load', gauge: { dataPoints: Array.from({ length: itemsOfRequest }, (_, index) => ({ timeUnixNano: now(), asDouble: Math.random(), attributes: [{ key: 'route', value: { stringValue: `/items/${index % 500}` } }] })) } }] }] }] }),
}

async function measure(platform: BenchPlatform, signal: 'logs' | 'metrics', name: string): Promise<void> {
  const before = { sent: await exported(platform, signal), cpu: cpuSeconds(platform) }
  const began = performance.now()
  let taken = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() - began < seconds * 1000) {
        await post(platform, `/v1/otlp/v1/${signal}`, await messages[signal]())
        taken += itemsOfRequest
      }
    }),
  )
  const intake = taken / ((performance.now() - began) / 1000)
  const beside = ((await exported(platform, signal)) - before.sent) / ((performance.now() - began) / 1000)
  const until = performance.now() + drainMs
  while ((await exported(platform, signal)) - before.sent < taken && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 100))
  const took = (performance.now() - began) / 1000
  const sent = (await exported(platform, signal)) - before.sent
  show(`${name} exported a second, beside ${intake.toFixed(0)}/s that came`, `${beside.toFixed(0)}/s`, 'printed', true)
  console.log(`  ${sent} of ${taken} sent ${took.toFixed(1)} s after the first came, ${(sent / took).toFixed(0)}/s in all; server CPU ${(((cpuSeconds(platform) - before.cpu) / taken) * 1e6).toFixed(1)} µs each, intake and export together; load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}`)
}

const platform = await startPlatform({ PAVIOR_LOG_LINES_PER_SECOND: '1000000', PAVIOR_LOG_KIB_PER_SECOND: '1000000', PAVIOR_METRIC_POINTS_PER_SECOND: '1000000' })
const to = await receiver()
try {
  await platform.cli(['deploy'], join(root, 'examples/hello-node'))
  for (const [name, flag, url] of [['loki', '--loki', to.url], ['prometheus', '--prometheus', `${to.url}/api/v1/write`]] as const) {
    const { code, stderr } = await platform.cli(['export', 'add', name, flag, url], root)
    if (code !== 0) throw new Error(stderr)
  }
  await measure(platform, 'logs', 'lines')
  await measure(platform, 'metrics', 'points')
} finally {
  to.close()
  await platform.stop()
}
