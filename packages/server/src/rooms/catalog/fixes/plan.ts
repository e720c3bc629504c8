/** Texts that a fix proposes, made of what is known of the app: something to begin with, for people to read and correct. Pure. */
import type { AppSpec, AppStatus, CatalogEntity, Resource } from '@pavior/contract'
import { parseDocument, stringify } from 'yaml'

export interface FixFacts {
  app: Resource<AppSpec, AppStatus>
  /** As the catalogue knows it. */
  entity: CatalogEntity | undefined
  /** Commands by process, of the release that serves. */
  commands: Record<string, string>
}

const ownPrefix = 'pavior.dev/'

export function readmeText({ app, entity, commands }: FixFacts): string {
  const { name } = app.metadata
  const description = app.spec.description ?? entity?.metadata.description ?? 'What it does, for whom, in two sentences.'
  const urls = Object.entries(app.status?.environments ?? {}).flatMap(([environment, { url }]) => (url === undefined ? [] : [`- ${environment}: <${url}>`]))
  const processes = Object.entries(commands).map(([process, command]) => `- \`${process}\`: \`${command}\``)
  const variables = Object.keys(app.spec.env ?? {}).map((variable) => `- \`${variable}\``)
  return sections(`# ${name}\n\n${description}`, [
    ['Where it runs', urls],
    ['Processes', processes],
    ['Variables that its manifest sets', variables],
    ['Run it', ['The command that starts it on one\'s own machine.']],
    ['Test it', ['The command that tests it.']],
  ])
}

export function docsText({ app, commands }: FixFacts): string {
  const { name } = app.metadata
  return sections(`# ${name}\n\nFor whoever is on call, and whoever comes next.`, [
    ['What it needs to run', Object.keys(commands).map((process) => `- the process \`${process}\``)],
    ['When it is slow or down', [`- What it does: \`pavior logs ${name} --follow\``, `- What changed: \`pavior releases ${name}\``, `- The release before: \`pavior rollback ${name}\``]],
    ['What is known to go wrong', ['What happened before, how it showed, and what helped.']],
  ])
}

function sections(head: string, all: [title: string, lines: string[]][]): string {
  return `${[head, ...all.filter(([, lines]) => lines.length > 0).map(([title, lines]) => `## ${title}\n\n${lines.join('\n')}`)].join('\n\n')}\n`
}

/** The entity as it may stand in a file: without what only the platform can say. */
export function catalogInfoText({ app, entity }: FixFacts): string | undefined {
  if (entity === undefined) return undefined
  const { annotations = {}, links: _links, namespace: _namespace, ...metadata } = entity.metadata
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(ownPrefix)))
  return stringify({ apiVersion: entity.apiVersion, kind: entity.kind, metadata: { ...metadata, name: app.metadata.name, ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}) }, spec: entity.spec }, { lineWidth: 0 })
}

/** The manifest with one more value; comments and order stay. Undefined when it cannot be read. */
export function manifestWith(text: string | undefined, path: string[], value: unknown): string | undefined {
  const document = parseDocument(text ?? '')
  if (document.errors.length > 0) return undefined
  try {
    document.setIn(path, value)
  } catch {
    return undefined
  }
  return document.toString({ lineWidth: 0 })
}

const longestDescription = 300

/** First paragraph of a README that is prose: what its author says of it. Undefined when there is none of ten characters. */
export function descriptionFrom(readme: string): string | undefined {
  const prose = readme
    .replaceAll(/```[\s\S]*?```|<!--[\s\S]*?-->/g, '')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.split('\n').map((line) => line.trim()).join(' ').trim())
    .find((paragraph) => paragraph.length >= 10 && !/^([#>|!<*+-]|\[!\[|\d+\.|={3}|-{3})/.test(paragraph))
  const sentence = prose?.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[*_`]/g, '')
  if (sentence === undefined || sentence.length <= longestDescription) return sentence
  const end = sentence.lastIndexOf('. ', longestDescription)
  return end > 10 ? sentence.slice(0, end + 1) : `${sentence.slice(0, longestDescription - 1).trimEnd()}…`
}
