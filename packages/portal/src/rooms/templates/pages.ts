/** Pages of questions, as a template has them. Pure. */
import type { TemplateSpec } from '@pavior/contract'
import { defaultsOf, type FormSchema } from '../../pieces/schema-plan.ts'

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

/** Defaults; who is asked for an owner begins with the own team. */
export function startingAnswers(pages: readonly FormPage[], team: string): Record<string, unknown> {
  const answers = Object.assign({}, ...pages.map(({ schema }) => defaultsOf(schema))) as Record<string, unknown>
  for (const { schema } of pages) {
    for (const [name, question] of Object.entries(schema.properties ?? {})) if ((question as { 'ui:field'?: string })['ui:field'] === 'OwnerPicker') answers[name] = team
  }
  return answers
}
