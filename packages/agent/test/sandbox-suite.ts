/** What every sandbox driver must do, on every cgroup driver. */
import { chownSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Workload } from '@pavior/contract'
import { detectHost, type HostChoice } from '../src/detect.ts'
import { openHome } from '../src/home.ts'
import type { RunHost } from '../src/run/host.ts'
import { isAlive } from '../src/run/proc.ts'
import type { Run, RunEnd } from '../src/run/run.ts'
import { adoptRun, startRun, type RunSpec } from '../src/run/start.ts'
import { defaultSettings } from '../src/settings.ts'
import { megabyte, temporaryDirectory, workload, writeApp } from './harness.ts'

export function sandboxSuite(name: string, choice: Required<Pick<HostChoice, 'sandbox' | 'cgroup'>>): void {
  describe(name, () => {
    let directory: string
    let host: RunHost
    let app: string
    let usable = true
    let count = 0

    beforeAll(async () => {
      directory = temporaryDirectory()
      const home = openHome(join(directory, 'home of it'))
      const detected = await detectHost({
        home,
        settings: { ...defaultSettings, adoptedPollMs: 100 },
        log: pino({ level: 'silent' }),
        choice,
      })
      host = detected.host
      usable = detected.capabilities.sandbox === choice.sandbox && detected.capabilities.cgroup === choice.cgroup
      if (!usable) console.log(`skipped: ${name}, because ${detected.capabilities.notes.join(' ')}`)
      app = writeApp(join(directory, 'app with "spaces"'), { 'data.txt': 'content', 'plain.txt': 'no program' })
    })

    afterAll(() => {
      host.cgroup.close()
      rmSync(directory, { recursive: true, force: true })
    })

    async function begin(
      command: string[],
      over: Partial<Workload> = {},
      spec: Partial<RunSpec> = {},
    ): Promise<{ run: Run; output: () => string }> {
      const id = `run-${++count}`
      const log = join(directory, `${id}.log`)
      host.records.prepare(id)
      const run = await startRun(host, {
        id,
        attempt: 0,
        workload: workload(app, command, over),
        scratch: 'memory',
        input: false,
        logDescriptor: openSync(log, 'a'),
        logOffset: 0,
        ...spec,
      })
      return { run, output: () => readFileSync(log, 'utf8') }
    }

    async function finish(
      command: string[],
      over: Partial<Workload> = {},
      spec: Partial<RunSpec> = {},
    ): Promise<{ end: RunEnd; text: string }> {
      const { run, output } = await begin(command, over, spec)
      const end = await run.ended
      return { end, text: output() }
    }

    const check = (title: string, body: () => Promise<void>) => test(title, async (context) => (usable ? body() : context.skip()))

    check('reports exit codes and signals exactly', async () => {
      const ends: [string, object][] = [
        ['exit 0', { code: 0 }],
        ['exit 3', { code: 3 }],
        ['exit 137', { code: 137 }],
        ['exit 143', { code: 143 }],
        ['kill -KILL $$', { signal: 'SIGKILL' }],
        ['kill -TERM $$', { signal: 'SIGTERM' }],
        ['kill -INT $$', { signal: 'SIGINT' }],
        ['kill -SEGV $$', { signal: 'SIGSEGV' }],
        ['kill -PIPE $$', { signal: 'SIGPIPE' }],
        ['kill -USR1 $$', { signal: 'SIGUSR1' }],
      ]
      for (const [script, expected] of ends) {
        const { end } = await finish(['sh', '-c', script])
        const { at, ...exit } = end.exit
        expect(exit, script).toEqual(expected)
        expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(5000)
        expect(end.neverRan).toBeUndefined()
      }
    })

    check('says when a command is not there or may not be executed', async () => {
      expect((await finish(['no-such-command'])).end.neverRan).toBe('not found')
      expect((await finish(['./plain.txt'])).end.neverRan).toBe('not executable')
      expect((await finish(['./nothing/here'])).end.neverRan).toBe('not found')
    })

    check('gives exactly the environment that was asked for, whatever is in it', async () => {
      const env = {
        PLAIN: 'x',
        QUOTES: `it's "so" $HOME \`id\` \\`,
        LINES: 'one\ntwo\n',
        EMPTY: '',
        'dotted.name': 'kept',
        IFS: 'xyz',
        UMLAUT: 'grüße 🎉',
      }
      const script = 'process.stdout.write(JSON.stringify(process.env))'
      const { text } = await finish(['node', '-e', script], { env }, { port: 4711 })
      const seen = JSON.parse(text) as Record<string, string>
      expect(seen).toMatchObject(env)
      expect(
        Object.keys(seen)
          .filter((name) => !(name in env))
          .sort(),
      ).toEqual(['APP_DIR', 'HOME', 'PATH', 'PAVIOR_INSTANCE', 'PORT', 'PWD', 'TMPDIR'])
      expect(seen.PORT).toBe('4711')
    })

    check('runs in the app directory with a home and a place for temporary files', async () => {
      const { text, end } = await finish([
        'sh',
        '-c',
        'cat data.txt && cd "$APP_DIR" && cat data.txt && echo a >"$HOME/a" && echo b >"$TMPDIR/b" && cat "$HOME/a" "$TMPDIR/b"',
      ])
      expect(text).toBe('contentcontenta\nb\n')
      expect(end.exit.code).toBe(0)
      expect(existsSync(join(host.home.scratch, `run-${count}`))).toBe(false)
    })

    check('takes every privilege away', async () => {
      const { text } = await finish(['sh', '-c', 'grep -E "NoNewPrivs|CapEff|CapBnd" /proc/self/status; ulimit -c; id -u'])
      expect(text).toMatch(/CapEff:\s+0000000000000000/)
      expect(text).toMatch(/NoNewPrivs:\s+1/)
      const lines = text.trim().split('\n')
      expect(lines.at(-2)).toBe('0')
      if (host.users) expect(Number(lines.at(-1))).toBeGreaterThanOrEqual(200_000)
    })

    check('lets a writable directory be written and shows mounts', async () => {
      const build = writeApp(join(directory, 'build dir'), { 'in.txt': 'in' })
      const cache = writeApp(join(directory, 'cache dir'), { old: 'kept' })
      const target = host.sandbox.kind === 'bubblewrap' ? '/cache' : cache
      const { end } = await finish(
        [
          'sh',
          '-c',
          `cat in.txt >out.txt && cp '${target.replaceAll("'", "'\\''")}/old' . && echo new >'${target.replaceAll("'", "'\\''")}/new'`,
        ],
        {
          directory: build,
          writable: true,
          mounts: [{ source: cache, target, readOnly: false }],
        },
      )
      expect(end.exit.code).toBe(0)
      expect(readFileSync(join(build, 'out.txt'), 'utf8')).toBe('in')
      expect(readFileSync(join(cache, 'new'), 'utf8')).toBe('new\n')
    })

    check('keeps an app out of what is not its own', async () => {
      if (host.sandbox.kind === 'none' && !host.users) return
      mkdirSync(join(host.home.root, 'private'), { recursive: true, mode: 0o700 })
      const secret = join(host.home.root, 'private', 'secret')
      writeFileSync(secret, 'secret', { mode: 0o600 })
      const other = writeApp(join(directory, 'other app'), {})
      const owned = host.users?.uidOf('payments', 'other')
      writeFileSync(join(other, 'private'), 'private', { mode: 0o600 })
      if (owned) chownSync(join(other, 'private'), owned, owned)
      const { text, end } = await finish([
        'sh',
        '-c',
        `cat "$1" "$2" /etc/shadow; kill -0 ${process.pid}; touch "$APP_DIR/changed"`,
        'sh',
        secret,
        join(other, 'private'),
      ])
      expect(text).not.toContain('secret\n')
      expect(text).not.toMatch(/^(secret|private)/m)
      expect(text).not.toContain('root:')
      expect(end.exit.code).not.toBe(0)
      expect(existsSync(join(app, 'changed'))).toBe(false)
      if (host.sandbox.kind === 'bubblewrap') {
        const { text: listing } = await finish(['sh', '-c', 'ls / /root /home; ls -d /proc/[0-9]* | wc -l'])
        expect(listing).not.toMatch(/^(root|work|srv)$/m)
        expect(Number(listing.trim().split('\n').at(-1))).toBeLessThan(8)
      }
    })

    check('passes SIGTERM on and waits for an orderly end', async () => {
      const { run, output } = await begin(['sh', '-c', 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done'])
      await expect.poll(output).toContain('ready')
      const end = await run.stop(10_000)
      expect(end.exit.code).toBe(7)
      expect(output()).toContain('bye')
    })

    check('ends an app that has no handler for SIGTERM by that signal', async () => {
      const { run, output } = await begin(['node', '-e', 'console.log("ready"); setInterval(() => {}, 1000)'])
      await expect.poll(output).toContain('ready')
      const begunMs = Date.now()
      expect((await run.stop(10_000)).exit.signal).toBe('SIGTERM')
      expect(Date.now() - begunMs).toBeLessThan(3000)
    })

    check('gives what a wrapper leaves behind its SIGTERM and its grace too', async () => {
      const child =
        'process.on("SIGTERM", () => setTimeout(() => { console.log("child done"); process.exit(0) }, 200)); console.log("ready"); setInterval(() => {}, 1000)'
      const { run, output } = await begin(['sh', '-c', `node -e '${child}'; echo never`])
      await expect.poll(output).toContain('ready')
      await run.stop(10_000)
      expect(output()).toContain('child done')
    })

    check('kills a whole tree that ignores SIGTERM, daemons included', async () => {
      const marker = `pavior-daemon-${process.pid}-${count}`
      const daemon = `exec -a ${marker} sleep 300`
      const { run, output } = await begin([
        'sh',
        '-c',
        `trap "" TERM; setsid bash -c '${daemon}' </dev/null >/dev/null 2>&1 & trap "" TERM; echo ready; while :; do sleep 0.05; done`,
      ])
      await expect.poll(output).toContain('ready')
      await expect.poll(() => processesCalled(marker)).toBe(1)
      expect((await run.stop(200)).exit.signal).toBe('SIGKILL')
      expect(processesCalled(marker)).toBe(0)
    })

    check('leaves no daemon behind when the command ends by itself', async () => {
      const marker = `pavior-left-${process.pid}-${count}`
      const { end } = await finish([
        'sh',
        '-c',
        `setsid bash -c 'exec -a ${marker} sleep 300' </dev/null >/dev/null 2>&1 & sleep 0.2; exit 4`,
      ])
      expect(end.exit.code).toBe(4)
      expect(processesCalled(marker)).toBe(0)
    })

    check('reaps zombies', async () => {
      const script = 'for i in 1 2 3 4 5; do (sleep 0.05 & ) ; done; sleep 0.6; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l'
      if (host.sandbox.kind === 'bubblewrap') expect((await finish(['sh', '-c', script])).text.trim()).toBe('0')
    })

    check('passes input on', async () => {
      const { run, output } = await begin(['sh', '-c', 'read line; echo "got $line"; cat'], {}, { input: true })
      run.input!.end('first\nsecond\n')
      await run.ended
      expect(output()).toBe('got first\nsecond\n')
      expect((await finish(['cat'])).text).toBe('')
    })

    check('gives a terminal of the size that was asked for', async () => {
      if (!host.tools.script) return
      const { text, end } = await finish(
        ['sh', '-c', 'test -t 0 && test -t 1 && stty size && echo "$1" && exit 5', 'sh', "with 'quotes' and $signs"],
        {},
        { terminal: { columns: 91, rows: 23 }, scratch: 'disk' },
      )
      expect(text.replaceAll('\r', '')).toContain("23 91\nwith 'quotes' and $signs\n")
      expect(end.exit.code).toBe(5)
    })

    check('is taken over, running or ended', async () => {
      const running = await begin(['sh', '-c', 'echo ready; read nothing </dev/zero; sleep 300'])
      await expect.poll(running.output).toContain('ready')
      void running.run.pid
      const start = structuredClone(running.run.start)
      running.run.release()
      const adopted = adoptRun(host, running.run.id, start)
      expect(adopted.pid).toBe(running.run.pid)
      expect(isAlive(adopted.start.command!)).toBe(true)
      const ended = await adopted.stop(0)
      expect(ended.exit.signal).toBe('SIGKILL')

      const short = await begin(['sh', '-c', 'exit 137'])
      await short.run.ended
      host.records.prepare(short.run.id)
      expect((await adoptRun(host, short.run.id, structuredClone(short.run.start)).ended).exit).toMatchObject({ code: 137 })
    })

    check('notices the exit of a taken over process, with its code', async () => {
      const { run, output } = await begin(['sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'])
      await expect.poll(output).toContain('ready')
      const start = structuredClone(run.start)
      start.shim = start.command = undefined
      run.release()
      const adopted = adoptRun(host, run.id, start)
      const end = await adopted.stop(10_000)
      expect(end.exit).toMatchObject({ code: 9 })
    })

    check('recognises that memory ran out', async () => {
      if (!host.cgroup.enforces.memory) return
      const { end } = await finish(['node', '-e', 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'], {
        limits: { memoryBytes: 80 * megabyte, cpu: 2, pids: 50 },
      })
      expect(end.exit).toMatchObject({ signal: 'SIGKILL', outOfMemory: true })
    })

    check('bounds a fork bomb', async () => {
      if (!host.cgroup.enforces.pids && !host.users) return
      const bomb = 'fork() { fork & fork; }; fork 2>/dev/null'
      const { run } = await begin(['bash', '-c', bomb], { limits: { memoryBytes: 512 * megabyte, cpu: 1, pids: 30 } })
      await expect.poll(() => run.members().length, { timeout: 10_000 }).toBeGreaterThan(20)
      if (host.cgroup.enforces.pids) expect(run.members().length).toBeLessThanOrEqual(30)
      await run.stop(0)
      expect(run.members()).toEqual([])
    })

    check('refuses a directory that is not there', async () => {
      await expect(begin(['true'], { directory: join(directory, 'nothing') })).rejects.toMatchObject({ code: 'START_FAILED' })
    })
  })
}

function processesCalled(marker: string): number {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith(marker)
    } catch {
      return false
    }
  }).length
}
