/**
 * Which questions of a form are due with these answers. Pure; shared by the server's check, the command line and the portal, so
 * that all three ask the same. A form is a JSON Schema whose questions may depend on answers: `dependencies` (also with `oneOf`, as
 * Backstage's forms have it), `dependentRequired`, `dependentSchemas`, `if`/`then`/`else`, and `allOf` of such.
 */
import { Check } from 'typebox/schema'

/** A JSON Schema of an object. */
export type QuestionSchema = Record<string, unknown>
export type Answers = Record<string, unknown>

export interface DueQuestions {
  /** The pages as they are due: plain schemas with `properties` and `required`, conditions resolved. */
  pages: QuestionSchema[]
  /** The answers to what is due, with defaults of what was not asked before; those that are not due any more are gone. */
  answers: Answers
}

/** Conditions within conditions beyond this depth are not followed. */
const deepest = 16
/** Answers that bring up each other's questions come to rest within so many rounds, or are kept as they are. */
const mostRounds = 24
const conditional = new Set(['if', 'then', 'else', 'allOf', 'dependencies', 'dependentRequired', 'dependentSchemas'])
/** Lists that grow where two schemas speak of them; of anything else the later one counts. */
const unions = new Set(['required', 'ui:order'])

/**
 * What is due on all pages together: a question of one page may depend on an answer of another. `asked` names (paths such as
 * `database.size`) what was shown already: its missing answer was taken away by a person and gets no default.
 */
export function dueQuestions(pages: readonly QuestionSchema[], given: Readonly<Answers>, asked: ReadonlySet<string> = new Set()): DueQuestions {
  let answers: Answers = { ...given }
  for (let round = 0; round < mostRounds; round++) {
    const due = pages.map((page) => dueSchema(page, answers))
    const settled = settle(due, pages, given, asked)
    if (same(settled, answers)) return { pages: due, answers }
    answers = settled
  }
  // Questions that bring up and take away each other: nothing of it is decided here, the check of the answers says what is wrong.
  return { pages: pages.map((page) => dueSchema(page, given)), answers: { ...given } }
}

/** One object's schema with its conditions resolved, also within the objects that it holds. */
export function dueSchema(schema: QuestionSchema, values: unknown, depth = 0): QuestionSchema {
  const own = Object.fromEntries(Object.entries(schema).filter(([key]) => !conditional.has(key)))
  if (depth > deepest) return own
  const flat = branchesOf(schema, recordOf(values)).reduce<QuestionSchema>((merged, branch) => merge(merged, dueSchema(branch, values, depth + 1)), own)
  const properties = recordOf(flat.properties)
  const answers = recordOf(values)
  return Object.keys(properties).length === 0 ? flat : { ...flat, properties: mapValues(properties, (inner, name) => (isForm(inner) ? dueSchema(inner, at(answers, name), depth + 1) : inner)) }
}

/** Parts of the schema that count with these values. */
function branchesOf(schema: QuestionSchema, values: Answers): QuestionSchema[] {
  const branches: unknown[] = [...listOf(schema.allOf)]
  if (isRecord(schema.if) || typeof schema.if === 'boolean') branches.push(fits(schema.if, values) ? schema.then : schema.else)
  for (const key of ['dependencies', 'dependentSchemas', 'dependentRequired']) {
    for (const [name, dependent] of Object.entries(recordOf(schema[key]))) {
      if (at(values, name) === undefined) continue
      branches.push(Array.isArray(dependent) ? { required: dependent } : isRecord(dependent) ? chosen(dependent, name, values) : undefined)
    }
  }
  return branches.filter(isRecord)
}

/** Of `oneOf` below a dependency, the alternative whose word on the controlling answer fits; the word itself asks nothing new. */
function chosen(dependent: QuestionSchema, name: string, values: Answers): QuestionSchema {
  const { oneOf, ...rest } = dependent
  if (!Array.isArray(oneOf)) return dependent
  const alternative = oneOf.filter(isRecord).find((one) => {
    const word = at(recordOf(one.properties), name)
    return word === undefined || fits(word, at(values, name))
  })
  if (alternative === undefined) return rest
  const { [name]: _word, ...properties } = recordOf(alternative.properties)
  return { ...rest, allOf: [...listOf(rest.allOf), { ...alternative, properties }] }
}

/** A condition that cannot be read is not met. */
function fits(schema: unknown, value: unknown): boolean {
  try {
    return Check(schema as never, value)
  } catch {
    return false
  }
}

function merge(base: QuestionSchema, more: QuestionSchema): QuestionSchema {
  const entries = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(more)) {
    const before = entries.get(key)
    if (unions.has(key) && Array.isArray(before) && Array.isArray(value)) entries.set(key, [...new Set([...before, ...value])])
    else if (isRecord(before) && isRecord(value)) entries.set(key, merge(before, value))
    // A branch may narrow what may be chosen, and not widen it.
    else if (key === 'enum' && Array.isArray(before) && Array.isArray(value)) entries.set(key, before.filter((one) => value.some((other) => same(one, other))))
    else if (value !== undefined) entries.set(key, value)
  }
  return Object.fromEntries(entries)
}

/** Answers to what is due; what no page ever asks is not ours to take away. */
function settle(due: readonly QuestionSchema[], pages: readonly QuestionSchema[], given: Readonly<Answers>, asked: ReadonlySet<string>): Answers {
  const known = questionNames(pages)
  const entries = new Map(Object.entries(given).filter(([name]) => !known.has(name)))
  for (const page of due) {
    for (const [name, question] of Object.entries(recordOf(page.properties))) {
      const value = answerTo(question, given, name, name, asked)
      if (value !== undefined) entries.set(name, value)
    }
  }
  return Object.fromEntries(entries)
}

function answerTo(question: unknown, given: Readonly<Answers>, name: string, path: string, asked: ReadonlySet<string>): unknown {
  const value = at(given, name)
  if (isForm(question) && (value === undefined || isRecord(value))) {
    const inner = withinObject(question, recordOf(value), path, asked)
    return value === undefined && Object.keys(inner).length === 0 ? undefined : inner
  }
  if (value !== undefined || asked.has(path)) return value
  return isRecord(question) && question.default !== undefined ? structuredClone(question.default) : undefined
}

function withinObject(question: QuestionSchema, given: Answers, path: string, asked: ReadonlySet<string>): Answers {
  // An object that was taken away as a whole comes not back with the defaults of its parts.
  if (asked.has(path) && Object.keys(given).length === 0) return {}
  const properties = recordOf(question.properties)
  const foreign = Object.entries(given).filter(([name]) => !Object.hasOwn(properties, name) && !questionNames([question]).has(name))
  const answers = Object.entries(properties).flatMap(([name, inner]) => {
    const value = answerTo(inner, given, name, `${path}.${name}`, asked)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries([...foreign, ...answers])
}

/** Names of all questions, also of those that only some answers bring up; or of those that `which` picks. */
export function questionNames(pages: readonly QuestionSchema[], which: (question: unknown, name: string) => boolean = () => true): Set<string> {
  const names = new Set<string>()
  const visit = (value: unknown, depth: number): void => {
    if (depth > deepest * 2) return
    if (Array.isArray(value)) return value.forEach((one) => visit(one, depth + 1))
    if (!isRecord(value)) return
    for (const [name, question] of Object.entries(recordOf(value.properties))) if (which(question, name)) names.add(name)
    for (const key of ['dependencies', 'dependentSchemas']) Object.values(recordOf(value[key])).forEach((one) => visit(one, depth + 1))
    for (const key of ['oneOf', 'anyOf', 'allOf', 'then', 'else', 'if']) visit(value[key], depth + 1)
  }
  visit(pages, 0)
  return names
}

/** Paths of every question that is due, for `asked`. */
export function pathsOf(pages: readonly QuestionSchema[], path = ''): string[] {
  return pages.flatMap((page) =>
    Object.entries(recordOf(page.properties)).flatMap(([name, question]) => {
      const here = path === '' ? name : `${path}.${name}`
      return isForm(question) ? [here, ...pathsOf([question], here)] : [here]
    }),
  )
}

/** Names of questions whose answers are secrets: `ui:field: Secret`, as Backstage has it. */
export function secretNames(pages: readonly QuestionSchema[]): Set<string> {
  return questionNames(pages, (question) => isRecord(question) && question['ui:field'] === 'Secret')
}

/** Answers without the secrets among them, and these. */
export function withoutSecrets(pages: readonly QuestionSchema[], answers: Readonly<Answers>): { answers: Answers; secrets: Record<string, string> } {
  const names = secretNames(pages)
  const [open, hidden] = [false, true].map((wanted) => Object.entries(answers).filter(([name]) => names.has(name) === wanted)) as [[string, unknown][], [string, unknown][]]
  return { answers: Object.fromEntries(open), secrets: Object.fromEntries(hidden.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '')) }
}

/** Names of the questions as `ui:order` has them (`*` is the rest), else as they are written. */
export function inOrder(schema: QuestionSchema): string[] {
  const names = Object.keys(recordOf(schema.properties))
  const order = listOf(schema['ui:order'])
  if (order.length === 0) return names
  const rest = names.filter((name) => !order.includes(name))
  const ordered = order.flatMap((name) => (name === '*' ? rest : typeof name === 'string' && names.includes(name) ? [name] : []))
  return [...new Set(order.includes('*') ? ordered : [...ordered, ...rest])]
}

/** The schema with the order of its questions written down, also of those that only some answers bring up: what keeps it may not keep the order of keys. */
export function withOrder(schema: QuestionSchema, depth = 0): QuestionSchema {
  if (depth > deepest) return schema
  const inner = (value: unknown): unknown => (Array.isArray(value) ? value.map(inner) : isRecord(value) ? withOrder(value, depth + 1) : value)
  const held = mapValues(schema, (value, key) => {
    if (['properties', 'dependencies', 'dependentSchemas'].includes(key) && isRecord(value)) return mapValues(value, (one) => (isRecord(one) ? withOrder(one, depth + 1) : one))
    return ['allOf', 'oneOf', 'anyOf', 'then', 'else', 'items'].includes(key) ? inner(value) : value
  })
  const names = Object.keys(recordOf(schema.properties))
  return names.length < 2 || schema['ui:order'] !== undefined ? held : { ...held, 'ui:order': [...names, '*'] }
}

/** An object that is asked field by field. */
function isForm(question: unknown): question is QuestionSchema {
  return isRecord(question) && (question.type === undefined || question.type === 'object') && isRecord(question.properties)
}

function same(one: unknown, other: unknown): boolean {
  return stable(one) === stable(other)
}

function stable(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) => (isRecord(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner))
}

function mapValues(record: QuestionSchema, change: (value: unknown, key: string) => unknown): QuestionSchema {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
}

function at(record: Readonly<Answers>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
