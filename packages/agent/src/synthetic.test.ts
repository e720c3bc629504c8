import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { askInTurn } from './synthetic.ts'

const open: Server[] = []
afterEach(() => open.splice(0).forEach((server) => { server.closeAllConnections(); server.close() }))

async function instance(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  open.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('instances are asked in turn, and 5xx counts as an error', async () => {
  const asked = [0, 0]
  const well = await instance((_request, response) => { asked[0]!++; response.end('ok') })
  const badly = await instance((request, response) => { asked[1]!++; response.writeHead(request.url === '/health' ? 503 : 200).end() })
  expect(await askInTurn([well, badly], '/health', 20, 1000)).toMatchObject({ requests: 20, errors: 10 })
  expect(asked).toEqual([10, 10])
})

test('a 404 is an answer; none, half of one and one that drips are not', async () => {
  const missing = await instance((_request, response) => response.writeHead(404).end())
  expect(await askInTurn([missing], '/', 8, 1000)).toMatchObject({ requests: 8, errors: 0 })
  const breaking = await instance((_request, response) => { response.writeHead(200, { 'content-length': 10 }); response.write('half'); setImmediate(() => response.destroy()) })
  const dripping = await instance((_request, response) => { response.writeHead(200, { 'content-length': 10 }); response.write('d') })
  expect(await askInTurn([breaking, dripping], '/', 8, 200)).toMatchObject({ requests: 8, errors: 8 })
  expect(await askInTurn([1], '/', 3, 500)).toMatchObject({ requests: 3, errors: 3 })
})

test('without instances nothing is asked', async () => {
  expect(await askInTurn([], '/', 10, 1000)).toEqual({ requests: 0, errors: 0, p95Ms: null, p99Ms: null })
})
