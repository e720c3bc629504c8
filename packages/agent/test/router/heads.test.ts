import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp, rawClient, setOf, tableOf, testApp, testRouter, type TestApp, type TestRoute } from './harness.ts'
import type { Router } from '../../src/router/index.ts'

let router: Router
let app: TestApp

beforeAll(async () => {
  app = await testApp((request, response) => request.resume().on('end', () => response.end('served')))
  const echo = await testApp((request, response) => request.resume().on('end', () => response.end(`<${request.url}>`)))
  router = await testRouter()
  const routes: TestRoute[] = [{ backends: { v1: 1 } }, { host: 'echo.test', backends: { echo: 1 } }]
  await router.update(tableOf([setOf('v1', [app.port]), setOf('echo', [echo.port])], routes))
})
beforeEach(() => { app.requests.length = 0 })
afterAll(cleanUp)

const get = (lines: string, requestLine = 'GET / HTTP/1.1'): string => `${requestLine}\r\nHost: app.test\r\n${lines}\r\n`
const post = (lines: string, body = ''): string => `POST / HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n${body}`

/** Each could be read in two ways by two programs, or by nobody. */
const ambiguous: Record<string, string> = {
  'two lengths': post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  'two equal lengths': post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  'a list of lengths': post('Content-Length: 5, 5\r\n', 'hello'),
  'a signed length': post('Content-Length: +5\r\n', 'hello'),
  'a negative length': post('Content-Length: -5\r\n', 'hello'),
  'a hexadecimal length': post('Content-Length: 0x5\r\n', 'hello'),
  'an empty length': post('Content-Length: \r\n', 'hello'),
  'a length beyond all numbers': post('Content-Length: 99999999999999999999\r\n', 'hello'),
  'a length with underscore': post('Content_Length: 5\r\n', 'hello'),
  'length with chunked': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'chunked with length': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
  'an unknown transfer coding': post('Transfer-Encoding: cow\r\n'),
  'a coding that only begins like chunked': post('Transfer-Encoding: chunkedx\r\n', '0\r\n\r\n'),
  'a quoted coding': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
  'a coding behind chunked': post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'identity alone': post('Transfer-Encoding: identity\r\n'),
  'an empty coding': post('Transfer-Encoding: \r\n'),
  'a coding with a no-break space': post('Transfer-Encoding: \xa0chunked\r\n', '0\r\n\r\n'),
  'a coding with vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'a coding with a space before its colon': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  'a length with a tab before its colon': post('Content-Length\t: 5\r\n', 'hello'),
  'a coding with a control character in its name': post('\x01Transfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'a transfer coding in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a folded field': get('X-Folded: one\r\n two\r\n'),
  'a folded coding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
  'a blank before the first field': 'GET / HTTP/1.1\r\n Host: app.test\r\n\r\n',
  'a nameless field': get(': value\r\n'),
  'a line without colon': get('no colon here\r\n'),
  'a name with a space inside': get('X Y: value\r\n'),
  'a name with a bracket': get('X(Y): value\r\n'),
  'bare line feeds': 'GET / HTTP/1.1\nHost: app.test\n\n',
  'one bare line feed': get('X-One: 1\nX-Two: 2\r\n'),
  'a bare line feed at the end': 'GET / HTTP/1.1\r\nHost: app.test\r\n\n',
  'a bare carriage return': get('X-One: 1\rX-Two: 2\r\n'),
  'bare carriage returns only': 'GET / HTTP/1.1\rHost: app.test\r\r',
  'two hosts': get('Host: other.test\r\n'),
  'two equal hosts': get('Host: app.test\r\n'),
  'no host': 'GET / HTTP/1.1\r\nX-Other: 1\r\n\r\n',
  'no host in HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'an empty host': 'GET / HTTP/1.1\r\nHost:\r\n\r\n',
  'a host with a space before its colon': 'GET / HTTP/1.1\r\nHost : app.test\r\n\r\n',
  'a host with a path': 'GET / HTTP/1.1\r\nHost: app.test/admin\r\n\r\n',
  'a host with credentials': 'GET / HTTP/1.1\r\nHost: user@app.test\r\n\r\n',
  'two hosts in one field': 'GET / HTTP/1.1\r\nHost: app.test, other.test\r\n\r\n',
  'an absolute target': get('', 'GET http://app.test/ HTTP/1.1'),
  'an absolute target with https': get('', 'GET https://app.test/ HTTP/1.1'),
  'an authority target': get('', 'GET app.test:80 HTTP/1.1'),
  'CONNECT': get('', 'CONNECT app.test:443 HTTP/1.1'),
  'an asterisk for GET': get('', 'GET * HTTP/1.1'),
  'a relative target': get('', 'GET index.html HTTP/1.1'),
  'a control character in a value': get('X-Bad: a\x01b\r\n'),
  'DEL in a value': get('X-Bad: a\x7fb\r\n'),
  'a control character in the target': get('', 'GET /\x01 HTTP/1.1'),
  'a tab in the target': get('', 'GET /\tx HTTP/1.1'),
  'NUL in a value': get('X-Bad: a\0b\r\n'),
  'NUL in a name': get('X\0Bad: ab\r\n'),
  'NUL in the target': get('', 'GET /\0 HTTP/1.1'),
  'NUL before everything': `\0${get('')}`,
  'two spaces in the request line': get('', 'GET  / HTTP/1.1'),
  'a space in the target': get('', 'GET /a b HTTP/1.1'),
  'a tab in the request line': get('', 'GET\t/\tHTTP/1.1'),
  'a blank behind the version': get('', 'GET / HTTP/1.1 '),
  'a method that is no token': get('', 'G(T / HTTP/1.1'),
  'no method': get('', ' / HTTP/1.1'),
  'a version that is none': get('', 'GET / HTTP/x.1'),
  'a version in lower case': get('', 'GET / http/1.1'),
  'HTTP/2 in the request line': get('', 'GET / HTTP/2.0'),
  'HTTP/0.9': 'GET /\r\n',
  'HTTP/0.9 with an empty line': 'GET /\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  'two empty lines first': `\r\n\r\n${get('')}`,
  'an endless field': get(`X-Long: ${'a'.repeat(70_000)}`).slice(0, -2),
  'endless fields': `GET / HTTP/1.1\r\nHost: app.test\r\n${'X-More: 1\r\n'.repeat(8_000)}`,
  'an endless request line': `GET /${'a'.repeat(70_000)}`,
}

const brokenChunks: Record<string, string> = {
  'no size': '\r\nhello\r\n0\r\n\r\n',
  'a size that is no number': 'x\r\nhello\r\n0\r\n\r\n',
  'a size with 0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'a signed size': '+5\r\nhello\r\n0\r\n\r\n',
  'a blank before the size': ' 5\r\nhello\r\n0\r\n\r\n',
  'a blank behind the size': '5 \r\nhello\r\n0\r\n\r\n',
  'a size beyond all numbers': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'a bare line feed behind the size': '5\nhello\r\n0\r\n\r\n',
  'a bare carriage return behind the size': '5\rhello\r\n0\r\n\r\n',
  'a bare line feed in an extension': '5;a\nb\r\nhello\r\n0\r\n\r\n',
  'a chunk longer than its size': '5\r\nhello!\r\n0\r\n\r\n',
  'a bare line feed behind the data': '5\r\nhello\n0\r\n\r\n',
  'a bare line feed at the very end': '5\r\nhello\r\n0\r\n\n',
  'a folded trailer': '5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n',
}

describe('what could be read in two ways', () => {
  test.each(Object.entries(ambiguous))('%s is refused and the connection closed', async (_, head) => {
    const answer = await rawClient(router).send(head).ended
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toMatch(/\r\nconnection: close\r\n/)
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(app.requests).toEqual([])
  })

  test.each(Object.entries(brokenChunks))('a chunked body with %s is refused and the connection closed', async (_, body) => {
    const answer = await rawClient(router).send(post('Transfer-Encoding: chunked\r\n', body)).ended
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  test('nothing behind a refused head is served', async () => {
    const answer = await rawClient(router).send(post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello') + get('')).ended
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(app.requests).toEqual([])
  })

  test('a head above the size limit is refused', async () => {
    const answer = await rawClient(router).send(get(`Cookie: ${'a'.repeat(40_000)}\r\n`)).ended
    expect(answer).toMatch(/^HTTP\/1\.1 4(00|31) /)
  })

  test('a head with too many fields is refused with 431', async () => {
    const answer = await rawClient(router).send(get('X-More: 1\r\n'.repeat(200))).ended
    expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
  })
})

describe('what is unusual but beyond doubt', () => {
  const served: Record<string, string> = {
    'an empty line first': `\r\n${get('')}`,
    'an empty target': get('', 'GET  HTTP/1.1'),
    'HTTP/1.2': get('', 'GET / HTTP/1.2'),
    'HTTP/0.9 with fields': get('', 'GET / HTTP/0.9'),
    'no version, with fields': get('', 'GET /'),
    'a slip in a field that decides nothing': get('X-Slip : 1\r\n\x01X-Slip: 2\r\n'),
    'an asterisk for OPTIONS': get('', 'OPTIONS * HTTP/1.1'),
    'a host in upper case with port': 'GET / HTTP/1.1\r\nHOST: APP.TEST:8080\r\n\r\n',
    'a fully qualified host': 'GET / HTTP/1.1\r\nHost: app.test.\r\n\r\n',
    'a chunk extension': post('Transfer-Encoding: chunked\r\n', '5;name=value\r\nhello\r\n0;last\r\n\r\n'),
    'sizes with leading zeros': post('Transfer-Encoding: chunked\r\n', '0005\r\nhello\r\n000\r\n\r\n'),
    'codings before chunked': post('Transfer-Encoding: gzip , \tchunked\r\n', '0\r\n\r\n'),
    'bytes above 0x7f in the target': get('', `GET /${Buffer.from('ж').toString('latin1')} HTTP/1.1`),
    'a body of a GET request': 'GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello',
  }

  test.each(Object.entries(served))('%s is served', async (_, head) => {
    expect(await rawClient(router).send(head).until(/served/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test('a field with a slip in its name is left out, and so are chunk extensions', async () => {
    await rawClient(router).send(post('X-Slip : 1\r\nX-Good: 1\r\nTransfer-Encoding: chunked\r\n', '0;x=y\r\n\r\n')).until(/served/)
    expect(app.requests[0]!.headers).toMatchObject({ 'x-good': '1' })
    expect(app.requests[0]!.headers).not.toHaveProperty('x-slip')
  })

  test('byte by byte is served like at once', async () => {
    const client = rawClient(router)
    for (const char of post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n')) {
      client.send(char)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await client.until(/served/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test('pipelined requests are answered in order', async () => {
    const requests = Array.from({ length: 50 }, (_, index) => index % 3 === 0
      ? `POST /${index} HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 5\r\n\r\nhello`
      : `GET /${index} HTTP/1.1\r\nHost: echo.test\r\n\r\n`)
    const text = await rawClient(router).send(requests.join('')).until(/<\/49>/)
    expect(text.match(/<\/\d+>/g)).toEqual(Array.from({ length: 50 }, (_, index) => `</${index}>`))
  })

  test('many pipelined requests to an unknown host are all answered', async () => {
    const one = 'GET / HTTP/1.1\r\nHost: b\r\n\r\n'
    const client = rawClient(router).send(one.repeat(2_000) + 'GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n')
    expect((await client.ended).match(/HTTP\/1\.1 404 /g)).toHaveLength(2_001)
  })
})
