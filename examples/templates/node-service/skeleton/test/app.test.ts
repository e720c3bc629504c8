import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { answer } from '../src/app.js'

let server: Server
let base: string

before(async () => {
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(() => server.close())

test('it is healthy', async () => {
  const response = await fetch(`${base}/healthz`)
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { status: 'ok' })
})

test('it greets by name', async () => {
  assert.deepEqual(await (await fetch(`${base}/hello?name=Ada`)).json(), { message: 'Hello, Ada.' })
})

test('it says what it does not know', async () => {
  const response = await fetch(`${base}/nothing`)
  assert.equal(response.status, 404)
  assert.match(((await response.json()) as { error: string }).error, /GET \/nothing/)
})
