/** What counts as documentation and as a definition of an API. Pure. */
import { parse } from 'yaml'
import type { ApiFormat } from '../ports.ts'

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

const apiFiles = [/^(?:.*\/)?openapi\.(ya?ml|json)$/i, /^(?:.*\/)?swagger\.(ya?ml|json)$/i, /^(?:.*\/)?asyncapi\.(ya?ml|json)$/i, /^(?:.*\/)?schema\.graphqls?$/i]
const mostApis = 20
const deepest = 3

export function apiPaths(paths: string[]): string[] {
  return paths.filter((path) => path.split('/').length <= deepest && !path.includes('node_modules/') && apiFiles.some((form) => form.test(path))).slice(0, mostApis)
}

export interface ReadApi {
  format: ApiFormat
  title: string
  /** Of OpenAPI and AsyncAPI. */
  document?: unknown
  /** Why it cannot be read, when it cannot. */
  problem?: string
}

/** What a file with this name should hold. */
export function promisedFormat(path: string): ApiFormat | undefined {
  const name = path.split('/').at(-1)!.toLowerCase()
  if (/\.graphqls?$/.test(name)) return 'graphql'
  if (name.startsWith('asyncapi.')) return 'asyncapi'
  return /^(openapi|swagger)\./.test(name) ? 'openapi' : undefined
}

/** What a file of such a name holds; a broken one keeps the format that its name promises. Undefined for any other name. */
export function readApi(path: string, text: string): ReadApi | undefined {
  const promised = promisedFormat(path)
  if (promised === undefined) return undefined
  if (promised === 'graphql') return { format: promised, title: path }
  try {
    const document = (/\.json$/i.test(path) ? JSON.parse(text) : parse(text, { maxAliasCount: 50, uniqueKeys: false, logLevel: 'error' })) as unknown
    if (typeof document !== 'object' || document === null) return { format: promised, title: path, problem: 'it holds no object.' }
    const { openapi, swagger, asyncapi, info } = document as { openapi?: unknown; swagger?: unknown; asyncapi?: unknown; info?: { title?: unknown } }
    const format = openapi !== undefined || swagger !== undefined ? 'openapi' : asyncapi !== undefined ? 'asyncapi' : undefined
    if (format === undefined) return { format: promised, title: path, problem: 'it says neither "openapi", "swagger" nor "asyncapi".' }
    return { format, title: typeof info?.title === 'string' ? info.title.slice(0, 200) : path, document }
  } catch (error) {
    return { format: promised, title: path, problem: error instanceof RangeError ? 'it is nested too deeply.' : (error as Error).message.split('\n', 1)[0]!.slice(0, 300) }
  }
}
