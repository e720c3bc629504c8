/** Real kubectl binaries against a test API. */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Paths from PAVIOR_TEST_KUBECTL (separated like PATH), otherwise the first kubectl of PATH. */
export function findKubectls(): string[] {
  const given = (process.env.PAVIOR_TEST_KUBECTL ?? '').split(delimiter).filter((path) => path !== '')
  if (given.length > 0) return given
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'kubectl'))
    .filter(isExecutable)
    .slice(0, 1)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Ran {
  code: number | null
  out: string
  err: string
}

export interface Running {
  /** Resolves when the output so far matches. */
  printed(pattern: RegExp): Promise<string>
  done: Promise<Ran>
  stop(): void
}

export interface Kubectl {
  run(args: string[], input?: string): Promise<Ran>
  start(args: string[], input?: string, environment?: Record<string, string>): Running
  directory: string
}

/** `authority`: certificate to trust; kubectl sends tokens over HTTPS only. */
export function kubectlAgainst(binary: string, url: string, token: string, authority: string): Kubectl {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-kubectl-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'pavior',
        cluster: { server: url.replace('http:', 'https:'), 'certificate-authority-data': Buffer.from(authority).toString('base64') },
      },
    ],
    users: [{ name: 'me', user: { token } }],
    contexts: [{ name: 'pavior', context: { cluster: 'pavior', user: 'me', namespace: 'blue' } }],
    'current-context': 'pavior',
  }
  writeFileSync(join(directory, 'config'), JSON.stringify(config), { mode: 0o600 })

  const start = (args: string[], input?: string, environment: Record<string, string> = {}): Running => {
    const child = spawn(binary, args, {
      env: { PATH: process.env.PATH, HOME: directory, KUBECONFIG: join(directory, 'config'), TMPDIR: directory, ...environment },
      stdio: 'pipe',
    })
    const result: Ran = { code: null, out: '', err: '' }
    let check = (): void => {}
    child.stdout.on('data', (chunk) => {
      result.out += chunk
      check()
    })
    child.stderr.on('data', (chunk) => (result.err += chunk))
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    const done = new Promise<Ran>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ ...result, code }))
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    return {
      done,
      stop: () => void child.kill('SIGTERM'),
      printed: (pattern) =>
        Promise.race([
          new Promise<string>((resolve) => {
            check = () => pattern.test(result.out) && resolve(result.out)
            check()
          }),
          done.then(({ code, out, err }) => {
            if (pattern.test(out)) return out
            throw new Error(`kubectl ${args.join(' ')} ended with ${code} before it printed ${pattern}: ${out}${err}`)
          }),
        ]),
    }
  }
  return { directory, start, run: (args, input) => start(args, input).done }
}
