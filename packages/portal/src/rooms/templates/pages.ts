/** Pages of questions, as a template has them. Pure. */
import { dueQuestions, pathsOf, type QuestionSchema, type TemplateSpec } from '@pavior/contract'
import type { FormSchema } from '../../pieces/schema-plan.ts'
import { answerFor } from './fields/plan.ts'

export interface FormPage {
  title: string
  description?: string
  schema: FormSchema
}

export function pagesOf({ parameters = [] }: Pick<TemplateSpec, 'parameters'>): FormPage[] {
  return parameters.map((page, index) => {
    // The title stands in the row of steps already.
    const { title, description, ...schema } = page as FormSchema
    return { title: title ?? `Page ${index + 1}`, ...(description ? { description } : {}), schema: { type: 'object', ...schema } }
  })
}

export interface Asking {
  /** To what is due. */
  answers: Record<string, unknown>
  /** What is due: pages with their conditions resolved. */
  due: FormSchema[]
}

function asking(pages: readonly FormPage[], answers: Record<string, unknown>, asked?: ReadonlySet<string>): Asking {
  const { pages: due, answers: settled } = dueQuestions(pages.map(({ schema }) => schema as QuestionSchema), answers, asked)
  return { answers: settled, due: due as FormSchema[] }
}

/** Defaults; who is asked for an owner begins with the own team. */
export function startAsking(pages: readonly FormPage[], team: string): Asking {
  const owners = pages.flatMap(({ schema }) => Object.entries(schema.properties ?? {}).filter(([, question]) => question['ui:field'] === 'OwnerPicker'))
  return asking(pages, Object.fromEntries(owners.map(([name, question]) => [name, answerFor(question, `group:default/${team}`)])))
}

/** After an answer: questions that come up bring their defaults, those that are due no more lose their answers. */
export function goOnAsking(pages: readonly FormPage[], before: Asking, answers: Record<string, unknown>): Asking {
  return asking(pages, answers, new Set(pathsOf(before.due as QuestionSchema[])))
}
