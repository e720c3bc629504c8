import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scanFields, withoutFields } from './fields.ts'
import { idsFor, requestHeadFor } from './forward.ts'
import { normaliseCodings, parseRequestHead, type Refusal, type RequestHead } from './request-head.ts'

const read = (lines: string, requestLine = 'GET / HTTP/1.1'): RequestHead | Refusal => {
  return parseRequestHead(`${requestLine}\r\nHost: a.test\r\n${lines}`, 100)
}
const accepted = (lines: string, requestLine?: string): RequestHead => {
  const head = read(lines, requestLine)
  if ('status' in head) throw new Error(head.reason)
  return head
}

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/)
const text = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\t \x21-\x7e\x80-\xff]{0,30}[\x21-\x7e\x80-\xff])?$/)
const field = fc.tuple(token.map((name) => `x${name}`), text)
  // Names that the router handles itself, or that only look like framing.
  .filter(([name]) => !/^x[-_](forwarded|real|request)/i.test(name))

describe('parseRequestHead', () => {
  test('every well-formed field passes unchanged and in order', () => {
    fc.assert(fc.property(fc.array(field, { maxLength: 10 }), (fields) => {
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      expect(accepted(lines).kept).toBe(`Host: a.test\r\n${lines}`)
    }))
  })

  test('whatever the bytes are: it is refused, or what goes on is well-formed', () => {
    const anything = fc.array(fc.oneof(
      fc.constantFrom(
        'Host', 'Content-Length', 'Transfer-Encoding', 'X-A', 'Connection', ':', ' ', '\t', '\r\n', '\n', '\r', '\0', 'chunked', '5', ',',
        ';', 'GET', '/', 'HTTP/1.1', 'a.test', '\x0b', '\x7f', '\xa0',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }).map((value) => value.replace(/[^\0-\xff]/g, '?')),
    ), { maxLength: 30 }).map((parts) => parts.join(''))
    fc.assert(fc.property(anything, fc.boolean(), (noise, trusted) => {
      const head = read(`${noise}\r\n`)
      if ('status' in head) return
      const sent = requestHeadFor(head, { requestId: 'r', traceparent: 't' }, { address: '1.1.1.1', port: '', trusted })
      // Strictest reading of what the instance gets: request line, token-named fields, nothing but CR LF as a break.
      expect(sent).toMatch(/^[!-~]+ [!-~]+ HTTP\/1\.1\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/)
      const names = [...sent.matchAll(/^([^:\r\n]+):/gm)].map((match) => match[1]!.toLowerCase())
      expect(names.filter((name) => name === 'host')).toHaveLength(1)
      expect(names.filter((name) => name === 'content-length' || name === 'transfer-encoding').length).toBeLessThanOrEqual(1)
    }), { numRuns: 3_000 })
  })

  test('framing', () => {
    expect(accepted('')).toMatchObject({ framing: 'none', keepAlive: true, minor: 1 })
    expect(accepted('Content-Length: 0\r\n')).toMatchObject({ framing: 'none', kept: 'Host: a.test\r\ncontent-length: 0\r\n' })
    expect(accepted('Content-Length: 007\r\n')).toMatchObject({ framing: 'length', length: 7 })
    expect(accepted('Transfer-Encoding: Chunked\r\n')).toMatchObject({ framing: 'chunked', codings: 'chunked' })
  })

  test('persistence', () => {
    expect(accepted('Connection: Close\r\n').keepAlive).toBe(false)
    expect(accepted('', 'GET / HTTP/1.0').keepAlive).toBe(false)
    expect(accepted('Connection: keep-alive\r\n', 'GET / HTTP/1.0').keepAlive).toBe(true)
  })

  test('an upgrade goes on only when it is asked for in full and hides nothing', () => {
    expect(accepted('Connection: upgrade\r\nUpgrade: websocket\r\n').upgrade).toBe('websocket')
    expect(accepted('Upgrade: websocket\r\n').upgrade).toBeUndefined()
    expect(accepted('Connection: upgrade\r\nUpgrade: h2c\r\n').upgrade).toBeUndefined()
    expect(accepted('Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n').upgrade).toBeUndefined()
    expect(accepted('Connection: upgrade\r\nUpgrade: websocket\r\n', 'GET / HTTP/1.0').upgrade).toBeUndefined()
  })

  test('fields that Connection names end here, but not those that the instance needs', () => {
    const head = accepted('X-A: 1\r\nConnection: x-a, host, content-length\r\nContent-Length: 0\r\n')
    expect(head.kept).toBe('Host: a.test\r\ncontent-length: 0\r\n')
  })

  test.each([
    ['chunked', 'chunked'], [' gzip ;q , deflate,chunked;x', 'gzip, deflate, chunked'], ['gzip', undefined], ['', undefined],
    ['chunked,', undefined],
    [',chunked', undefined], ['chunked, chunked', undefined], ['br, chunked', undefined], ['\xa0chunked', undefined],
  ])('codings %j', (value, expected) => expect(normaliseCodings(value)).toBe(expected))
})

describe('forwarding', () => {
  const head = accepted('X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nX-Request-Id: one\r\nX-Request-Id: two\r\n')

  const forwarded = (lines: string, origin: { port?: string; trusted: boolean }): string[] => {
    const sent = requestHeadFor(accepted(lines), { requestId: 'r', traceparent: 't' }, { address: '192.0.2.1', port: '8080', ...origin })
    return ['for', 'proto', 'host', 'port'].map((name) => {
      const values = [...sent.matchAll(new RegExp(`^x-forwarded-${name}: (.*)\\r$`, 'gim'))].map((match) => match[1]!)
      expect(values).toHaveLength(1)
      return values[0]!
    })
  }
  const chain = 'X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n'
  const said = (proto: string, host: string, port: string): string =>
    `X-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n`

  test('what a stranger says about himself is replaced', () => {
    expect(forwarded(chain + said('https', 'evil.test', '1'), { trusted: false })).toEqual(['192.0.2.1', 'http', 'a.test', '8080'])
  })

  test.each([
    ['everything', chain + said('https', 'shop.test', '8443'), ['10.0.0.1, 10.0.0.2, 192.0.2.1', 'https', 'shop.test', '8443']],
    ['nothing', '', ['192.0.2.1', 'http', 'a.test', '8080']],
    ['the protocol only', 'X-Forwarded-Proto: https\r\n', ['192.0.2.1', 'https', 'a.test', '8080']],
    ['a host with its port', 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test:444\r\n', ['192.0.2.1', 'https', 'shop.test:444', '444']],
    ['a host without one', 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n', ['192.0.2.1', 'https', 'shop.test', '443']],
    ['nonsense', said('gopher', 'a b/c', '99999999'), ['192.0.2.1', 'http', 'a.test', '8080']],
    ['two of each', said('https', 'one.test', '1') + said('https', 'two.test', '2'), ['192.0.2.1', 'http', 'a.test', '8080']],
  ])('of a trusted proxy is believed: %s', (_, lines, expected) => expect(forwarded(lines, { trusted: true })).toEqual(expected))

  test('two request ids are none', () => {
    const ids = idsFor(head, (digits) => 'abcdef12'.repeat(4).slice(0, digits))
    expect(ids.requestId).toBe('abcdef12'.repeat(4))
    expect(ids.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })
})

test('withoutFields leaves out by name and keeps the rest as it is', () => {
  fc.assert(fc.property(fc.array(field, { maxLength: 8 }), fc.nat(7), (fields, index) => {
    const lines = fields.map(([name, value]) => `${name}:${value}\r\n`)
    const gone = fields[index % Math.max(1, fields.length)]?.[0].toLowerCase() ?? 'none'
    expect(withoutFields(lines.join(''), [gone])).toBe(lines.filter((_, at) => fields[at]![0].toLowerCase() !== gone).join(''))
  }))
})

test('scanFields gives trimmed values', () => {
  const seen: string[] = []
  const handlers = new Map([['a', (_: undefined, value: string) => { seen.push(value); return 'drop' as const }]])
  expect(scanFields('A: \t x y \t\r\nA:\r\nB: 1\r\n', 0, handlers, undefined)).toEqual({ kept: 'B: 1\r\n', count: 3 })
  expect(seen).toEqual(['x y', ''])
})
