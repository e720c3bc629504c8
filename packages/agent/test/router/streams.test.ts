import { createHash, randomBytes } from 'node:crypto'
import * as http from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { cleanUp, rawClient, routerTo, setOf, signal, testApp } from './harness.ts'

afterEach(cleanUp)

describe('uploads', () => {
  test('an instance that refuses an upload and closes is heard, although the upload goes on', async () => {
    const app = await testApp((_, response) => {
      response.writeHead(413, { connection: 'close' })
      response.end('too much')
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const upload = (): Promise<number> => new Promise((resolve, reject) => {
      const options = { port: router.port, host: '127.0.0.1', method: 'POST', headers: { host: 'app.test' }, agent: false }
      const request = http.request(options, (response) => {
        response.resume().on('end', () => request.destroy())
        resolve(response.statusCode!)
      })
      request.on('error', reject)
      const block = Buffer.alloc(1_048_576)
      const write = (): void => {
        while (!request.destroyed) if (!request.write(block)) return void request.once('drain', write)
      }
      write()
    })
    for (let i = 0; i < 10; i++) expect(await upload()).toBe(413)
  })
})

describe('streams', () => {
  test('events arrive at once, and the instance learns that the reader is gone', async () => {
    const stream = signal<http.ServerResponse>()
    const gone = signal()
    const app = await testApp((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      request.on('close', () => gone.resolve())
      stream.resolve(response)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router).send('GET /events HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await client.until(/\r\n\r\n/)
    const response = await stream.promise
    for (const event of ['one', 'two', 'three']) {
      response.write(`data: ${event}\n\n`)
      await client.until(new RegExp(`data: ${event}`))
    }
    client.socket.destroy()
    await gone.promise
  })

  test('a client that goes away cancels its request at the instance', async () => {
    const [arrived, gone] = [signal(), signal()]
    const app = await testApp((request) => {
      request.on('close', () => gone.resolve())
      arrived.resolve()
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const request = http.get({ port: router.port, host: '127.0.0.1', headers: { host: 'app.test' }, agent: false }).on('error', () => {})
    await arrived.promise
    request.destroy()
    await gone.promise
  })

  test('a client that closes its sending side behind its request still gets the answer', async () => {
    const app = await testApp((_, response) => setTimeout(() => response.end('answer'), 50))
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router)
    client.socket.end('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    expect(await client.ended).toMatch(/answer$/)
  })

  test('100 MB pass both ways with bounded memory', async () => {
    const size = 100 * 1_048_576
    const block = randomBytes(1_048_576)
    const app = await testApp((request, response) => {
      response.setHeader('content-type', 'application/octet-stream')
      request.pipe(response)
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const [sent, received] = [createHash('sha256'), createHash('sha256')]
    let bytes = 0
    let peak = 0
    await new Promise<void>((resolve, reject) => {
      const headers = { host: 'app.test', 'content-length': size }
      const options = { port: router.port, host: '127.0.0.1', method: 'POST', headers, agent: false }
      const request = http.request(options, (response) => {
        response.on('data', (chunk: Buffer) => {
          received.update(chunk)
          bytes += chunk.length
          if (bytes % 50 === 0 || chunk.length > 60_000) peak = Math.max(peak, router.workers()[0]!.memoryBytes)
        })
        response.on('end', resolve).on('error', reject)
      })
      request.on('error', reject)
      const write = (left: number): void => {
        if (left === 0) return void request.end()
        sent.update(block)
        if (request.write(block)) write(left - 1)
        else request.once('drain', () => write(left - 1))
      }
      write(size / block.length)
    })
    expect(bytes).toBe(size)
    expect(received.digest('hex')).toBe(sent.digest('hex'))
    expect(peak).toBeGreaterThan(0)
    expect(peak).toBeLessThan(160 * 1_048_576)
  })

  test('a reader that stops reading stops the instance, not the router', async () => {
    let written = 0
    const block = Buffer.alloc(65_536)
    const stalled = signal()
    const app = await testApp((_, response) => {
      const write = (): void => {
        let idle: NodeJS.Timeout | undefined
        while (written < 512 * 1_048_576) {
          written += block.length
          if (!response.write(block)) {
            idle = setTimeout(() => stalled.resolve(), 500)
            response.once('drain', () => {
              clearTimeout(idle)
              write()
            })
            return
          }
        }
        stalled.resolve()
      }
      write()
    })
    const router = await routerTo([setOf('v1', [app.port])])
    const client = rawClient(router)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await stalled.promise
    expect(written).toBeLessThan(64 * 1_048_576)
    expect(router.workers()[0]!.memoryBytes).toBeLessThan(160 * 1_048_576)
  })
})
