/** What an app remembers of the template that it came from: annotations of the App, and a file in its repository. */
import { parse, stringify } from 'yaml'
import { isRecord } from './plan.ts'

export const birthFile = '.pavior/template.yaml'
export const birthAnnotations = { template: 'pavior.dev/template', version: 'pavior.dev/template-version', run: 'pavior.dev/template-run' } as const

export interface Birth {
  team: string
  template: string
  version: string
  answers: Record<string, unknown>
}

export function birthText({ team, template, version, answers }: Birth): string {
  return `# Where this repository came from. \`pavior template upgrade\` reads it; change it only if you know why.\n${stringify({ template: `${team}/${template}`, version, answers }, { lineWidth: 0 })}`
}

/** Undefined when the text is not ours. */
export function readBirth(text: string): Birth | undefined {
  try {
    const content: unknown = parse(text, { maxAliasCount: 10 })
    if (!isRecord(content) || typeof content.template !== 'string' || typeof content.version !== 'string') return undefined
    const [team = '', template = ''] = content.template.split('/')
    return { team, template, version: content.version, answers: isRecord(content.answers) ? content.answers : {} }
  } catch {
    return undefined
  }
}
