/** Starts a process for each rendering: no environment, no files but its own program, no children, limited memory and time. */
import { spawn } from 'node:child_process'
import { fail } from '@pavior/contract'
import type { RenderAnswer, RenderRequest, TemplateRenderer } from '../../rooms/catalog/ports.ts'

export interface RendererLimits {
  timeoutMs: number
  memoryMib: number
  outputBytes: number
}

const usualLimits: RendererLimits = { timeoutMs: 10_000, memoryMib: 192, outputBytes: 48 * 1024 * 1024 }
/** The flag lost its prefix when the permission model became stable. */
const permissionFlag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

/** `program`: path of dist/template-renderer.mjs. */
export function createTemplateRenderer(program: string, limits: RendererLimits = usualLimits): TemplateRenderer {
  return { ask: (request, signal) => ask(program, limits, request, signal) }
}

function ask(program: string, { timeoutMs, memoryMib, outputBytes }: RendererLimits, request: RenderRequest, signal: AbortSignal | undefined): Promise<RenderAnswer> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const flags = ['--no-warnings', permissionFlag, `--allow-fs-read=${program}`, `--max-old-space-size=${memoryMib}`, '--disable-proto=delete']
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
      if (ended === 'time') return reject(fail('TEMPLATE_LIMIT', { message: `Rendering the template took longer than ${timeoutMs / 1000} s and was stopped.` }))
      if (ended === 'output') return reject(fail('TEMPLATE_TOO_LARGE', { message: `The template renders more than ${Math.round(outputBytes / 1024 / 1024)} MiB.` }))
      if (/heap out of memory|Invalid string length|invalid array length/i.test(errors)) return reject(fail('TEMPLATE_LIMIT', { message: `Rendering the template took more than ${memoryMib} MiB of memory and was stopped.` }))
      if (code !== 0) return reject(fail('TEMPLATE_RENDER_FAILED', { message: 'The process that renders templates ended without an answer.', why: errors.split('\n').find((line) => /Error/.test(line))?.slice(0, 300) ?? `exit code ${code}` }))
      resolve(JSON.parse(Buffer.concat(chunks).toString()) as RenderAnswer)
    })
  })
}
