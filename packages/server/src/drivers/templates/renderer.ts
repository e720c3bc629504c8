/** Renders templates in a program without rights, started for each rendering. */
import { fail } from '@pavior/contract'
import type { RenderAnswer, TemplateRenderer } from '../../rooms/catalog/ports.ts'
import { askProgram, ProgramEnded, type ProgramLimits } from '../unprivileged/program.ts'

const usualLimits: ProgramLimits = { timeoutMs: 10_000, memoryMib: 192, outputBytes: 48 * 1024 * 1024 }

/** `program`: path of dist/template-renderer.mjs. */
export function createTemplateRenderer(program: string, limits: ProgramLimits = usualLimits): TemplateRenderer {
  return {
    ask: (request, signal) =>
      askProgram<RenderAnswer>(program, limits, request, signal).catch((error: unknown) => {
        throw error instanceof ProgramEnded ? endOf(error, limits) : error
      }),
  }
}

function endOf({ how, message }: ProgramEnded, { timeoutMs, memoryMib, outputBytes }: ProgramLimits): Error {
  if (how === 'time') return fail('TEMPLATE_LIMIT', { message: `Rendering the template took longer than ${timeoutMs / 1000} s and was stopped.` })
  if (how === 'output') return fail('TEMPLATE_TOO_LARGE', { message: `The template renders more than ${Math.round(outputBytes / 1024 / 1024)} MiB.` })
  if (how === 'memory') return fail('TEMPLATE_LIMIT', { message: `Rendering the template took more than ${memoryMib} MiB of memory and was stopped.` })
  return fail('TEMPLATE_RENDER_FAILED', { message: 'The process that renders templates ended without an answer.', why: message })
}
