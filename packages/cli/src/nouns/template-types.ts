/** What the API tells of templates. */
import type { TemplateSpec } from '@pavior/contract'

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
}

/** Questions of all pages, in their order. */
export function questionsOf({ parameters = [] }: Pick<TemplateSpec, 'parameters'>): Question[] {
  return parameters.flatMap((page) => {
    const required = Array.isArray(page.required) ? (page.required as string[]) : []
    return Object.entries((page.properties ?? {}) as Record<string, Record<string, unknown>>).map(([name, question]) => ({
      name,
      title: typeof question.title === 'string' ? question.title : name,
      ...(typeof question.description === 'string' ? { description: question.description } : {}),
      ...(typeof question.type === 'string' ? { type: question.type } : {}),
      ...(Array.isArray(question.enum) ? { enum: question.enum as unknown[] } : {}),
      default: question.default,
      required: required.includes(name),
    }))
  })
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
