/** One question to a program without rights: no environment, no files but its own, no children, limited memory, time and output. */
import { spawn } from 'node:child_process'

export interface ProgramLimits {
  timeoutMs: number
  memoryMib: number
  outputBytes: number
  /** Directories that it may read beside its own file. Default: none. */
  reads?: string[]
}

/** The program ended without an answer. */
export class ProgramEnded extends Error {
  readonly how: 'time' | 'output' | 'memory' | 'crash'

  constructor(how: ProgramEnded['how'], detail = '') {
    super(detail)
    this.how = how
  }
}

/** The flag lost its prefix when the permission model became stable. */
const permissionFlag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

/** Sends JSON to the program's standard input and reads JSON from its standard output. Throws ProgramEnded, or the signal's reason. */
export function askProgram<Answer>(program: string, { timeoutMs, memoryMib, outputBytes, reads = [] }: ProgramLimits, request: unknown, signal: AbortSignal | undefined): Promise<Answer> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const flags = ['--no-warnings', permissionFlag, ...[program, ...reads].map((path) => `--allow-fs-read=${path}`), `--max-old-space-size=${memoryMib}`, '--disable-proto=delete']
    const child = spawn(process.execPath, [...flags, program], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, cwd: '/' })
    let ended: 'time' | 'output' | undefined
    const chunks: Buffer[] = []
    let bytes = 0
    let errors = ''
    const stop = (why: 'time' | 'output') => (): void => {
      ended ??= why
      child.kill('SIGKILL')
    }
    const timer = setTimeout(stop('time'), timeoutMs)
    const aborted = (): void => void child.kill('SIGKILL')
    signal?.addEventListener('abort', aborted)
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > outputBytes) stop('output')()
      else chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000)
    })
    // It may die before it has read everything; its end tells.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(request))
    const over = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
    child.on('error', (error) => {
      over()
      reject(error)
    })
    child.on('close', (code) => {
      over()
      if (signal?.aborted) return reject(signal.reason as Error)
      if (ended !== undefined) return reject(new ProgramEnded(ended))
      if (/heap out of memory|Invalid string length|invalid array length/i.test(errors)) return reject(new ProgramEnded('memory'))
      if (code !== 0) return reject(new ProgramEnded('crash', errors.split('\n').find((line) => /Error/.test(line))?.slice(0, 300) ?? `exit code ${code}`))
      resolve(JSON.parse(Buffer.concat(chunks).toString()) as Answer)
    })
  })
}
