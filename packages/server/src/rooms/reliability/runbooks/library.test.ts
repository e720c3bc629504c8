import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Compile } from 'typebox/compile'
import { RunbookSpec } from '@pavior/contract'
import { describe, expect, test } from 'vitest'
import { parseQuery } from '../../telemetry/promql/parse.ts'
import { runbook } from './kinds.ts'
import { readLibrary } from './library.ts'
import { filled, readRunbook } from './text.ts'

const directory = join(fileURLToPath(new URL('.', import.meta.url)), '../../../../../../examples/runbooks')

describe('the runbooks that Pavior brings', async () => {
  const books = await readLibrary(directory)
  const schema = Compile(RunbookSpec)

  test('are ten and more', () => expect(books.length).toBeGreaterThanOrEqual(10))

  test.each(books.map((book) => [book.name, book] as const))('%s can be taken over as it is', (_, { name, spec }) => {
    expect([...schema.Errors(spec)]).toEqual([])
    expect(runbook.validate!({ apiVersion: '', kind: 'Runbook', metadata: { name } as never, spec }, undefined)).toEqual([])
    const { steps } = readRunbook(spec.markdown)
    expect(steps.length).toBeGreaterThan(1)
    expect(spec.symptoms?.length).toBeGreaterThan(0)
    const queries = filled(steps, { app: 'shop', environment: 'production' }).flatMap((step) => (step.type === 'check' ? [step.query] : step.type === 'wait' && step.until ? [step.until.query] : []))
    for (const query of queries) expect(() => parseQuery(query)).not.toThrow()
  })
})
