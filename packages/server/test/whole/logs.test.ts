/** What apps write is kept: whole, in order and once, though the server dies, and found again by level, text and request. */
import { beforeAll, expect, test } from 'vitest'
import { deployedApp, killServer } from './faults.ts'
import { newPlatform, until, type Platform } from './platform.ts'

const talking = {
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'server.js': `
let count = 0
require('http').createServer((request, response) => {
  const path = new URL(request.url, 'http://x')
  for (let left = Number(path.searchParams.get('lines')); left > 0; left--) console.log('number ' + count++)
  if (path.pathname === '/fail') console.error(JSON.stringify({ level: 50, msg: 'payment refused', request_id: request.headers['x-request-id'] }))
  if (path.pathname === '/crash') console.error(new Error('broken').stack)
  response.end(request.headers['x-request-id'])
}).listen(process.env.PORT, () => console.log('{"level":30,"msg":"listening"}'))
process.on('SIGTERM', () => process.exit(0))
`,
}

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
  await deployedApp(platform, 'shop', talking)
})

const ask = async (path: string): Promise<string> => (await platform.get('shop.localhost', path)).body
const page = async (query: string): Promise<any[]> => (await platform.api('GET', `/v1/teams/default/apps/shop/logs/page?${query}`)).body.lines
const logs = async (...args: string[]): Promise<string> => (await platform.cli(['logs', 'shop', ...args])).stdout

test('a line is found by its level, its text and its request, and a trace is one entry', async () => {
  const request = await ask('/fail')
  await ask('/crash')
  await until('both are stored', async () => (await page('level=error')).length === 2)
  expect((await page(`requestId=${request}`)).map(({ message, level, release, process }) => [message, level, release, process])).toEqual([['payment refused', 'error', 1, 'web']])
  expect((await page('grep=broken'))[0].line).toMatch(/^Error: broken\n {4}at /)
  expect(await logs('--request', request)).toContain('payment refused')
  expect(await logs('--grep', '/pay.+ref/')).toContain('payment refused')
  expect(await logs('--level', 'error')).not.toContain('listening')
  const { steps } = (await platform.api('GET', '/v1/teams/default/apps/shop/logs/histogram')).body
  expect(steps.reduce((sum: number, { counts }: any) => sum + (counts.error ?? 0), 0)).toBe(2)
  expect((await fetch(`${platform.url}/v1/teams/default/apps/shop/logs/page`)).status).toBe(401)
})

test('what is written while the server is killed is there once and in order, whoever reads it where', async () => {
  await ask('/?lines=300')
  const killed = killServer(platform)
  await ask('/?lines=3000')
  await killed
  await ask('/?lines=200')
  const wanted = Array.from({ length: 3500 }, (_, index) => `number ${index}`)
  const numbers = (text: string): string[] => text.match(/number \d+/g) ?? []
  // Of the store and the files together, whatever was taken by now.
  expect(numbers(await logs('--tail', '4000'))).toEqual(wanted)
  const stored: string[] = []
  await until('all are stored', async () => (await page('grep=number%203499')).length === 1)
  for (let before = ''; ; ) {
    const { body } = await platform.api('GET', `/v1/teams/default/apps/shop/logs/page?limit=1000&grep=number${before}`)
    stored.push(...body.lines.map(({ line }: any) => line))
    if (!body.next) break
    before = `&before=${body.next}`
  }
  expect(stored.reverse()).toEqual(wanted)
  expect((await platform.cli(['telemetry', 'shop'])).stdout).toMatch(/LINES\/S/)
})
