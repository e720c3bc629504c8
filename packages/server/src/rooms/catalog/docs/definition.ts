/** Definitions of APIs: told apart, shown and compared. Nothing in one is believed; nothing is fetched for one. */
import { fail, type ApiView } from '@pavior/contract'
import type { ApiChange, Definition } from '../ports.ts'
import { diffAsyncApi } from './asyncapi-diff.ts'
import { diffGraphQl } from './graphql-diff.ts'
import { readGraphQl } from './graphql.ts'
import { diffOpenApi } from './openapi-diff.ts'
import { readApi } from './plan.ts'
import { viewAsyncApi } from './views/asyncapi.ts'
import { viewGraphQl } from './views/graphql.ts'
import { viewOpenApi } from './views/openapi.ts'

/** Throws API_DEFINITION_INVALID with what is wrong and where. */
export async function viewOf({ path, format, definition }: Definition): Promise<ApiView> {
  return readable(path, async () => {
    if (format === 'graphql') {
      const { graphql, schema } = await readGraphQl(definition)
      return viewGraphQl(graphql, schema, path)
    }
    const document = documentOf(path, definition)
    return format === 'openapi' ? viewOpenApi(document, path) : viewAsyncApi(document, path)
  })
}

/** Throws API_DEFINITION_INVALID when one of both cannot be read, or they are of different formats. */
export async function diffOf(before: Definition, after: Definition): Promise<ApiChange[]> {
  if (before.format !== after.format) throw fail('API_DEFINITION_INVALID', { message: `${after.path} is ${after.format}, and was ${before.format}: they cannot be compared.`, fix: 'Look at both definitions.' })
  if (after.format === 'graphql') {
    const old = await readable(before.path, () => readGraphQl(before.definition))
    const now = await readable(after.path, () => readGraphQl(after.definition))
    return diffGraphQl(now.graphql, old.schema, now.schema)
  }
  const diff = after.format === 'openapi' ? diffOpenApi : diffAsyncApi
  return readable(after.path, async () => diff(documentOf(before.path, before.definition), documentOf(after.path, after.definition)))
}

function documentOf(path: string, text: string): unknown {
  const { document, problem } = readApi(path, text)!
  if (problem !== undefined) throw new Error(problem)
  return document
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw fail('API_DEFINITION_INVALID', { message: `${path} cannot be read as an API: ${reasonOf(error as Error)}` }, { cause: error })
  }
}

function reasonOf(error: Error & { locations?: readonly { line: number; column: number }[] }): string {
  if (error instanceof RangeError) return 'it is nested too deeply.'
  const [place] = error.locations ?? []
  return `${error.message.split('\n', 1)[0]!.slice(0, 300)}${place ? ` (line ${place.line}, column ${place.column})` : ''}`
}
