/** Reads definitions of APIs in a program without rights: a large one takes seconds, and the server has better things to do. */
import { fail } from '@pavior/contract'
import type { DefinitionAnswer, DefinitionReader, DefinitionRequest } from '../../rooms/catalog/ports.ts'
import { askProgram, ProgramEnded, type ProgramLimits } from '../unprivileged/program.ts'

const usualLimits: ProgramLimits = { timeoutMs: 30_000, memoryMib: 512, outputBytes: 32 * 1024 * 1024 }

/** `program`: path of dist/definition-reader.mjs. */
export function createDefinitionReader(program: string, limits: ProgramLimits = usualLimits): DefinitionReader {
  const ask = async (request: DefinitionRequest, path: string, signal?: AbortSignal): Promise<DefinitionAnswer> => {
    const answer = await askProgram<DefinitionAnswer>(program, limits, request, signal).catch((error: unknown) => {
      throw error instanceof ProgramEnded ? fail('API_DEFINITION_INVALID', { message: `${path} cannot be read as an API: ${endOf(error, limits)}` }) : error
    })
    if (answer.problem !== undefined) throw fail('API_DEFINITION_INVALID', answer.problem)
    return answer
  }
  return {
    look: async (path, definition, signal) => (await ask({ op: 'look', path, definition }, path, signal)).found,
    view: async (definition, signal) => (await ask({ op: 'view', definition }, definition.path, signal)).view!,
    diff: async (before, after, signal) => (await ask({ op: 'diff', before, after }, after.path, signal)).changes!,
  }
}

function endOf({ how, message }: ProgramEnded, { timeoutMs, memoryMib }: ProgramLimits): string {
  if (how === 'time') return `it took longer than ${timeoutMs / 1000} s.`
  if (how === 'memory') return `it takes more than ${memoryMib} MiB of memory.`
  return how === 'output' ? 'what is to be shown of it is too large.' : `the process that reads it ended: ${message}`
}
