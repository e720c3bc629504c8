/** Game days by the command line: one that hurts too much, one whose server and agent are killed, one that takes the control plane away. */
import { beforeAll, expect, test } from 'vitest'
import type { GameDaySpec, GameDayStatus, GameDayStep, Resource } from '@pavior/contract'
import { agentPid, ready, serverPid } from './faults.ts'
import { appDirectory, newPlatform, until, writeFiles, type Platform } from './platform.ts'

type GameDay = Resource<GameDaySpec, GameDayStatus>

let platform: Platform
const host = 'staging--shop.localhost'
const base = '/apis/pavior.dev/v1/namespaces/default'
const patienceMs = 60_000

const shop = {
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'server.js': `const server = require('http').createServer((request, response) => response.end('well')).listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
}

beforeAll(async () => {
  platform = await newPlatform()
  await platform.api('POST', `${base}/environments`, { metadata: { name: 'staging' }, spec: { tier: 'staging' } })
})

async function plan(name: string, step: GameDayStep, over: Partial<GameDaySpec> = {}): Promise<void> {
  const directory = await appDirectory(name, {})
  const resource = { apiVersion: 'pavior.dev/v1', kind: 'GameDay', metadata: { name }, spec: { hypothesis: 'Users hardly notice.', app: 'shop', environment: 'staging', settleSeconds: 10, blastRadius: { percent: 50 }, steps: [step], ...over } }
  await writeFiles(directory, { 'day.yaml': JSON.stringify(resource) })
  expect((await platform.cli(['gameday', 'add', `${directory}/day.yaml`])).stdout).toContain(`pavior gameday start ${name}`)
}

async function read(name: string): Promise<GameDay> {
  return (await platform.api('GET', `${base}/gamedays/${name}`)).body
}

/** One request after the other, until stopped. */
function load(): { stop: () => Promise<void>; answers: { status: number; tookMs: number; requestId: string; gameDay: string | undefined }[] } {
  const answers: Awaited<ReturnType<typeof load>>['answers'] = []
  let going = true
  const running = (async () => {
    while (going) {
      const began = performance.now()
      const { status, headers } = await platform.get(host).catch(() => ({ status: 0, headers: {} as Record<string, string> }))
      answers.push({ status, tookMs: performance.now() - began, requestId: String(headers['x-request-id']), gameDay: headers['x-pavior-fault'] as string | undefined })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return { answers, stop: async () => { going = false; await running } }
}

test('one that hurts too much ends itself within seconds, and a request says that it was one', async () => {
  expect((await platform.cli(['deploy', await appDirectory('shop', shop), '--environment', 'staging'])).code).toBe(0)
  await plan('too-much', { seconds: 120, errors: { status: 503, percent: 40 } }, { abort: [{ errorPercent: 10 }] })
  const refused = await platform.cli(['gameday', 'start', 'too-much'])
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('FAULTS_NOT_ALLOWED')])
  expect((await platform.cli(['gameday', 'allow', 'staging'])).code).toBe(0)
  const { answers, stop } = load()
  const began = performance.now()
  const { code, stdout, stderr } = await platform.cli(['gameday', 'start', 'too-much'])
  const tookMs = performance.now() - began
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^Aborted {3}Requests that fail: [0-9.]+ %, and more than 10 % ends it\./)])
  expect(stderr).toContain('✖ 40 % of the requests get 503')
  console.info(`ended ${(tookMs / 1000).toFixed(1)} s after it began`)
  // The router counts in intervals of five seconds.
  expect(tookMs).toBeLessThan(patienceMs)
  await until('no more errors', async () => (await Promise.all(Array.from({ length: 20 }, () => platform.get(host)))).every(({ status }) => status === 200))
  await stop()
  const struck = answers.filter(({ status }) => status === 503)
  expect(struck.length).toBeGreaterThan(5)
  expect(struck.every(({ gameDay }) => gameDay === 'too-much')).toBe(true)
  await until('the request to be told', async () => (await platform.cli(['why', struck[0]!.requestId])).stdout.includes('The game day too-much wanted this answer: it was made on purpose.'), patienceMs)
}, 180_000)

test('server and agent are killed in the middle: it goes on, and stopping ends it at once', async () => {
  const delayMs = 400
  await plan('killed', { seconds: 300, latency: { ms: delayMs, percent: 50 } })
  expect((await platform.cli(['gameday', 'start', 'killed', '--no-wait'])).code).toBe(0)
  const delayed = async (): Promise<boolean> => {
    const began = performance.now()
    await platform.get(host)
    return performance.now() - began >= delayMs - 5
  }
  await until('a request that is held up', delayed)
  const pid = await serverPid(platform)
  process.kill(pid, 'SIGKILL')
  await until('a request that is held up whether or not there is a server', delayed)
  await until('another server', async () => (await serverPid(platform)) !== pid && (await ready(platform)))
  expect((await read('killed')).status!.state).toBe('Running')
  process.kill(await agentPid(platform), 'SIGKILL')
  await until('an agent that is given the fault again', () => delayed().catch(() => false), patienceMs)
  const stopped = await platform.cli(['gameday', 'stop', 'killed'])
  expect(stopped.stdout).toContain('It was stopped: admin stopped it.')
  await until('no request that is held up', async () => !(await Promise.all(Array.from({ length: 12 }, delayed))).includes(true))
  expect((await platform.cli(['gameday', 'verdict', 'killed', 'held', '--text', 'It went on.', '--action', 'Write it down @ana due 2026-12-31'])).stdout).toContain('1 action is to be done')
  expect((await read('killed')).spec.verdict).toMatchObject({ result: 'held', actions: [{ title: 'Write it down', owner: 'ana', due: '2026-12-31' }] })
}, 180_000)

test('the control plane goes, apps serve, and it comes back when its time is over', async () => {
  await plan('away', { seconds: 4, server: {} })
  const { answers, stop } = load()
  const following = platform.cli(['gameday', 'start', 'away'])
  const step = async (): Promise<NonNullable<GameDayStatus['steps']>[number] | undefined> => (await read('away').catch(() => undefined))?.status?.steps?.[0]
  await until('the control plane to be back', async () => (await step())?.state === 'Settling')
  await stop()
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  const { from, settledAt, outcome } = (await step())!
  expect(outcome).toContain('The control plane was away.')
  // Nobody was there to end the step before.
  expect(Date.parse(settledAt!) - Date.parse(from!)).toBeGreaterThan(4000 + 10_000)
  await platform.cli(['gameday', 'stop', 'away'])
  // The command outlasted the absence.
  const { code, stdout } = await following
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Stopped {3}admin stopped it\./)])
}, 180_000)
