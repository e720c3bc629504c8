/** Addresses that a team names: where they lead is looked at when the connection is made, and nothing else is connected to. */
import dns, { type LookupAddress } from 'node:dns'
import { createServer, get } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { addressProblem, hostProblem, outwardLookup, refusalIn } from './outward.ts'

afterEach(() => void vi.restoreAllMocks())

/** Names resolve to these from now on, one list after the other. */
function resolving(...answers: string[][]): { asked: () => number } {
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (error: null, found: LookupAddress[]) => void) => {
    const found = answers.length > 1 ? answers.shift()! : answers[0]!
    setImmediate(() => done(null, found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))))
  }) as never)
  return { asked: () => spy.mock.calls.length }
}

describe('addresses as they are written', () => {
  const linkLocal = ['169.254.169.254', '169.254.0.1', '[fe80::1]', '[febf::1]', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '[::a9fe:a9fe]', '[64:ff9b::a9fe:a9fe]', '[2002:a9fe:a9fe::]', '[fd00:ec2::254]', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.43518']
  test.each(linkLocal)('%s is refused', (host) => expect(addressProblem(`http://${host}:8080/latest`)).toContain('link-local'))

  test.each(['127.0.0.1', '[::1]', '10.0.0.1', '192.168.1.1', '[fd00::1]', '[2001:db8::1]', '169.253.255.255', '169.255.0.1', '[fec0::1]', 'tools.example', '169.254.169.254.example'])('%s is fine', (host) => {
    expect(addressProblem(`https://${host}/in`)).toBeUndefined()
  })

  test('only http and https, and nobody is named in them', () => {
    expect(addressProblem('ftp://x/')).toBe('is none of http or https')
    expect(addressProblem('file:///etc/passwd')).toBe('is none of http or https')
    expect(addressProblem('nowhere')).toBe('is no address')
    expect(addressProblem('https://ada@x/')).toContain('password')
    expect(addressProblem('https://:secret@x/')).not.toContain('secret')
    expect([hostProblem('fe80::1%eth0'), hostProblem('::ffff:169.254.1.1'), hostProblem('mail.example'), hostProblem('::1')]).toEqual([expect.stringContaining('link-local'), expect.stringContaining('link-local'), undefined, undefined])
  })
})

describe('names', () => {
  async function listening(): Promise<{ port: number; connections: () => number }> {
    let connections = 0
    const server = createServer((_request, response) => void response.end()).on('connection', () => connections++)
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { port: (server.address() as AddressInfo).port, connections: () => connections }
  }

  test.each([[['169.254.169.254']], [['fe80::1']], [['::ffff:169.254.169.254', '169.254.1.1']]])('that lead to %s only are not connected to', async (addresses) => {
    resolving(addresses)
    const error = await new Promise((resolve, reject) => get('http://metadata.example/', { agent: false, lookup: outwardLookup }, () => reject(new Error('it was connected to'))).on('error', resolve))
    expect(refusalIn(error)).toContain('link-local')
    expect(refusalIn(await new Promise((resolve) => connect({ host: 'metadata.example', port: 25, lookup: outwardLookup, autoSelectFamily: false }).on('error', resolve)))).toContain('link-local')
  })

  test('that lead there as well are connected to where they may be, and are asked for once', async () => {
    const { port, connections } = await listening()
    const { asked } = resolving(['169.254.169.254', '127.0.0.1'], ['169.254.169.254'])
    const status = await new Promise((resolve, reject) => get(`http://twofold.example:${port}/`, { agent: false, lookup: outwardLookup }, (answer) => resolve(answer.resume().statusCode)).on('error', reject))
    expect([status, connections(), asked()]).toEqual([200, 1, 1])
  })

  test('that nobody knows fail as they do', async () => {
    vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (error: Error) => void) => done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))) as never)
    const error = await new Promise((resolve) => get('http://nobody.example/', { agent: false, lookup: outwardLookup }).on('error', resolve))
    expect([(error as NodeJS.ErrnoException).code, refusalIn(error)]).toEqual(['ENOTFOUND', undefined])
  })
})
