import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, request as httpRequest, type RequestListener } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createServerForBoth } from './both-protocols.ts'
import { keptCertificate, makeCertificate } from './certificate.ts'

const now = new Date()
const certificate = await makeCertificate(['localhost', '127.0.0.1'], now)
const timeouts = { headersTimeoutMs: 5000, requestTimeoutMs: 5000, keepAliveTimeoutMs: 5000 }

async function serve(handler: RequestListener): Promise<{ port: number; server: ReturnType<typeof createServer> }> {
  const server = createServerForBoth(handler, certificate, timeouts)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  return { port: (server.address() as AddressInfo).port, server }
}

function send(secure: boolean, port: number, body: Buffer): Promise<Buffer> {
  const options = { host: '127.0.0.1', port, method: 'POST', agent: false as const }
  return new Promise((resolve, reject) => {
    const outgoing = secure ? httpsRequest({ ...options, ca: certificate.cert }) : httpRequest(options)
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk as Buffer)).on('end', () => resolve(Buffer.concat(chunks)))
    })
    outgoing.end(body)
  })
}

const echo: RequestListener = (request, response) => void request.pipe(response)

describe('one port', () => {
  test('answers HTTP and HTTPS, with bodies of any size', async () => {
    const { port } = await serve(echo)
    const large = Buffer.alloc(3_000_000, 'x')
    for (const secure of [false, true]) {
      expect((await send(secure, port, Buffer.from('hello'))).toString()).toBe('hello')
      expect((await send(secure, port, large)).equals(large)).toBe(true)
    }
  })

  test('answers pipelined requests, and those that arrive byte by byte', async () => {
    const { port } = await serve((request, response) => response.end(request.url))
    const socket = connect(port, '127.0.0.1')
    let seen = ''
    socket.on('data', (chunk) => (seen += chunk))
    const text = 'GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    for (const byte of text.slice(0, 20)) {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.write(text.slice(20))
    await once(socket, 'close')
    expect(seen).toMatch(/\/one[\s\S]*\/two/)
  })

  test('a connection that says nothing, or closes at once, harms nobody and is closed with the server', async () => {
    const { port, server } = await serve(echo)
    const silent = connect(port, '127.0.0.1')
    await once(silent, 'connect')
    const brief = connect(port, '127.0.0.1')
    brief.end()
    await once(brief.resume(), 'close')
    expect((await send(true, port, Buffer.from('x'))).toString()).toBe('x')
    const gone = once(silent.resume(), 'close')
    server.closeIdleConnections()
    await gone
  })
})

describe('the certificate of an installation', () => {
  test('is kept, and made again when it does not cover a host, ends soon or lost its key', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pavior-keys-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const first = await keptCertificate(directory, ['localhost'], now)
    expect((await stat(join(directory, 'api.key'))).mode & 0o777).toBe(0o600)
    expect(await keptCertificate(directory, ['localhost'], now)).toEqual(first)
    const wider = await keptCertificate(directory, ['localhost', '127.0.0.1', 'pavior.example.com'], now)
    expect(wider.cert).not.toBe(first.cert)
    const later = new Date(now.getTime() + 3640 * 24 * 3600_000)
    expect((await keptCertificate(directory, ['localhost'], later)).cert).not.toBe(wider.cert)
    await rm(join(directory, 'api.key'))
    expect((await keptCertificate(directory, ['localhost'], now)).key).toContain('PRIVATE KEY')
  })
})
