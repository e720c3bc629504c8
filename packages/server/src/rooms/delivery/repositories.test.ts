import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { PlatformRepositories } from './repositories.ts'

const repositories = new PlatformRepositories({ root: '/nonexistent', apiUrl: () => 'http://127.0.0.1' } as never)
const words = { message: 'First', author: { name: 'a', email: 'a@example.com' }, at: '2026-01-01T00:00:00Z' }
const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

/** A host that answers every request with one status, on the first free port of these. */
async function hostAt(ports: number[], status: number): Promise<{ port: number; close: () => Promise<void> }> {
  for (const wanted of ports) {
    const server = createServer((_request, response) => response.writeHead(status).end())
    server.listen(wanted, '127.0.0.1')
    // Rejects for a port that is taken.
    if (!(await once(server, 'listening').catch(() => false))) continue
    closing.push(() => server.close())
    return { port: (server.address() as AddressInfo).port, close: () => new Promise((resolve) => server.close(() => resolve())) }
  }
  throw new Error('No port is free.')
}
const push = (port: number) =>
  repositories.push(`http://127.0.0.1:${port}/team/app.git`, 'main', undefined, new Map([['README.md', { content: Buffer.from('x'), executable: false }]]), words, new AbortController().signal)

test('a host that is down is unreachable, even where its port looks like a status', async () => {
  const { port, close } = await hostAt(Array.from({ length: 100 }, (_, index) => 40300 + index), 200)
  await close()
  await expect(push(port)).rejects.toMatchObject({ code: 'REPOSITORY_UNREACHABLE' })
})

test.each([
  [403, 'REPOSITORY_REFUSED'],
  [404, 'REPOSITORY_REFUSED'],
  [503, 'REPOSITORY_UNREACHABLE'],
])('a host that answers %i: %s', async (status, code) => {
  const { port } = await hostAt([0], status)
  await expect(push(port)).rejects.toMatchObject({ code })
})
