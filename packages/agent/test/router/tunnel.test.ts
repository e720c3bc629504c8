import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { atEnd, cleanUp, rawClient, setOf, tableOf, testApp, testRouter } from './harness.ts'

afterEach(cleanUp)

describe('tunnels', () => {
  async function chat(): Promise<{ port: number; sockets: Socket[] }> {
    const sockets: Socket[] = []
    const app = await testApp((_, response) => {
      response.writeHead(426, { connection: 'close' })
      response.end('upgrade required')
    })
    app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (request.url === '/refused') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
      sockets.push(socket)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
      const tell = (data: Buffer): void => sockets.forEach((other) => other.write(data))
      if (head.length > 0) tell(head)
      socket.on('data', tell).on('error', () => socket.destroy()).on('end', () => socket.end('bye'))
    })
    atEnd(() => sockets.forEach((socket) => socket.destroy()))
    return { port: app.port, sockets }
  }
  const upgrade = (path = '/'): string => {
    return `GET ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: chat\r\n\r\n`
  }

  test('two clients talk to each other, and a closed side is passed on', async () => {
    const { port } = await chat()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    const [ann, ben] = [rawClient(router), rawClient(router)]
    // Bytes that come right behind the head wait for the answer.
    await ann.send(upgrade()).until(/upgrade: chat\r\n(.*\r\n)*\r\n/)
    await ben.send(`${upgrade()}early`).until(/early/)
    await ann.until(/early/)
    await Promise.all([ann.send('hello ben').socket, ben.until(/hello ben/)])
    ben.socket.end()
    expect(await ben.ended).toMatch(/bye$/)
  })

  test('a refused upgrade is an ordinary answer, and what follows is an ordinary request', async () => {
    const { port } = await chat()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    const client = rawClient(router).send(`${upgrade('/refused')}GET /after HTTP/1.1\r\nHost: app.test\r\n\r\n`)
    expect(await client.until(/upgrade required/)).toMatch(/^HTTP\/1\.1 403 .*no.*HTTP\/1\.1 426 /s)
  })

  test('h2c is not passed on', async () => {
    const app = await testApp()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])]))
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
    await rawClient(router).send(`GET / HTTP/1.1\r\nHost: app.test\r\n${offer}\r\n`).until(/hello/)
    expect(app.requests[0]!.headers).not.toHaveProperty('upgrade')
    expect(app.requests[0]!.headers).not.toHaveProperty('http2-settings')
  })

  test('drain waits for an upgraded connection up to its time', async () => {
    const { port } = await chat()
    const router = await testRouter()
    const set = setOf('v1', [port])
    await router.update(tableOf([set]))
    const client = rawClient(router)
    await client.send(upgrade()).until(/101 Switching/)
    await router.update(tableOf([], []))
    const { instance } = set.endpoints[0]!
    expect(await router.drain(instance, 200)).toEqual({ inFlight: 1 })
    await client.send('still there').until(/still there/)
    const drained = router.drain(instance, 10_000)
    client.socket.destroy()
    expect(await drained).toEqual({ inFlight: 0 })
  })

  test('an instance that dies ends the tunnel', async () => {
    const { port, sockets } = await chat()
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [port])]))
    const client = rawClient(router)
    await client.send(upgrade()).until(/101 Switching/)
    sockets[0]!.destroy()
    await client.ended
  })
})

describe('WebSocket', () => {
  const frame = (text: Buffer): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), text])

  /** Text of a masked frame below 126 bytes. */
  function textOf(data: Buffer): Buffer {
    const [length, mask] = [data[1]! & 0x7f, data.subarray(2, 6)]
    return Buffer.from(data.subarray(6, 6 + length).map((byte, index) => byte ^ mask[index % 4]!))
  }

  test('two clients see each other\'s messages', async () => {
    const app = await testApp()
    const sockets: Socket[] = []
    app.server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
      const accept = `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${accept}\r\n\r\n`)
      sockets.push(socket)
      socket.on('data', (data) => { if (data[0] === 0x81) sockets.forEach((other) => other.write(frame(textOf(data)))) })
      socket.on('error', () => socket.destroy())
    })
    atEnd(() => sockets.forEach((socket) => socket.destroy()))
    const router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])], [{ host: '127.0.0.1' }]))
    const open = async (): Promise<WebSocket> => {
      const client = new WebSocket(`ws://127.0.0.1:${router.port}/`)
      await new Promise((resolve, reject) => {
        client.addEventListener('open', resolve)
        client.addEventListener('error', reject)
      })
      return client
    }
    const [ann, ben] = [await open(), await open()]
    const heard = [ann, ben].map((client) => new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data))))
    ann.send('hello, both of you')
    expect(await Promise.all(heard)).toEqual(['hello, both of you', 'hello, both of you'])
    ann.close()
    ben.close()
  })
})
