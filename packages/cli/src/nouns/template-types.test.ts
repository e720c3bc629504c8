/* oxlint-disable unicorn/no-thenable -- a word of JSON Schema */
import { expect, test } from 'vitest'
import { nextQuestion, typeOfQuestion } from './template-types.ts'

const template = {
  parameters: [
    { required: ['name'], properties: { name: { type: 'string', title: 'Name' }, kind: { type: 'string', 'ui:widget': 'hidden', default: 'x' }, database: { type: 'boolean', default: false } } },
    { if: { properties: { database: { const: true } }, required: ['database'] }, then: { properties: { size: { type: 'integer', description: 'In GB.', 'ui:help': 'It can grow.' }, token: { type: 'string', 'ui:field': 'Secret' } }, required: ['size'] } },
  ],
}

/** Names in the order in which they are asked, when each is answered as told. */
function asked(replies: Record<string, unknown>): string[] {
  const [answers, seen, names] = [{} as Record<string, unknown>, new Set<string>(), [] as string[]]
  for (let question = nextQuestion(template, answers, seen); question !== undefined; question = nextQuestion(template, answers, seen)) {
    names.push(question.name)
    if (question.name in replies) answers[question.name] = replies[question.name]
    else seen.add(question.name)
  }
  return names
}

test('only what is due is asked, in the order of the form', () => {
  expect(asked({ name: 'a', database: true })).toEqual(['name', 'database', 'size', 'token'])
  expect(asked({ name: 'a', database: false })).toEqual(['name', 'database'])
  expect(asked({})).toEqual(['name', 'database'])
})

test('a question says what it takes, how it helps and whether it is hidden', () => {
  const answers = { name: 'a', database: true }
  expect(nextQuestion(template, answers, new Set())).toMatchObject({ name: 'size', type: 'integer', description: 'In GB. It can grow.', required: true, hidden: false })
  expect(nextQuestion(template, { ...answers, size: 1 }, new Set())).toMatchObject({ name: 'token', hidden: true, required: false })
  expect(typeOfQuestion(template, 'size')).toBe('integer')
})
