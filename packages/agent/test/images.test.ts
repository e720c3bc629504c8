/** Files of an image as the root of a process: what it sees, what it may write, and that all of it is gone afterwards. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Workload } from '@pavior/contract'
import { detectHost } from '../src/detect.ts'
import { openHome } from '../src/home.ts'
import { patchedPasswd } from '../src/image/layer.ts'
import { parseNeeded } from '../src/image/toolbox.ts'
import type { RunHost } from '../src/run/host.ts'
import type { Run, RunEnd } from '../src/run/run.ts'
import { startRun } from '../src/run/start.ts'
import { defaultSettings } from '../src/settings.ts'
import { megabyte, temporaryDirectory, workload } from './harness.ts'

let directory: string
let rootfs: string
let host: RunHost
let problem: string | undefined
let count = 0

beforeAll(async () => {
  directory = temporaryDirectory()
  const detected = await detectHost({ home: openHome(join(directory, 'home, of: it')), settings: defaultSettings, log: pino({ level: 'silent' }) })
  host = detected.host
  problem = detected.capabilities.imageProblem
  if (problem !== undefined) console.log(`skipped: running images, because ${problem}`)
  rootfs = join(directory, 'files, of: it')
  for (const program of ['sh', 'cat', 'ls', 'id', 'grep', 'sleep', 'touch']) install(program)
  write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nclerk:x:1000:1000::/home/clerk:/bin/sh\n')
  write('etc/group', 'root:x:0:\nclerk:x:1000:\n')
  write('srv/data.txt', 'content')
  mkdirSync(join(rootfs, 'home/clerk'), { recursive: true })
})

afterAll(() => {
  host.cgroup.close()
  rmSync(directory, { recursive: true, force: true })
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(rootfs, path)), { recursive: true })
  writeFileSync(join(rootfs, path), text)
}

/** A program of this machine with its libraries. */
function install(program: string): void {
  const path = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
  const { loader, libraries } = parseNeeded(execFileSync('ldd', [path], { encoding: 'utf8' }))
  for (const [from, to] of [[path, `bin/${program}`] as const, ...[loader!, ...libraries].map((file) => [file, file] as const)]) {
    mkdirSync(dirname(join(rootfs, to)), { recursive: true })
    copyFileSync(from, join(rootfs, to))
    chmodSync(join(rootfs, to), 0o755)
  }
}

async function begin(command: string[], over: Partial<Workload> = {}): Promise<{ run: Run; output: () => string }> {
  const id = `image-${++count}`
  const log = join(directory, `${id}.log`)
  host.records.prepare(id)
  const image = { directory: '/srv', user: 'clerk', home: '/home/clerk' }
  const run = await startRun(host, {
    id,
    attempt: 0,
    workload: { ...workload(rootfs, command, { image }), ...over },
    scratch: 'memory',
    input: false,
    logDescriptor: openSync(log, 'a'),
    logOffset: 0,
  })
  return { run, output: () => readFileSync(log, 'utf8') }
}

async function finish(command: string[], over: Partial<Workload> = {}): Promise<{ end: RunEnd; text: string }> {
  const { run, output } = await begin(command, over)
  return { end: await run.ended, text: output() }
}

const check = (title: string, body: () => Promise<void>) => test(title, async (context) => (problem === undefined ? body() : context.skip(problem)))

check('sees the files of the image and nothing of the machine', async () => {
  const { text, end } = await finish(['sh', '-c', 'cat data.txt; ls /; ls /usr 2>&1; ls /home'])
  expect(end.exit.code).toBe(0)
  expect(text).toMatch(/^contentbin\ndev\netc\nhome\nlib\n(lib64\n)?proc\nsrv\nsys\ntmp\n/)
  expect(text).toMatch(/clerk\n$/)
})

check('is the user that the image knows, without any right, and may write what a container may', async () => {
  const { text, end } = await finish(['sh', '-c', 'id -un; id -gn; grep CapEff /proc/self/status; touch here /tmp/a /etc/b /bin/c ~/d && ls . ~ && echo changed >data.txt && cat data.txt'])
  expect(end.exit.code).toBe(0)
  expect(text).toBe('clerk\nclerk\nCapEff:\t0000000000000000\n.:\ndata.txt\nhere\n\n/home/clerk:\nd\nchanged\n')
  expect(readFileSync(join(rootfs, 'srv/data.txt'), 'utf8')).toBe('content')
  expect(existsSync(join(host.home.scratch, `image-${count}`))).toBe(false)
})

check('an image that asks for root gets an ordinary user', async () => {
  const { text } = await finish(['sh', '-c', 'id -un; id -u'], { image: { directory: '/', user: 'root', home: '/root' } })
  expect(text).toMatch(/^app\n[1-9]\d+\n$/)
})

check('reports exit codes and signals exactly, and what is not there', async () => {
  expect((await finish(['sh', '-c', 'exit 137'])).end.exit.code).toBe(137)
  expect((await finish(['sh', '-c', 'kill -KILL $$'])).end.exit.signal).toBe('SIGKILL')
  expect((await finish(['no-such-command'])).end.neverRan).toBe('not found')
})

check('runs a command in an image without a shell', async () => {
  const shell = join(rootfs, 'bin/sh')
  const kept = readFileSync(shell)
  rmSync(shell)
  try {
    expect((await finish(['cat', '/srv/data.txt'])).text).toBe('content')
  } finally {
    writeFileSync(shell, kept, { mode: 0o755 })
  }
})

check('gets the signal that its image asks for', async () => {
  const image = { directory: '/', user: 'clerk', home: '/', stopSignal: 'SIGQUIT' }
  const { run, output } = await begin(['sh', '-c', "trap 'echo quit; exit 7' QUIT; echo up; while :; do sleep 0.05; done"], { image })
  while (!output().includes('up')) await new Promise((resolve) => setTimeout(resolve, 20))
  const end = await run.stop(5000)
  expect([end.exit.code, output()]).toEqual([7, 'up\nquit\n'])
})

check('what it writes counts as its memory, so that it fills no disk', async () => {
  if (!host.cgroup.enforces.memory) return
  const { end } = await finish(['cat', '/dev/zero'], { command: ['sh', '-c', 'exec cat /dev/zero >/srv/endless'], limits: { memoryBytes: 64 * megabyte, cpu: 1, pids: 50 } })
  expect(end.exit.outOfMemory).toBe(true)
})

check('links in an image lead nothing out of it', async () => {
  const outside = join(directory, 'outside')
  mkdirSync(outside)
  const before = join(rootfs, 'tmp')
  symlinkSync(outside, before)
  try {
    const { text } = await finish(['sh', '-c', 'touch /tmp/x && ls /tmp'])
    expect([text, existsSync(join(outside, 'x'))]).toEqual(['x\n', false])
  } finally {
    rmSync(before)
  }
})

check('an image builder is root over ids of its own, and over nothing of the machine', async () => {
  const work = join(directory, 'work')
  mkdirSync(work)
  const { text, end } = await finish(['sh', '-c', 'id -u; cat /proc/self/uid_map; touch /app/made && chown 5:5 /app/made; mount -t tmpfs none /var && echo mounted; touch /usr/x 2>&1; echo 0 >/proc/sys/kernel/panic'], {
    image: undefined,
    imageBuilder: true,
    directory: work,
    writable: true,
  })
  expect(text).toMatch(/^0\n\s+0 1000000000\s+65536\nmounted\n/)
  expect(text).toMatch(/Read-only file system|Permission denied/)
  expect(end.exit.code).not.toBe(0)
})

test('says why images cannot be run where there is no sandbox', async () => {
  const { host: plain, capabilities } = await detectHost({ home: openHome(join(directory, 'plain')), settings: defaultSettings, log: pino({ level: 'silent' }), choice: { sandbox: 'none' } })
  expect(capabilities.imageProblem).toMatch(/^bubblewrap is missing/)
  expect(plain.images).toBeUndefined()
  plain.cgroup.close()
})

test('the passwd file of an image names the user id that runs', () => {
  const text = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/bash\n'
  expect(patchedPasswd(text, { user: 'node', home: '/home/node' }, 200001)).toBe('node:x:200001:200001:node:/home/node:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n')
  expect(patchedPasswd(text, { user: 'root', home: '/root' }, 200001)).toContain('app:x:200001:200001:app:/root:/bin/sh\n')
  expect(patchedPasswd('', { user: 'a:b\n', home: '/' }, 7)).toBe('app:x:7:7:app:/:/bin/sh\n')
})
