/** What happens when the machine has no cgroups, no room on its disk, or a watcher that does not read. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { createAgent } from '../src/agent.ts'
import {
  Client,
  desiredSet,
  isRoot,
  megabyte,
  RouterDouble,
  startTestAgent,
  task,
  temporaryDirectory,
  webApp,
  workload,
  writeApp,
} from './harness.ts'

describe('without cgroups', () => {
  test('memory is looked at and enforced by the agent, and it says so', async () => {
    const it = await startTestAgent({ choice: { cgroup: 'none' }, settings: { memoryPollMs: 100 } })
    try {
      expect(it.agent.capabilities.cgroup).toBe('none')
      expect(it.agent.capabilities.notes.join(' ')).toContain('memory is checked from time to time')
      const app = writeApp(join(it.directory, 'app'), {})
      const script =
        'const a = []; setInterval(() => a.push(Buffer.alloc(8 << 20, 1)), 20); require("http").createServer((q, r) => r.end()).listen(process.env.PORT)'
      const limits = { memoryBytes: 200 * megabyte, cpu: 1, pids: 50 }
      await it.client.desire(1, [desiredSet(workload(app, ['node', '-e', script], { limits }))])
      await it.client.call('PUT', '/tasks/eater', task(workload(app, ['node', '-e', script], { limits, env: { PORT: '0' } })))
      const one = await it.client.until(() => it.client.instances.find((each) => each.problem?.code === 'OUT_OF_MEMORY'))
      expect(one.lastExit).toMatchObject({ signal: 'SIGKILL', outOfMemory: true })
      expect((await it.client.taskEnd('eater')).problem?.code).toBe('OUT_OF_MEMORY')
    } finally {
      await it.close()
    }
  })
})

describe('without room on the disk', () => {
  test('supervision goes on, and what could not be saved is saved later', async (context) => {
    const directory = temporaryDirectory()
    const volume = join(directory, 'volume')
    mkdirSync(volume)
    const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=711', 'tmpfs', volume]).status === 0
    if (!mounted) {
      rmSync(directory, { recursive: true, force: true })
      console.log('skipped: a small volume cannot be mounted here')
      return context.skip()
    }
    const socket = join(directory, 's.sock')
    const log = pino({ level: 'silent' })
    const settings = { saveRetryMs: 50 }
    const app = writeApp(join(directory, 'app'), {
      'server.mjs': webApp,
      'die.mjs': webApp.replace('response.end(String(process.pid))', 'process.exit(9)'),
    })
    const begin = () =>
      createAgent({ home: join(volume, 'home'), socket, version: 'test', log, startRouter: async () => new RouterDouble(), settings })
    let agent = await begin()
    let client = new Client(socket)
    try {
      await client.follow()
      await client.desire(1, [desiredSet(workload(app, ['node', 'die.mjs']))])
      const [one] = await client.healthy(1)
      spawnSync('dd', ['if=/dev/zero', `of=${join(volume, 'filler')}`, 'bs=64k'], { stdio: 'ignore' })
      await fetch(`http://127.0.0.1:${one!.port}/`).catch(() => {})
      const exited = await client.until(() => client.instances.find((each) => each.lastExit?.code === 9))
      expect(exited.problem).toBeDefined()
      const refused = await client.call<{ error: { code: string } }>('PUT', '/desired', {
        generation: 2,
        sets: [desiredSet(workload(app, ['node', 'server.mjs'], { env: { BIG: 'x'.repeat(100_000) } }))],
        routes: [],
      })
      expect([refused.status, refused.body.error.code]).toEqual([507, 'DISK_FULL'])
      expect((await client.call<{ ok: boolean }>('GET', '/healthz')).body.ok).toBe(true)
      rmSync(join(volume, 'filler'))
      const again = await client.until(() => client.instances.find((each) => each.state === 'healthy' && each.restarts > 0))
      client.close()
      await agent.stop({ instances: false })
      agent = await begin()
      client = new Client(socket)
      await client.follow()
      expect((await client.healthy(1))[0]).toMatchObject({ id: again.id, pid: again.pid, restarts: again.restarts })
    } finally {
      client.close()
      await agent.stop({ instances: true })
      spawnSync('umount', ['--lazy', volume])
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

test('a watcher that does not read loses its connection, and nobody else notices', async () => {
  const it = await startTestAgent({ settings: { watcherBufferBytes: 400_000, aliveIntervalMs: 10 } })
  try {
    const lazy = await it.client.open('GET', '/observed?watch=1')
    lazy.pause()
    lazy.on('error', () => {})
    const gone = new Promise((resolve) => lazy.once('close', resolve))
    const app = writeApp(join(it.directory, 'app'), {})
    // Every change carries the last lines; the kernel takes some hundred kilobytes before the agent has to hold them.
    const noisy = desiredSet(workload(app, ['sh', '-c', `for i in $(seq 20); do echo ${'x'.repeat(900)}; done; exit 1`]), { replicas: 5 })
    await it.client.desire(1, [noisy])
    await it.client.until(() => it.client.instances.reduce((sum, each) => sum + each.restarts, 0) > 25)
    lazy.resume()
    await gone
    expect(lazy.complete).toBe(false)
    expect(it.client.instances.length).toBe(5)
    expect((await it.client.call<{ ok: boolean }>('GET', '/healthz')).body.ok).toBe(true)
  } finally {
    await it.close()
  }
})

test('a state that cannot be read with the key is refused by name rather than forgotten', async () => {
  const it = await startTestAgent()
  await it.client.desire(1, [])
  it.client.close()
  await it.agent.stop({ instances: true })
  try {
    writeFileSync(join(it.home, 'keys', 'agent.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`)
    const again = createAgent({
      home: it.home,
      socket: join(it.directory, 's.sock'),
      version: 'test',
      log: pino({ level: 'silent' }),
      startRouter: async () => new RouterDouble(),
    })
    await expect(again).rejects.toMatchObject({
      code: 'INTERNAL',
      details: { message: expect.stringContaining('cannot be read with the key') },
    })
  } finally {
    rmSync(it.directory, { recursive: true, force: true })
  }
})
