/**
 * What a sleeping preview makes its first visitor wait, and what it uses asleep.
 *
 *   node bench/run.mjs wake [rounds=50]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpGet } from '../packages/server/test/whole/http-get.ts'
import { percentile, show, startPlatform } from './platform.ts'

const rounds = Number(process.argv[2] ?? 50)
const together = 50
const quietMs = 300
/** Older figures of CPU are read anew. */
const freshMs = 2500
const directory = mkdtempSync(join(tmpdir(), 'wake-app-'))
// It would use CPU all the time while it is awake, as apps with timers do.
writeFileSync(join(directory, 'server.js'), `setInterval(() => { for (const until = Date.now() + 2; Date.now() < until;); }, 20)\nrequire('http').createServer((q, r) => r.end('ok')).listen(process.env.PORT)\n`)
writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'app', private: true, scripts: { start: 'node server.js' } }))

const platform = await startPlatform()
const call = async (path: string): Promise<any> => (await fetch(`${platform.url}/v1/teams/default/apps/app/${path}`, { method: path === 'instances' ? 'GET' : 'POST', headers: { authorization: `Bearer ${platform.token}` } })).json()
const ask = async (): Promise<number> => {
  const began = performance.now()
  const { status } = await httpGet(platform.routerPort, 'app.localhost', '/')
  if (status !== 200) throw new Error(`answered ${status}`)
  return performance.now() - began
}
const cpuSeconds = async (): Promise<number> => (await call('instances')).items[0].cpuSeconds
try {
  const { code, stderr } = await platform.cli(['deploy', directory, '--app', 'app', '--strategy', 'rolling'])
  if (code !== 0) throw new Error(stderr)
  const awake: number[] = []
  const woken: number[] = []
  for (let round = 0; round < rounds; round++) {
    await call('environments/production/sleep')
    // Whoever sleeps has been quiet for a while.
    await new Promise((resolve) => setTimeout(resolve, quietMs))
    woken.push(await ask())
    awake.push(await ask())
  }
  show(`first request of a sleeping app, ${rounds} times: p50 · p99`, `${percentile(woken, 0.5).toFixed(1)} · ${percentile(woken, 0.99).toFixed(1)} ms`, '<= 20 ms', percentile(woken, 0.99) <= 20)
  show('the same while it is awake: p50 · p99', `${percentile(awake, 0.5).toFixed(1)} · ${percentile(awake, 0.99).toFixed(1)} ms`, '-', true)
  await call('environments/production/sleep')
  const crowd = await Promise.all(Array.from({ length: together }, ask))
  show(`${together} first requests at once: slowest`, `${percentile(crowd, 1).toFixed(1)} ms`, '-', true)
  await new Promise((resolve) => setTimeout(resolve, freshMs))
  const before = await cpuSeconds()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const used = (await cpuSeconds()) - before
  await call('environments/production/sleep')
  await new Promise((resolve) => setTimeout(resolve, freshMs))
  const asleep = await cpuSeconds()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const usedAsleep = (await cpuSeconds()) - asleep
  show('CPU in 3 s: awake · asleep', `${used.toFixed(2)} · ${usedAsleep.toFixed(2)} s`, 'asleep < 0.01 s', usedAsleep < 0.01)
} finally {
  await platform.stop()
  rmSync(directory, { recursive: true, force: true })
}
