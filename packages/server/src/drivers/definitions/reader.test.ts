import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createDefinitionReader } from './reader.ts'

const program = fileURLToPath(new URL('../../../../../dist/definition-reader.mjs', import.meta.url))
const reader = createDefinitionReader(program)
const openapi = (definition: string) => ({ path: 'openapi.yaml', format: 'openapi' as const, definition })

describe('definitions are read by a process without rights', () => {
  test('which looks, shows and compares', async () => {
    expect(await reader.look('api/openapi.yaml', 'openapi: 3.1.0\ninfo: { title: Orders }')).toEqual({ format: 'openapi', title: 'Orders' })
    expect(await reader.look('notes.yaml', 'openapi: 3.1.0')).toBeUndefined()
    const [before, after] = ['a', 'b'].map((path) => openapi(`openapi: 3.1.0\npaths: { /${path}: { get: { responses: {} } } }`)) as [ReturnType<typeof openapi>, ReturnType<typeof openapi>]
    expect((await reader.view(before)).groups[0]!.operations[0]).toMatchObject({ verb: 'GET', name: '/a' })
    expect(await reader.diff(before, after)).toEqual([{ breaking: true, where: 'GET /a', what: 'is gone' }, { breaking: false, where: 'GET /b', what: 'is new' }])
    expect((await reader.view({ path: 'schema.graphql', format: 'graphql', definition: 'type Query { a: Int }' })).groups).toHaveLength(1)
  })

  test('which says what is wrong, and takes no longer and no more than it may', async () => {
    await expect(reader.view(openapi('openapi: ['))).rejects.toMatchObject({ code: 'API_DEFINITION_INVALID', message: expect.stringContaining('line 1') as string })
    const large = openapi(`openapi: 3.0.0\nx:\n${'  - { a: [1, 2, 3] }\n'.repeat(100_000)}`)
    await expect(createDefinitionReader(program, { timeoutMs: 300, memoryMib: 512, outputBytes: 1e6 }).view(large)).rejects.toMatchObject({ code: 'API_DEFINITION_INVALID', message: expect.stringContaining('longer than 0.3 s') as string })
    await expect(createDefinitionReader(program, { timeoutMs: 30_000, memoryMib: 48, outputBytes: 1e6 }).view(large)).rejects.toMatchObject({ code: 'API_DEFINITION_INVALID', message: expect.stringContaining('48 MiB') as string })
  })
})
