/**
 * Reads definitions of APIs in a process without rights; memory and time are limited by whoever starts it. One request as JSON
 * on standard input, one answer on standard output.
 */
import { PaviorError } from '@pavior/contract'
import { diffOf, viewOf } from './rooms/catalog/docs/definition.ts'
import { readApi } from './rooms/catalog/docs/plan.ts'
import type { DefinitionAnswer, DefinitionRequest } from './rooms/catalog/ports.ts'

async function answer(request: DefinitionRequest): Promise<DefinitionAnswer> {
  if (request.op === 'view') return { view: await viewOf(request.definition) }
  if (request.op === 'diff') return { changes: await diffOf(request.before, request.after) }
  const found = readApi(request.path, request.definition)
  return found === undefined ? {} : { found: { format: found.format, title: found.title } }
}

async function main(): Promise<void> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk
  const result = await answer(JSON.parse(text) as DefinitionRequest).catch((error: unknown): DefinitionAnswer => {
    if (!(error instanceof PaviorError)) throw error
    return { problem: { message: error.message } }
  })
  process.stdout.write(JSON.stringify(result))
}

await main()
