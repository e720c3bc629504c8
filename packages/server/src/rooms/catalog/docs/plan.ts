/** What counts as documentation and as a definition of an API. Pure. */
import { parse } from 'yaml'

const mostPages = 300

/** Markdown below docs/, and the README. */
export function docPaths(paths: string[]): string[] {
  const readme = paths.filter((path) => /^readme\.md$/i.test(path)).slice(0, 1)
  const pages = paths.filter((path) => path.startsWith('docs/') && /\.(md|markdown)$/i.test(path)).toSorted()
  return [...readme, ...pages].slice(0, mostPages)
}

/** The first heading, else what the file is called. */
export function titleOf(path: string, markdown: string): string {
  const heading = /^#{1,2}\s+(.+?)\s*#*\s*$/m.exec(markdown.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, ''))?.[1]
  const name = path.split('/').at(-1)!.replace(/\.[^.]+$/, '')
  return (heading ?? name.replaceAll(/[-_]/g, ' ')).slice(0, 200)
}

export type ApiFormat = 'openapi' | 'asyncapi' | 'graphql'

const apiFiles = [/^(?:.*\/)?openapi\.(ya?ml|json)$/i, /^(?:.*\/)?swagger\.(ya?ml|json)$/i, /^(?:.*\/)?asyncapi\.(ya?ml|json)$/i, /^(?:.*\/)?schema\.graphqls?$/i]
const mostApis = 20
const deepest = 3

export function apiPaths(paths: string[]): string[] {
  return paths.filter((path) => path.split('/').length <= deepest && !path.includes('node_modules/') && apiFiles.some((form) => form.test(path))).slice(0, mostApis)
}

/** Undefined for a file that only has the name of one. */
export function apiOf(path: string, text: string): { format: ApiFormat; title: string; document: unknown } | undefined {
  if (/\.graphqls?$/i.test(path)) return /\b(type|schema|interface)\b/.test(text) ? { format: 'graphql', title: path, document: undefined } : undefined
  const document = parsed(text)
  if (typeof document !== 'object' || document === null) return undefined
  const { openapi, swagger, asyncapi, info } = document as { openapi?: unknown; swagger?: unknown; asyncapi?: unknown; info?: { title?: unknown } }
  const format = openapi !== undefined || swagger !== undefined ? 'openapi' : asyncapi !== undefined ? 'asyncapi' : undefined
  return format && { format, title: typeof info?.title === 'string' ? info.title.slice(0, 200) : path, document }
}

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 50, logLevel: 'silent' })
  } catch {
    return undefined
  }
}
