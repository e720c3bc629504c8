/** Which app calls which is seen by the router, with nothing to declare; what an app does about it harms nobody. */
import { get } from 'node:http'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { socketDirectory } from '../../src/kernel/config/config.ts'
import { deployedApp, killServer } from './faults.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

/** Answers, and every tenth time with an error. */
const called = {
  ...webApp('stock'),
  'server.js': `
let count = 0
require('http').createServer((request, response) => {
  if (request.url === '/flaky' && ++count % 10 === 0) response.statusCode = 500
  response.end('stock')
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`,
}

/** Calls another app through the router as often as it is told; the port is told with it, so that no configuration names anybody. */
const calling = {
  ...webApp('shop'),
  'server.js': `
const http = require('http')
http.createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://x')
  const number = (name) => Number(searchParams.get(name))
  if (!number('port')) return response.end('shop')
  const agent = new http.Agent(searchParams.get('keep') ? { keepAlive: true, maxSockets: 1 } : { maxSockets: number('atOnce') || 1 })
  const failures = {}
  let left = number('count')
  const note = (what) => { failures[what] = (failures[what] || 0) + 1 }
  const one = (done) => http.get({ host: '127.0.0.1', port: number('port'), path: searchParams.get('path') || '/', agent, headers: { host: searchParams.get('host') } }, (answer) => {
    if (answer.statusCode !== 200) note(answer.statusCode)
    answer.resume().on('end', done)
  }).on('error', (error) => { note(error.code); done() })
  await Promise.all(Array.from({ length: number('atOnce') || 1 }, async () => { while (left-- > 0) await new Promise(one) }))
  response.end(JSON.stringify(failures))
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`,
}

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
  await deployedApp(platform, 'stock', called)
  for (const name of ['shop', 'opener', 'flood']) await deployedApp(platform, name, calling)
})

const entity = async (name: string) => (await platform.api('GET', `/v1/catalog/entities/component/default/${name}`)).body
const relation = async (name: string, type: string, target: string) => ((await entity(name)).relations ?? []).find((one: any) => one.type === type && one.target === `component:default/${target}`)
const call = async (name: string, how: Record<string, string | number>): Promise<Record<string, number>> => {
  const search = new URLSearchParams({ port: String(platform.routerPort), host: 'stock.localhost', ...Object.fromEntries(Object.entries(how).map(([key, value]) => [key, String(value)])) })
  return JSON.parse((await platform.get(`${name}.localhost`, `/?${search}`)).body)
}

async function looksSoFar(): Promise<{ looks: number; seconds: number }> {
  const socketPath = join(socketDirectory(platform.home, platform.environment), 'agent.sock')
  const text = await new Promise<string>((resolve, reject) => get({ socketPath, path: '/metrics' }, (answer) => void textOf(answer).then(resolve, reject)).on('error', reject))
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)![1])
  return { looks: value('pavior_agent_caller_looks_total'), seconds: value('pavior_agent_caller_look_seconds_total') }
}

describe('an app that calls another one through the router', () => {
  test('depends on it, seen with its rate and its errors, from both sides', async () => {
    expect(await call('shop', { count: 100, keep: 1, path: '/flaky' })).toEqual({ 500: 10 })
    // Counts come in intervals, and the calls may fall into two.
    await until('all of it is seen', async () => (await relation('shop', 'dependsOn', 'stock'))?.traffic?.requestsPerMinute === 100 / 60)
    expect(await relation('shop', 'dependsOn', 'stock')).toMatchObject({ declaredHere: true, origins: ['traffic'], traffic: { errorShare: 0.1 } })
    expect(await relation('stock', 'dependencyOf', 'shop')).toMatchObject({ declaredHere: false, origins: ['traffic'], traffic: { errorShare: 0.1 } })
    const { edges } = (await platform.api('GET', '/v1/catalog/entities/component/default/stock/graph')).body
    expect(edges).toContainEqual(expect.objectContaining({ source: 'component:default/shop', type: 'dependsOn', target: 'component:default/stock', traffic: expect.objectContaining({ errorShare: 0.1 }) }))
    expect((await platform.cli(['catalog', 'show', 'shop'])).stdout).toMatch(/dependsOn +component:default\/stock {3}\(traffic\) {3}1\.7 requests\/min, 10\.0 % errors/)
    expect((await entity('stock')).relations.some(({ type }: any) => type === 'dependsOn')).toBe(false)
  })

  test('is found too when it opens a connection for each request', async () => {
    // Which of them are looked at is chance: it calls as long as none was.
    await until('the dependency is seen', async () => {
      await call('opener', { count: 50 })
      return (await relation('opener', 'dependsOn', 'stock')) !== undefined
    }, 60_000)
    expect(await relation('opener', 'dependsOn', 'stock')).toMatchObject({ origins: ['traffic'] })
  })

  test('shows what is declared and never seen, and what is seen and not declared', async () => {
    const info = { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'shop' }, spec: { type: 'service', lifecycle: 'production', owner: 'default', dependsOn: ['component:opener', 'resource:ledger'] } }
    await platform.json(['deploy'], { directory: await appDirectory('shop', { ...calling, 'catalog-info.yaml': JSON.stringify(info) }) })
    await until('the file is taken', async () => (await entity('shop')).origins.includes('repository'))
    expect((await entity('shop')).drift).toEqual([{ field: 'spec.dependsOn', declared: ['component:opener', 'resource:ledger'], observed: ['component:default/stock'] }])
    expect(await relation('shop', 'dependsOn', 'opener')).toMatchObject({ origins: ['repository'], unseen: true })
    const ledger = (await entity('shop')).relations.find(({ target }: any) => target === 'resource:default/ledger')
    expect(ledger).not.toHaveProperty('unseen')
  })

  test('may open thousands of connections: others are served, the work stays bounded, and nothing is lost with the server', async () => {
    const before = await looksSoFar()
    const load = constantLoad(platform.routerPort, 'stock.localhost')
    const begun = performance.now()
    const [failures] = await Promise.all([call('flood', { count: 6_000, atOnce: 200 }), killServer(platform)])
    const { total, failures: others } = await load.stop()
    const seconds = (performance.now() - begun) / 1000
    const after = await looksSoFar()
    expect([failures, others, total > 0]).toEqual([{}, [], true])
    // Two in a hundred of a core, and what the first look takes before anybody knows what one costs.
    expect(after.looks - before.looks).toBeLessThanOrEqual(seconds / 0.1 + 4)
    expect(after.seconds - before.seconds).toBeLessThan(seconds * 0.02 + 0.5)
    // Most of its connections were gone before anybody looked, and that is said.
    await until('what is known is said to be not all', async () => (await relation('shop', 'dependsOn', 'stock')).traffic.atLeast === true)
  })

  test('depends on it no more when the other is gone', async () => {
    await platform.json(['destroy', 'stock', '--confirm', 'stock'])
    await platform.json(['config', 'set', 'ANY=1', '--app', 'shop'])
    await until('the dependency has ended', async () => (await relation('shop', 'dependsOn', 'stock')) === undefined)
  })
})
