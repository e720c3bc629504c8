/**
 * Renders templates in a process without rights: it may read no file but itself, write none, start nothing; its memory and
 * its time are limited by whoever starts it. One request as JSON on standard input, one answer on standard output.
 *
 * Expressions reach own members of plain data and a few methods of strings and lists, nothing else: no constructor, no
 * prototype, no function that leads out.
 */
import { dueQuestions } from '@pavior/contract'
import nunjucks from 'nunjucks'
import { Check, Errors } from 'typebox/schema'
import type { RenderAnswer, RenderRequest, RenderedFile } from './rooms/catalog/ports.ts'

/** Longest list that range() gives. */
const longestRange = 10_000
const forbidden = new Set(['__proto__', 'prototype', 'constructor', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__'])
const textMethods = new Set(['toLowerCase', 'toUpperCase', 'trim', 'trimStart', 'trimEnd', 'split', 'startsWith', 'endsWith', 'includes', 'indexOf', 'lastIndexOf', 'slice', 'substring', 'charAt', 'replace', 'replaceAll', 'padStart', 'padEnd', 'concat', 'toString'])
const listMethods = new Set(['includes', 'indexOf', 'join', 'slice', 'concat', 'toString'])
const numberMethods = new Set(['toString', 'toFixed'])

class Refused extends Error {}

function safeMember(target: unknown, member: unknown): unknown {
  if (target === undefined || target === null) return undefined
  const name = String(member)
  if (forbidden.has(name)) throw new Refused(`"${name}" cannot be reached from a template`)
  if (typeof target === 'function') throw new Refused(`"${name}" of a function cannot be reached from a template`)
  if (typeof target === 'string') return textMethods.has(name) ? method(target, name) : name === 'length' || /^\d+$/.test(name) ? (target as never)[name] : undefined
  if (typeof target === 'number') return numberMethods.has(name) ? method(target, name) : undefined
  if (Array.isArray(target) && listMethods.has(name)) return method(target, name)
  if (!Object.hasOwn(target as object, name)) return undefined
  return (target as Record<string, unknown>)[name]
}

/** Arguments that are functions (macros) are refused: a callback is the way to run code. */
function method(target: unknown, name: string): (...args: unknown[]) => unknown {
  return (...args) => {
    if (args.some((argument) => typeof argument === 'function')) throw new Refused(`${name}() takes no function`)
    return (target as Record<string, (...all: unknown[]) => unknown>)[name]!(...args)
  }
}

interface Lookups {
  memberLookup: (target: unknown, member: unknown) => unknown
  contextOrFrameLookup: (context: { getVariables(): object; lookup(name: string): unknown; env: { globals: object } }, frame: { lookup(name: string): unknown }, name: string) => unknown
  callWrap: (target: unknown, name: string, context: unknown, args: unknown[]) => unknown
}

const runtime = nunjucks.runtime as unknown as Lookups
runtime.memberLookup = safeMember
runtime.contextOrFrameLookup = (context, frame, name) => {
  if (forbidden.has(name)) throw new Refused(`"${name}" cannot be reached from a template`)
  const local = frame.lookup(name)
  if (local !== undefined) return local
  return Object.hasOwn(context.getVariables(), name) || Object.hasOwn(context.env.globals, name) ? context.lookup(name) : undefined
}
runtime.callWrap = (target, name, _context, args) => {
  if (typeof target !== 'function') throw new Refused(`${name} is not something that can be called`)
  return (target as (...all: unknown[]) => unknown)(...args)
}

/** `pavior?owner=blue&repo=shop` as Backstage's repository picker writes it. */
function parseRepoUrl(text: unknown): Record<string, string> {
  const url = new URL(`https://${String(text).replace(/^https?:\/\//, '')}`)
  const [owner = '', repo = ''] = url.pathname.split('/').filter(Boolean)
  return { host: url.host, owner: url.searchParams.get('owner') ?? owner, repo: (url.searchParams.get('repo') ?? repo).replace(/\.git$/, ''), ...Object.fromEntries(['organization', 'workspace', 'project'].flatMap((name) => (url.searchParams.has(name) ? [[name, url.searchParams.get(name)!]] : []))) }
}

function parseEntityRef(text: unknown, given: unknown): Record<string, string> {
  const defaults = (typeof given === 'object' && given !== null ? given : {}) as { defaultKind?: string; defaultNamespace?: string }
  const match = /^(?:([^:/]+):)?(?:([^:/]+)\/)?([^:/]+)$/.exec(String(text))
  if (!match) throw new Error(`"${String(text)}" is not a reference to an entity`)
  return { kind: match[1] ?? defaults.defaultKind ?? '', namespace: match[2] ?? defaults.defaultNamespace ?? 'default', name: match[3]! }
}

const ownFilters: Record<string, (...args: any[]) => unknown> = {
  parseRepoUrl,
  parseEntityRef,
  projectSlug: (text) => {
    const { owner, repo } = parseRepoUrl(text)
    return `${owner}/${repo}`
  },
  pick: (target, path) => String(path).split('.').reduce((at, part) => safeMember(at, part), target as unknown),
  jsonify: (value) => JSON.stringify(value),
}

interface Style {
  cookiecutter?: boolean
  trimBlocks?: boolean
  lstripBlocks?: boolean
}

function environment({ cookiecutter, trimBlocks, lstripBlocks }: Style = {}): nunjucks.Environment {
  const tags = cookiecutter ? {} : { variableStart: '${{', variableEnd: '}}' }
  const made = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: false, trimBlocks: trimBlocks ?? false, lstripBlocks: lstripBlocks ?? false, tags })
  for (const [name, filter] of Object.entries(ownFilters)) made.addFilter(name, filter)
  made.addGlobal('range', (start: number, stop?: number, step = 1) => {
    const [from, to] = stop === undefined ? [0, start] : [start, stop]
    if (step === 0 || Math.abs(to - from) / Math.abs(step) > longestRange) throw new Refused(`range() gives at most ${longestRange} numbers`)
    return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, index) => from + index * step)
  })
  return made
}

const wholeExpression = /^\s*\$\{\{((?:(?!\}\}|\$\{\{).)*)\}\}\s*$/s

/** Every text of a structure; one that is a single expression keeps the type of its value. */
function evaluate(env: nunjucks.Environment, input: unknown, context: object): unknown {
  if (typeof input === 'string') {
    if (!input.includes('${{') && !input.includes('{%')) return input
    const whole = wholeExpression.exec(input)
    if (!whole) return env.renderString(input, context)
    const json = env.renderString(`\${{ [(${whole[1]})] | dump }}`, context)
    return (JSON.parse(json) as unknown[])[0] ?? undefined
  }
  if (Array.isArray(input)) return input.map((item) => evaluate(env, item, context))
  if (typeof input === 'object' && input !== null) return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, evaluate(env, value, context)]))
  return input
}

/** Slashes that are not within an expression. */
const betweenParts = /\/(?![^{]*\}\})/

function renderFiles({ files, values, style }: Extract<RenderRequest, { op: 'render' }>): RenderedFile[] {
  const env = environment(style)
  const context = style.cookiecutter ? { cookiecutter: values } : { values }
  return files.flatMap(({ path, content, render }): RenderedFile[] => {
    let at = path
    try {
      const parts = path.split(betweenParts).map((part) => env.renderString(part, context))
      // A part that renders to nothing leaves the file out: the way to make files optional.
      if (parts.some((part) => part.trim() === '')) return []
      const target = parts.join('/')
      if (!render) return [{ path, target }]
      at = target
      return [{ path, target, content: env.renderString(content ?? '', context) }]
    } catch (error) {
      throw new RenderFailure(at, error as Error)
    }
  })
}

class RenderFailure extends Error {
  readonly file: string

  constructor(file: string, cause: Error) {
    super(cause.message, { cause })
    this.file = file
  }
}

/** Names of filters that a text uses and that do not exist. */
function unknownFilters(texts: string[], style: Style): string[] {
  const env = environment(style)
  const { parser, nodes } = nunjucks as unknown as { parser: { parse(text: string, extensions: unknown[], options: object): { findAll(type: unknown): { name: { value: string } }[] } }; nodes: { Filter: unknown } }
  const used = texts.flatMap((text) => parser.parse(text, [], { tags: style.cookiecutter ? {} : { variableStart: '${{', variableEnd: '}}' } }).findAll(nodes.Filter).map(({ name }) => name.value))
  return [...new Set(used)].filter((name) => {
    try {
      env.getFilter(name)
      return false
    } catch {
      return true
    }
  })
}

function filterNames(): string[] {
  return Object.keys((environment() as unknown as { filters: object }).filters).toSorted()
}

/** What is wrong with the answers, page by page. */
function checkAnswers(pages: Record<string, unknown>[], answers: unknown): { field: string; message: string }[] {
  return pages.flatMap((page) => {
    const schema = { ...page, type: 'object' }
    if (Check(schema, answers)) return []
    const [, errors] = Errors(schema, answers)
    return errors.map(({ instancePath, message, keyword, params }) => {
      const missing = keyword === 'required' ? (params as { requiredProperties?: string[] }).requiredProperties : undefined
      const field = instancePath.slice(1).replaceAll('/', '.')
      return missing ? { field: missing.map((name) => (field ? `${field}.${name}` : name)).join(', '), message: 'is required' } : { field: field || 'answers', message }
    })
  })
}

function answer(request: RenderRequest): RenderAnswer {
  if (request.op === 'render') return { files: renderFiles(request) }
  if (request.op === 'evaluate') return { value: evaluate(environment(), request.input, request.context) }
  if (request.op === 'answers') {
    const { pages, answers } = dueQuestions(request.pages, request.answers)
    const causes = checkAnswers(pages, answers)
    // What is due says it best; what else the conditions ask for is seen in the whole.
    return { value: answers, causes: causes.length > 0 ? causes : checkAnswers(request.pages, answers) }
  }
  return { unknown: unknownFilters(request.texts, request.style ?? {}), known: filterNames() }
}

/** nunjucks tells where in a text of many lines; its first line only repeats that there is no path. */
function plainMessage(error: Error): string {
  return error.message.replace(/^\(unknown path\)\s*/, '').replaceAll(/\s*\n\s*/g, ' ').replace(/^(Template render error: )?(Error|Refused): /, '').slice(0, 500)
}

async function main(): Promise<void> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk
  let result: RenderAnswer
  try {
    result = answer(JSON.parse(text) as RenderRequest)
  } catch (error) {
    result = { problem: plainMessage(error as Error), ...(error instanceof RenderFailure ? { file: error.file } : {}) }
  }
  process.stdout.write(JSON.stringify(result))
}

await main()
