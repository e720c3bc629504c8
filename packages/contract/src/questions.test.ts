/* oxlint-disable unicorn/no-thenable -- a word of JSON Schema */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueQuestions, inOrder, pathsOf, questionNames, secretNames, withOrder, withoutSecrets, type Answers, type QuestionSchema } from './questions.ts'

const pets: QuestionSchema = {
  properties: { pets: { type: 'string', enum: ['No', 'Cat', 'Dogs'], default: 'No' } },
  required: ['pets'],
  dependencies: {
    pets: {
      oneOf: [
        { properties: { pets: { enum: ['No'] } } },
        { properties: { pets: { enum: ['Cat'] }, age: { type: 'number', default: 3 } }, required: ['age'] },
        { properties: { pets: { enum: ['Dogs'] }, walk: { type: 'boolean' } }, required: ['walk'], dependencies: { walk: { properties: { park: { type: 'string', default: 'north' } } } } },
      ],
    },
  },
}
const card: QuestionSchema = {
  properties: { name: { type: 'string' }, card: { type: 'number' }, kind: { type: 'string' } },
  dependencies: { card: ['address'], kind: { properties: { holder: { type: 'string' } }, required: ['holder'] } },
  dependentRequired: { card: ['name'] },
  dependentSchemas: { name: { properties: { nick: { type: 'string', default: 'x' } } } },
}
const size: QuestionSchema = {
  properties: { database: { type: 'boolean', default: false }, engine: { type: 'string', enum: ['a', 'b', 'c'] } },
  allOf: [{ if: { properties: { database: { const: true } }, required: ['database'] }, then: { properties: { rows: { type: 'integer', default: 5 }, engine: { enum: ['b', 'c'], title: 'Engine' } }, required: ['rows'] }, else: { properties: { file: { type: 'string' } } } }],
}
const due = (page: QuestionSchema, answers: Answers, asked: string[] = []): [string[], unknown, Answers] => {
  const { pages, answers: settled } = dueQuestions([page], answers, new Set(asked))
  return [Object.keys(pages[0]!.properties as object), pages[0]!.required, settled]
}

describe('what is due', () => {
  test.each<[string, [string[], unknown, Answers], [string[], unknown, Answers]]>([
    ['the alternative that fits, with its default', due(pets, { pets: 'Cat' }), [['pets', 'age'], ['pets', 'age'], { pets: 'Cat', age: 3 }]],
    ['nothing more with the default', due(pets, {}), [['pets'], ['pets'], { pets: 'No' }]],
    ['what the alternative asks in its turn', due(pets, { pets: 'Dogs', walk: false }), [['pets', 'walk', 'park'], ['pets', 'walk'], { pets: 'Dogs', walk: false, park: 'north' }]],
    ['no answer to what is not asked any more', due(pets, { pets: 'No', age: 4, park: 'south' }), [['pets'], ['pets'], { pets: 'No' }]],
    ['no default where a person took the answer away', due(pets, { pets: 'Cat' }, ['pets', 'age']), [['pets', 'age'], ['pets', 'age'], { pets: 'Cat' }]],
    ['required by another', due(card, { card: 1, kind: 'k' }), [['name', 'card', 'kind', 'holder'], ['address', 'holder', 'name'], { card: 1, kind: 'k' }]],
    ['a schema that another brings', due(card, { name: 'Ada' }), [['name', 'card', 'kind', 'nick'], undefined, { name: 'Ada', nick: 'x' }]],
    ['then', due(size, { database: true, file: 'f' }), [['database', 'engine', 'rows'], ['rows'], { database: true, rows: 5 }]],
    ['else', due(size, { rows: 9, file: 'f' }), [['database', 'engine', 'file'], undefined, { database: false, file: 'f' }]],
  ])('%s', (_, [names, required, answers], wanted) => {
    expect([names, required, answers]).toEqual(wanted)
  })

  test('a branch narrows what may be chosen', () => {
    const { pages } = dueQuestions([size], { database: true })
    expect((pages[0]!.properties as Record<string, unknown>).engine).toEqual({ type: 'string', enum: ['b', 'c'], title: 'Engine' })
  })

  test('within objects, and from one page to another', () => {
    const pages: QuestionSchema[] = [{ properties: { where: { type: 'string' } } }, { properties: { store: { type: 'object', ...size } }, if: { properties: { where: { const: 'cloud' } }, required: ['where'] }, then: { properties: { region: { type: 'string', default: 'eu' } } } }]
    const { answers, pages: shown } = dueQuestions(pages, { where: 'cloud', store: { database: true } })
    expect(answers).toEqual({ where: 'cloud', store: { database: true, rows: 5 }, region: 'eu' })
    expect(pathsOf(shown)).toEqual(['where', 'store', 'store.database', 'store.engine', 'store.rows', 'region'])
    expect(dueQuestions(pages, answers, new Set(pathsOf(shown))).answers).toEqual(answers)
  })

  test('questions that take each other away end, and nothing is lost', () => {
    const swinging: QuestionSchema = { properties: {}, if: { required: ['a'] }, then: {}, else: { properties: { a: { default: 1 } } } }
    expect(dueQuestions([swinging], { b: 1 }).answers).toEqual({ b: 1 })
  })

  test('the order is written down, and what an answer brings up comes last', () => {
    const page = withOrder({ properties: { b: {}, a: {} }, dependencies: { a: { properties: { d: {}, c: {} } } } })
    const kept = JSON.parse(JSON.stringify(page, (_, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))) : value))) as QuestionSchema
    expect(inOrder(dueQuestions([kept], { a: 1 }).pages[0]!)).toEqual(['b', 'a', 'd', 'c'])
    expect(inOrder({ properties: { a: {}, b: {}, c: {} }, 'ui:order': ['c', '*', 'a'] })).toEqual(['c', 'b', 'a'])
  })

  test('secrets are known by their field', () => {
    const page = { properties: { name: { type: 'string' } }, if: {}, then: { properties: { token: { type: 'string', 'ui:field': 'Secret' } } } }
    expect([...secretNames([page])]).toEqual(['token'])
    expect(withoutSecrets([page], { name: 'x', token: 'hidden' })).toEqual({ answers: { name: 'x' }, secrets: { token: 'hidden' } })
  })
})

const names = ['a', 'b', 'c', 'd', 'e', 'f']
/** Forms whose questions depend on earlier ones only, so that they come to rest. */
const form: fc.Arbitrary<QuestionSchema> = fc
  .array(fc.record({ kind: fc.constantFrom('plain', 'if', 'oneOf', 'schema', 'array', 'nested'), fallback: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }), wanted: fc.constantFrom('x', 'y') }), { minLength: 1, maxLength: 6 })
  .map((questions) =>
    questions.reduce<QuestionSchema>(
      (schema, { kind, fallback, wanted }, index) => {
        const name = names[index]!
        const before = names[index - 1]
        const question = { properties: { [name]: { type: 'string', ...(fallback === undefined ? {} : { default: fallback }) } } }
        if (kind === 'nested') return { ...schema, properties: { ...(schema.properties as object), [name]: { type: 'object', ...question } } }
        if (before === undefined || kind === 'plain') return { ...schema, properties: { ...(schema.properties as object), ...question.properties } }
        const condition: QuestionSchema =
          kind === 'if' ? { if: { properties: { [before]: { const: wanted } }, required: [before] }, then: question }
          : kind === 'oneOf' ? { dependencies: { [before]: { oneOf: [{ properties: { [before]: { const: wanted }, ...question.properties } }, { properties: { [before]: { not: { const: wanted } } } }] } } }
          : kind === 'schema' ? { dependentSchemas: { [before]: question } }
          : { dependentRequired: { [before]: [name] }, properties: question.properties }
        return { ...schema, allOf: [...(schema.allOf as unknown[]), condition] }
      },
      { properties: {}, allOf: [] },
    ),
  )
const given: fc.Arbitrary<Answers> = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('x', 'y', 'z'), { maxKeys: 6 })

describe('whatever the form and the answers', () => {
  test('asking again with what came out changes nothing, and every answer belongs to a question that is due', () => {
    fc.assert(
      fc.property(form, given, (page, answers) => {
        const first = dueQuestions([page], answers)
        const again = dueQuestions([page], first.answers)
        expect(again).toEqual(first)
        const asked = Object.keys(first.pages[0]!.properties as object)
        for (const [name, value] of Object.entries(first.answers)) {
          if (questionNames([page]).has(name)) expect(asked).toContain(name)
          // Nobody's answer is ever changed.
          if (Object.hasOwn(answers, name)) expect(value).toEqual(answers[name])
        }
        for (const name of asked) expect(questionNames([page])).toContain(name)
      }),
    )
  })

  test('what was taken away by a person stays away', () => {
    fc.assert(
      fc.property(form, given, (page, answers) => {
        const first = dueQuestions([page], answers)
        const [taken] = Object.keys(first.answers)
        if (taken === undefined) return
        const { [taken]: _, ...others } = first.answers
        expect(Object.keys(dueQuestions([page], others, new Set(pathsOf(first.pages))).answers)).not.toContain(taken)
      }),
    )
  })

  test('no schema breaks the decision', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom('properties', 'if', 'then', 'else', 'allOf', 'oneOf', 'dependencies', 'required', 'a', '__proto__', 'constructor', 'enum', 'type'), maxDepth: 5 }), given, (page, answers) => {
        dueQuestions([page], answers)
      }),
    )
    expect(({} as Answers).polluted).toBeUndefined()
  })
})
