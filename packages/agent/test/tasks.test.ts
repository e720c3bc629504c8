import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TaskSpec, TaskStatus } from '@pavior/contract'
import { isRoot, megabyte, startTestAgent, task, workload, writeApp, type TestAgent } from './harness.ts'

let it: TestAgent
let count = 0

beforeAll(async () => {
  it = await startTestAgent({ settings: { diskPollMs: 50, diskCountMaxMs: 500 } })
})
afterAll(async () => {
  await it.close()
})

const build = (files: Record<string, string> = {}) => writeApp(join(it.directory, `build ${++count}`), files)
const newId = () => `task-${++count}`
const shell = (script: string, over: Partial<TaskSpec['workload']> = {}, spec: Partial<TaskSpec> = {}) =>
  task(workload(over.directory ?? build(), ['sh', '-c', script], { writable: true, ...over }), spec)
const put = async (id: string, spec: TaskSpec) => (await it.client.call<TaskStatus>('PUT', `/tasks/${id}`, spec)).body
const linesOf = async (id: string) => (await it.client.lines(id)).map((each) => each.line)

describe('tasks', () => {
  test('run, report their exit exactly, and keep their log', async () => {
    const id = newId()
    const directory = build({ 'in.txt': 'input' })
    expect(await put(id, shell('cat in.txt; echo; echo made > out.txt; echo oops >&2; exit 3', { directory }))).toMatchObject({
      id,
      state: 'running',
    })
    const status = await it.client.taskEnd(id)
    expect(status).toMatchObject({ state: 'exited', exit: { code: 3 } })
    expect(status.problem).toBeUndefined()
    expect(status.cpuSeconds).toBeGreaterThanOrEqual(0)
    expect(await linesOf(id)).toEqual(['input', 'oops'])
    expect(readFileSync(join(directory, 'out.txt'), 'utf8')).toBe('made\n')
    if (isRoot) expect(statSync(join(directory, 'in.txt')).uid).toBeGreaterThanOrEqual(200_000)
  })

  test('are started once, whoever asks how often', async () => {
    const id = newId()
    const directory = build()
    const spec = shell('echo x >> runs; cat', { directory }, { interactive: true })
    const first = await put(id, spec)
    await expect.poll(() => existsSync(join(directory, 'runs'))).toBe(true)
    const second = await put(id, spec)
    expect(second.startedAt).toBe(first.startedAt)
    await it.client.call('POST', `/tasks/${id}/cancel?graceMs=0`)
    await it.client.taskEnd(id)
    expect((await put(id, spec)).state).toBe('exited')
    expect(readFileSync(join(directory, 'runs'), 'utf8')).toBe('x\n')
  })

  test('are cancelled as a whole, more than once', async () => {
    const id = newId()
    const directory = build()
    await put(id, shell('trap "" TERM; (trap "" TERM; setsid sleep 301) & echo $$ > pid; while :; do sleep 0.05; done', { directory }))
    await expect.poll(() => existsSync(join(directory, 'pid'))).toBe(true)
    await it.client.call('POST', `/tasks/${id}/cancel?graceMs=60000`)
    await it.client.call('POST', `/tasks/${id}/cancel?graceMs=100`)
    const status = await it.client.taskEnd(id)
    expect(status.problem?.code).toBe('CANCELED')
    expect(status.exit?.signal).toBe('SIGKILL')
    expect((await it.client.call('POST', `/tasks/${id}/cancel`)).status).toBe(200)
    expect(processesOf(id)).toEqual([])
  })

  test('end at their time limit', async () => {
    const id = newId()
    await put(id, shell('sleep 300', {}, { timeoutMs: 300 }))
    const status = await it.client.taskEnd(id)
    expect(status.problem).toMatchObject({ code: 'BUILD_TIMEOUT', message: 'The task took longer than 300 ms and was ended.' })
  })

  test('end at their memory limit', async (context) => {
    if (it.agent.capabilities.cgroup === 'none') return context.skip()
    const id = newId()
    await put(
      id,
      task(
        workload(build(), ['node', '-e', 'const a=[]; for(;;) a.push(Buffer.alloc(1<<20,1))'], {
          limits: { memoryBytes: 80 * megabyte, cpu: 1, pids: 50 },
        }),
      ),
    )
    const status = await it.client.taskEnd(id)
    expect(status.problem?.code).toBe('OUT_OF_MEMORY')
    expect(status.maxMemoryBytes).toBeGreaterThan(40 * megabyte)
  })

  test.each([
    ['in many files', 'i=0; while :; do head -c 1000000 /dev/zero > file$i; i=$((i+1)); sleep 0.01; done'],
    ['in temporary files', 'i=0; while :; do head -c 1000000 /dev/zero > "$TMPDIR/file$i"; i=$((i+1)); sleep 0.01; done'],
    ['in one file', 'exec head -c 900000000 /dev/zero > big'],
  ])('end at their disk limit, %s', async (_, script) => {
    const id = newId()
    const directory = build({ 'before.bin': 'x'.repeat(3 * megabyte) })
    await put(id, shell(script, { directory, limits: { memoryBytes: 512 * megabyte, cpu: 1, pids: 50, diskBytes: 20 * megabyte } }))
    const status = await it.client.taskEnd(id)
    expect(status.problem?.code).toBe('BUILD_DISK_FULL')
    expect(existsSync(join(it.home, 'agent', 'scratch', id))).toBe(false)
  })

  test('survive a fork bomb', async (context) => {
    if (it.agent.capabilities.cgroup === 'none') return context.skip()
    const id = newId()
    await put(
      id,
      task(
        workload(build(), ['bash', '-c', 'fork() { fork & fork; }; fork 2>/dev/null'], {
          limits: { memoryBytes: 256 * megabyte, cpu: 0.5, pids: 40 },
        }),
        { timeoutMs: 1500 },
      ),
    )
    const status = await it.client.taskEnd(id)
    expect(status.problem?.code ?? status.exit).toBeDefined()
    expect(processesOf(id)).toEqual([])
  })

  test('say when they cannot be started', async () => {
    const id = newId()
    await put(id, task(workload(join(it.directory, 'nothing'), ['true'])))
    expect((await it.client.taskEnd(id)).problem?.code).toBe('START_FAILED')
    const other = newId()
    await put(other, task(workload(build(), ['no-such-tool'])))
    expect((await it.client.taskEnd(other)).problem?.message).toContain('no-such-tool was not found')
  })

  test('are forgotten with their log, but not while they run', async () => {
    const id = newId()
    await put(id, shell('echo hello; cat', {}, { interactive: true }))
    expect((await it.client.call('DELETE', `/tasks/${id}`)).status).toBe(409)
    await it.client.call('POST', `/tasks/${id}/cancel?graceMs=0`)
    await it.client.taskEnd(id)
    expect((await it.client.call('DELETE', `/tasks/${id}`)).status).toBe(200)
    expect((await it.client.call('DELETE', `/tasks/${id}`)).status).toBe(200)
    expect((await it.client.call('GET', `/tasks/${id}`)).status).toBe(404)
    expect((await it.client.call('GET', `/logs/${id}`)).status).toBe(404)
  })

  test('log is followed to its end', async () => {
    const id = newId()
    await put(id, shell('echo one; sleep 0.2; echo two; sleep 0.2; printf three'))
    const response = await it.client.open('GET', `/logs/${id}?follow=1`)
    let text = ''
    for await (const chunk of response) text += String(chunk)
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: string; time: string })
    expect(lines.map((each) => each.line)).toEqual(['one', 'two', 'three'])
    const times = lines.map((each) => Date.parse(each.time))
    expect(times[1]! - times[0]!).toBeGreaterThan(50)
  })
})

describe('attached tasks', () => {
  test('get what is sent and send what they write', async () => {
    const id = newId()
    await put(id, shell('echo ready; read name; echo "hello $name"; cat >/dev/null; echo bye', {}, { interactive: true }))
    const { socket, text } = await attach(id)
    await expect.poll(text).toBe('ready\n')
    const begunMs = Date.now()
    socket.write('world\n')
    await expect.poll(text, { interval: 5 }).toBe('ready\nhello world\n')
    expect(Date.now() - begunMs).toBeLessThan(1000)
    socket.end()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text()).toBe('ready\nhello world\nbye\n')
    expect((await it.client.taskEnd(id)).exit).toMatchObject({ code: 0 })
  })

  test('have a terminal when they ask for one', async () => {
    const id = newId()
    await put(
      id,
      shell(
        'stty size; stty -echo; echo ready; read x; echo "got $x"; tty',
        {},
        { interactive: true, terminal: { columns: 100, rows: 30 } },
      ),
    )
    const { socket, text } = await attach(id)
    await expect.poll(text).toContain('ready')
    socket.write('typed\n')
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text().replaceAll('\r', '')).toMatch(/^30 100\nready\ngot typed\n\/dev\/pts\/\d+\n/)
  })

  test('can be interrupted from the terminal', async () => {
    const id = newId()
    await put(
      id,
      shell(
        'trap "echo interrupted; exit 130" INT; echo ready; while :; do sleep 0.05; done',
        {},
        { interactive: true, terminal: { columns: 80, rows: 24 } },
      ),
    )
    const { socket, text } = await attach(id)
    await expect.poll(text).toContain('ready')
    socket.write('\x03')
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text()).toContain('interrupted')
    expect((await it.client.taskEnd(id)).exit).toMatchObject({ code: 130 })
  })

  test('that do not exist are refused', async () => {
    await expect(it.client.attach('nothing')).rejects.toThrow(/404/)
  })
})

/** An attached client, with what it has read so far. */
async function attach(id: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = await it.client.attach(id)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).resume()
  return { socket, text: () => text }
}

/** Processes whose environment names a run. */
function processesOf(id: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(`PAVIOR_INSTANCE=${id}\0`)
    } catch {
      return false
    }
  })
}
