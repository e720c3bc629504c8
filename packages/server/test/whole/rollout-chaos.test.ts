/**
 * The server is killed at random moments of rollouts that are good, bad or aborted, under load. Seeds are fixed; more of them:
 * PAVIOR_CHAOS_SEEDS=50, and PAVIOR_CHAOS_FIRST for where they begin.
 */
import { expect, test } from 'vitest'
import type { DeploymentSpec, DeploymentStatus, InstanceSetSpec, Resource, RouteSpec } from '@pavior/contract'
import { killServer } from './faults.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatform, until, writeFiles, type Platform } from './platform.ts'

type Deployment = Resource<DeploymentSpec, DeploymentStatus>

const seeds = Number(process.env.PAVIOR_CHAOS_SEEDS ?? 3)
const first = Number(process.env.PAVIOR_CHAOS_FIRST ?? 1)
const base = '/apis/pavior.dev/v1/namespaces/default'
const phases = ['Pending', 'Starting', 'Shifting', 'Completing', 'Switching', 'Watching', 'Restoring', 'Draining'] as const
const ended = new Set(['Succeeded', 'RolledBack', 'Canceled'])

let platform: Platform
/** One for each seed: an installation gives up on a server that dies too often within a minute. */
async function begin(): Promise<void> {
  platform = await newPlatform()
  const spec = { tier: 'production', rollout: { steps: [{ weight: 20, seconds: 1 }, { weight: 50, seconds: 1 }], watchSeconds: 2, judge: { minRequests: 20, slowerThanStable: 100 } } }
  const { status } = await platform.api('PATCH', `${base}/environments/production?fieldManager=chaos&force=true`, JSON.stringify({ apiVersion: 'pavior.dev/v1', kind: 'Environment', metadata: { name: 'production' }, spec }), { 'content-type': 'application/apply-patch+yaml' })
  expect([200, 201]).toContain(status)
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const program = (text: string, failing: number): Record<string, string> => ({
  'package.json': JSON.stringify({ name: 'app', private: true, scripts: { start: 'node server.js' } }),
  'pavior.yaml': 'processes:\n  web:\n    health:\n      path: /healthz\n',
  'server.js': `const server = require('http').createServer((q, r) => r.writeHead(q.url === '/' && Math.random() < ${failing} ? 500 : 200).end('${text}'))\nserver.listen(process.env.PORT)\nprocess.on('SIGTERM', () => server.close(() => process.exit(0)))\n`,
})

async function list<T>(plural: string, app: string): Promise<T[]> {
  const { status, body } = await platform.api('GET', `${base}/${plural}?fieldSelector=spec.app%3D${app}&limit=0`)
  if (status !== 200) throw new Error(`${plural}: ${status}`)
  return body.items as T[]
}

test.each(Array.from({ length: seeds }, (_, index) => index + first))('seed %i', async (seed) => {
  await begin()
  const random = randomOf(seed)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
  const app = `chaos-${seed}`
  const fate = pick(['good', 'bad', 'aborted'] as const)
  const deadly = new Set([pick(phases), pick(phases), pick(phases)])
  const directory = await appDirectory(app, program('one', 0))
  const first = await platform.cli(['deploy', directory])
  expect(first.code, first.stderr).toBe(0)
  const load = constantLoad(platform.routerPort, `${app}.localhost`)
  // Enough for the platform to know the rate.
  await until('some traffic to be counted', async () => (await platform.api('GET', `/v1/teams/default/apps/${app}/traffic?minutes=5`)).body.totals.requests > 2000)
  await writeFiles(directory, program('two', fate === 'bad' ? 0.3 : 0))
  const second = await platform.cli(['deploy', directory, '--no-wait'])
  expect(second.code, second.stderr).toBe(0)

  const killed: string[] = []
  let aborted = false
  let last: Deployment | undefined
  await until(
    'the end of the rollout',
    async () => {
      last = (await list<Deployment>('deployments', app)).find(({ spec }) => spec.release === 2)
      const phase = last?.status?.phase ?? 'Pending'
      if (last && fate === 'aborted' && !aborted && last.status?.trial?.since !== undefined) {
        aborted = (await platform.api('PATCH', `${base}/deployments/${last.metadata.name}`, JSON.stringify({ spec: { canceled: true } }), { 'content-type': 'application/merge-patch+json' })).status === 200
      }
      if (deadly.delete(phase as never)) {
        killed.push(phase)
        await killServer(platform)
      }
      return ended.has(phase)
    },
    120_000,
  )
  const { total, failures } = await load.stop()
  const serving = fate === 'good' ? 2 : 1
  console.log(`seed ${seed}: ${fate}, killed in ${killed.join(', ') || 'no phase that it met'}; ${last!.status!.phase}, ${failures.length} of ${total} requests failed`)
  expect(last!.status!.phase).toBe({ good: 'Succeeded', bad: 'RolledBack', aborted: 'Canceled' }[fate])
  expect(failures.filter((failure) => fate !== 'bad' || failure !== 'status 500')).toEqual([])
  expect((await platform.get(`${app}.localhost`)).body).toBe(serving === 2 ? 'two' : 'one')
  await until('only what serves to be left', async () => {
    const sets = await list<Resource<InstanceSetSpec>>('instancesets', app)
    return sets.length === 1 && sets[0]!.spec.release === serving
  })
  const [route] = await list<Resource<RouteSpec>>('routes', app)
  expect(route!.spec.backends).toEqual([{ instanceSet: (await list<Resource>('instancesets', app))[0]!.metadata.name, weight: 100 }])
  await platform.stop()
})
