/** What the API tells of templates. */
import { dueQuestions, inOrder, questionNames, type TemplateSpec } from '@pavior/contract'

export interface TemplateRow {
  team: string
  name: string
  title: string
  description?: string
  version: string
  tags?: string[]
  owner?: string
  deprecated?: { message: string; deadline?: string; replacement?: string }
  canary?: { version: string; apps: string[] }
}

export type TemplateDetails = TemplateSpec & { team: string; name: string }

export interface Question {
  name: string
  title: string
  description?: string
  type?: string
  enum?: unknown[]
  default?: unknown
  required: boolean
  /** What is typed is not shown. */
  hidden: boolean
}

/** The first question that is due with these answers and neither answered nor asked yet; undefined when nothing is left to ask. */
export function nextQuestion({ parameters = [] }: Pick<TemplateSpec, 'parameters'>, answers: Record<string, unknown>, asked: ReadonlySet<string>): Question | undefined {
  const { pages } = dueQuestions(parameters, answers, asked)
  for (const page of pages) {
    for (const name of inOrder(page)) {
      if (Object.hasOwn(answers, name) || asked.has(name)) continue
      const schema = (page.properties as Record<string, unknown>)[name]
      const question = typeof schema === 'object' && schema !== null ? (schema as Record<string, unknown>) : {}
      if (question['ui:widget'] === 'hidden') continue
      return asQuestion(name, question, Array.isArray(page.required) && page.required.includes(name))
    }
  }
  return undefined
}

/** Every question that there may be, for reading: those that only some answers bring up come last and say so. */
export function questionsOf({ parameters = [] }: Pick<TemplateSpec, 'parameters'>): Question[] {
  const found = new Map<string, Question>()
  const always = new Map(parameters.flatMap((page) => inOrder(page).map((name) => [name, Array.isArray(page.required) && page.required.includes(name)] as const)))
  questionNames(parameters, (question, name) => {
    if (found.has(name) || typeof question !== 'object' || question === null) return true
    const asked = asQuestion(name, question as Record<string, unknown>, always.get(name) ?? false)
    found.set(name, always.has(name) ? asked : { ...asked, description: ['Asked only with some answers.', asked.description].filter(Boolean).join(' ') })
    return true
  })
  return [...new Set([...always.keys(), ...found.keys()])].flatMap((name) => found.get(name) ?? [])
}

function asQuestion(name: string, question: Record<string, unknown>, required: boolean): Question {
  const words = [question.description, question['ui:help']].filter((text) => typeof text === 'string')
  return {
    name,
    title: typeof question.title === 'string' ? question.title : name,
    ...(words.length > 0 ? { description: words.join(' ') } : {}),
    ...(typeof question.type === 'string' ? { type: question.type } : {}),
    ...(Array.isArray(question.enum) ? { enum: question.enum as unknown[] } : {}),
    default: question.default,
    required,
    hidden: question['ui:field'] === 'Secret' || question['ui:widget'] === 'password',
  }
}

/** Type of a question, also of one that only some answers bring up. */
export function typeOfQuestion({ parameters = [] }: Pick<TemplateSpec, 'parameters'>, wanted: string): string | undefined {
  let type: string | undefined
  questionNames(parameters, (question, name) => {
    const said = (question as { type?: unknown } | null)?.type
    if (name === wanted && typeof said === 'string') type ??= said
    return true
  })
  return type
}

/** `--set replicas=2`: by the type of the question; lists and objects as JSON. */
export function valueOf(text: string, type: string | undefined): unknown {
  if (type === 'number' || type === 'integer') return Number.isNaN(Number(text)) ? text : Number(text)
  if (type === 'boolean') return text === 'true' || text === 'yes' || text === 'y' ? true : text === 'false' || text === 'no' || text === 'n' ? false : text
  if (type === 'array' || type === 'object') {
    try {
      return JSON.parse(text)
    } catch {
      return type === 'array' ? text.split(',').map((item) => item.trim()) : text
    }
  }
  return text
}
