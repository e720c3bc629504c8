import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { RenderAnswer } from '../../rooms/catalog/ports.ts'
import { createTemplateRenderer } from './renderer.ts'

const program = fileURLToPath(new URL('../../../../../dist/template-renderer.mjs', import.meta.url))
const renderer = createTemplateRenderer(program)
const evaluate = (input: unknown, context: Record<string, unknown> = {}): Promise<RenderAnswer> => renderer.ask({ op: 'evaluate', input, context })
const render = (content: string, values: Record<string, unknown> = {}, path = 'file'): Promise<RenderAnswer> => renderer.ask({ op: 'render', files: [{ path, content, render: true }], values, style: {} })

describe('expressions', () => {
  test('a text that is one expression keeps its type', async () => {
    const context = { parameters: { list: [1, 2], on: false }, steps: { 'a-b': { output: { k: 'v' } } } }
    expect((await evaluate({ a: '${{ parameters.list }}', b: '${{ parameters.on }}', c: 'x-${{ steps["a-b"].output.k }}', d: '${{ parameters.missing }}' }, context)).value).toEqual({ a: [1, 2], b: false, c: 'x-v' })
  })

  test('the filters of Backstage are there', async () => {
    const context = { url: 'github.com?owner=blue&repo=shop', ref: 'group:default/blue' }
    const { value } = await evaluate({ repo: '${{ url | parseRepoUrl }}', slug: '${{ url | projectSlug }}', name: '${{ ref | parseEntityRef | pick("name") }}' }, context)
    expect(value).toEqual({ repo: { host: 'github.com', owner: 'blue', repo: 'shop' }, slug: 'blue/shop', name: 'blue' })
  })

  test('a path whose part renders to nothing leaves the file out', async () => {
    expect((await render('x', { on: '' }, '${{ values.on }}/file')).files).toEqual([])
    expect((await render('x', { on: 'here' }, '${{ values.on }}/file')).files).toEqual([{ path: '${{ values.on }}/file', target: 'here/file', content: 'x' }])
  })
})

describe('hostile templates', () => {
  const escapes = [
    '${{ "".constructor.constructor("return process")() }}',
    '${{ values["con" + "structor"] }}',
    '${{ values.__proto__ }}',
    '${{ constructor.constructor("return 1")() }}',
    '${{ range.constructor("return process.env")() }}',
    '${{ cycler.prototype }}',
    '${{ "a".replace("a", joiner) }}',
    '{% macro m() %}x{% endmacro %}${{ m.constructor }}',
    '{% set x = values.__defineGetter__ %}${{ x("a") }}',
  ]
  test.each(escapes)('%s reaches nothing', async (text) => {
    const { problem, files } = await render(text, { list: [''] })
    // Either refused, or nothing came of it.
    if (problem === undefined) expect(files![0]!.content).toBe('')
  })

  test('grouping by an inherited member reaches nothing', async () => {
    const { problem, files } = await render('{% for key, items in [1] | groupby("constructor.name") %}${{ key }}{% endfor %}')
    if (problem === undefined) expect(files![0]!.content).not.toContain('Number')
  })

  test('a template reads no files', async () => {
    expect((await render('{% include "/etc/passwd" %}')).problem).toBeDefined()
    expect((await render('{% import "/etc/passwd" as p %}')).problem).toBeDefined()
  })

  test('a prototype that is polluted in an answer stays data', async () => {
    const values = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as Record<string, unknown>
    expect((await render('${{ values.polluted }}${{ values.a }}', values)).files![0]!.content).toBe('1')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('a loop without end is stopped', async () => {
    const loops = Array.from({ length: 6 }, (_, depth) => `{% for a${depth} in range(9999) %}`).join('') + '{% endfor %}'.repeat(6)
    await expect(createTemplateRenderer(program, { timeoutMs: 1500, memoryMib: 192, outputBytes: 1e6 }).ask({ op: 'render', files: [{ path: 'f', content: loops, render: true }], values: {}, style: {} })).rejects.toMatchObject({ code: 'TEMPLATE_LIMIT' })
  })

  test('text that grows without end is stopped', async () => {
    const grow = `{% set x = "${'x'.repeat(1000)}" %}${'{% set x = x + x %}'.repeat(40)}\${{ x }}`
    const outcome = await createTemplateRenderer(program, { timeoutMs: 8000, memoryMib: 64, outputBytes: 1e6 }).ask({ op: 'render', files: [{ path: 'f', content: grow, render: true }], values: {}, style: {} }).then(
      ({ problem }) => problem,
      (error: { code: string }) => error.code,
    )
    expect(outcome).toMatch(/TEMPLATE_LIMIT|TEMPLATE_TOO_LARGE|Invalid string length/)
  })

  test('range() has an end', async () => {
    expect((await render('${{ range(1000000000) }}')).problem).toMatch(/at most/)
  })

  test('unknown filters are named', async () => {
    const answer = await renderer.ask({ op: 'check', texts: ['${{ x | upper | sparkle }}'] })
    expect(answer.unknown).toEqual(['sparkle'])
    expect(answer.known).toContain('parseRepoUrl')
  })

  test('a pattern of a question that takes for ever is stopped', async () => {
    const pages = [{ properties: { name: { type: 'string', pattern: '^(a+)+$' } } }]
    await expect(createTemplateRenderer(program, { timeoutMs: 1000, memoryMib: 64, outputBytes: 1e6 }).ask({ op: 'answers', pages, answers: { name: `${'a'.repeat(40)}!` } })).rejects.toMatchObject({ code: 'TEMPLATE_LIMIT' })
  })
})

describe('answers', () => {
  test('what is missing or wrong is named', async () => {
    const pages = [{ required: ['name'], properties: { name: { type: 'string' } } }, { properties: { size: { enum: ['s', 'm'] } } }]
    const { causes } = await renderer.ask({ op: 'answers', pages, answers: { size: 'x' } })
    expect(causes!.map(({ field }) => field)).toEqual(['name', 'size'])
  })

  test('only what is due is asked, and an answer to what is not due is left out', async () => {
    const pages = [{ properties: { database: { type: 'boolean' } }, dependencies: { database: { oneOf: [{ properties: { database: { const: false } } }, { properties: { database: { const: true }, size: { type: 'integer', minimum: 1 }, keep: { type: 'boolean', default: true } }, required: ['size'] }] } } }]
    expect(await renderer.ask({ op: 'answers', pages, answers: { database: false, size: -4 } })).toEqual({ value: { database: false }, causes: [] })
    expect(await renderer.ask({ op: 'answers', pages, answers: { database: true } })).toMatchObject({ value: { database: true, keep: true }, causes: [{ field: 'size' }] })
  })
})
