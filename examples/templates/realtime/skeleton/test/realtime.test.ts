import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { createRealtime } from '../src/server.js'

const realtime = createRealtime()
let address: string

before(async () => {
  realtime.http.listen(0, '127.0.0.1')
  await once(realtime.http, 'listening')
  address = `127.0.0.1:${(realtime.http.address() as AddressInfo).port}`
})

after(() => realtime.stop())

/** Resolves with the next message of this type. */
function next(client: WebSocket, type: string): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    client.on('message', (data) => {
      const message = JSON.parse(String(data)) as Record<string, unknown>
      if (message.type === type) resolve(message)
    })
  })
}

test('it is healthy', async () => {
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200)
})

test('what one says in a room, the others there hear', async () => {
  const ada = new WebSocket(`ws://${address}/rooms/tea`)
  const bob = new WebSocket(`ws://${address}/rooms/tea`)
  await Promise.all([once(ada, 'open'), once(bob, 'open')])
  const heard = next(bob, 'message')
  ada.send('hello')
  assert.equal((await heard).text, 'hello')
  ada.terminate()
  bob.terminate()
})

test('what is no room is refused', async () => {
  const [error] = (await once(new WebSocket(`ws://${address}/elsewhere`), 'error').catch((error: Error) => [error])) as [Error]
  assert.match(error.message, /404/)
})
