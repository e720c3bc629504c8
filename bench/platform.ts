/** A Pavior of its own for a benchmark: free ports, a home in the temp directory, gone afterwards. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The bundle lies in bench/dist. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface BenchPlatform {
  home: string
  url: string
  routerPort: number
  token: string
  /** From the start of the command until it says that it is ready. */
  readyMs: number
  cli(args: string[], directory?: string): Promise<{ code: number; stdout: string; stderr: string }>
  stop(): Promise<void>
}

export async function startPlatform(environment: Record<string, string> = {}): Promise<BenchPlatform> {
  const home = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  const env = { ...process.env, PAVIOR_HOME: home, NO_COLOR: '1', ...environment }
  const began = performance.now()
  const up = spawn(process.execPath, [join(root, 'scripts/start.mjs'), '--port', '0', '--router-port', '0', '--no-example'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    up.stderr.on('data', (chunk) => {
      output += chunk
      if (/^ {2}Next {5}/m.test(output)) resolve()
    })
    up.on('exit', (code) => reject(new Error(`Pavior ended with ${code}:\n${output}`)))
  })
  const readyMs = performance.now() - began
  const { url, token } = JSON.parse(readFileSync(join(home, 'cli.json'), 'utf8')) as { url: string; token: string }
  return {
    home,
    url,
    token,
    readyMs,
    routerPort: Number(/localhost:(\d+)\n/.exec(output.split('apps')[1]!)![1]),
    cli: (args, directory) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [join(root, 'bin/pavior'), ...args], { env, cwd: directory ?? home, stdio: ['ignore', 'pipe', 'pipe'] })
        let stdout = ''
        let stderr = ''
        child.stdout.on('data', (chunk) => (stdout += chunk))
        child.stderr.on('data', (chunk) => (stderr += chunk))
        child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
      }),
    stop: async () => {
      const gone = new Promise((resolve) => up.once('exit', resolve))
      up.kill('SIGINT')
      await gone
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export function show(name: string, figure: string, target: string, met: boolean): void {
  console.log(`${name.padEnd(58)} ${figure.padEnd(28)} target ${target.padEnd(22)} ${met ? 'met' : 'missed'}`)
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** Requests a second through the router, by a client that waits for each answer; NaN without wrk. */
export function served({ routerPort }: BenchPlatform, duration: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn('wrk', ['-t1', '-c1', `-d${Math.ceil(duration)}s`, '-H', 'Host: hello-node.localhost', `http://127.0.0.1:${routerPort}/`], { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.on('error', () => resolve(NaN))
    child.stdout?.on('data', (chunk) => (text += chunk))
    child.on('close', () => resolve(Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1])))
  })
}

/** CPU time of the server of the platform. */
export function cpuSeconds({ home }: BenchPlatform): number {
  const pid = /^(\d+)/.exec(readFileSync(join(home, 'up.pid'), 'utf8'))![1]!
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return children.reduce((sum, child) => {
    const command = readFileSync(`/proc/${child}/cmdline`, 'utf8')
    if (!command.includes('server.mjs')) return sum
    const fields = readFileSync(`/proc/${child}/stat`, 'latin1').replace(/^.*\) /, '').split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / 100
  }, 0)
}
