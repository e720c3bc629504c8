import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DesiredProbe, RequestRecord } from '@pavior/contract'
import { afterEach, expect, test } from 'vitest'
import { Prober } from './probes.ts'
import { askOnce } from './synthetic.ts'

const open: Server[] = []
afterEach(() => open.splice(0).forEach((server) => { server.closeAllConnections(); server.close() }))

async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  open.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`
}

test('what answers whole is told by its status; what drips, breaks off or is not there is an error of its own', async () => {
  expect(await askOnce(await listening((_request, response) => response.writeHead(503).end('down')), 1000)).toMatchObject({ status: 503, bytes: 4 })
  expect(await askOnce(await listening((_request, response) => response.writeHead(404).end()), 1000)).toMatchObject({ status: 404 })
  expect(await askOnce(await listening((_request, response) => { response.writeHead(200, { 'content-length': 10 }); response.write('d') }), 100)).toMatchObject({ status: 504 })
  expect(await askOnce(await listening((_request, response) => { response.writeHead(200, { 'content-length': 10 }); response.write('d'); setImmediate(() => response.destroy()) }), 5000)).toMatchObject({ status: 502 })
  expect(await askOnce('http://127.0.0.1:1/', 1000)).toMatchObject({ status: 502 })
})

test('each answer is one request of the interval that it began in; a probe that stays goes on, one that goes ends', async () => {
  const records: RequestRecord[] = []
  const heard: (() => void)[] = []
  let asked = 0
  let status = 200
  const url = await listening((_request, response) => { asked++; response.writeHead(status).end('ok') })
  const prober = new Prober({ record: (record) => { records.push(record); heard.splice(0).forEach((hear) => hear()) }, random: () => 0 })
  const next = (): Promise<void> => new Promise((resolve) => heard.push(resolve))
  const probe: DesiredProbe = { team: 'platform', app: 'api', environment: 'production', url, expects: 200, intervalMs: 20, timeoutMs: 5000 }
  prober.ask([probe])
  await next()
  expect(records[0]).toMatchObject({ team: 'platform', app: 'api', environment: 'production', release: 0, instance: '', intervalMs: 5000, statusClasses: [0, 1, 0, 0, 0], routerErrors: 0, bytesOut: 2 })
  expect(Date.parse(records[0]!.from) % 5000).toBe(0)
  expect(records[0]!.durationBuckets.reduce((sum, count) => sum + count, 0)).toBe(1)
  status = 503
  prober.ask([{ ...probe }])
  await next()
  await next()
  expect(records.at(-1)).toMatchObject({ statusClasses: [0, 0, 0, 0, 1], routerErrors: 0 })
  prober.close()
  const before = asked
  const other = await listening((_request, response) => response.writeHead(302, { location: '/' }).end())
  prober.ask([{ ...probe, url: other }])
  await next()
  await next()
  prober.close()
  expect(records.at(-1)).toMatchObject({ statusClasses: [0, 0, 0, 0, 1] })
  expect(asked).toBeLessThanOrEqual(before + 1)
})
