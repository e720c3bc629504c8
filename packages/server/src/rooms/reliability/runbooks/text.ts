/** A runbook's text taken apart: prose, and steps in fenced blocks with the word step. Pure. */
import { runbookStepTypes, type Cause, type RunbookStepType } from '@pavior/contract'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'

const text = (length: number) => Type.String({ minLength: 1, maxLength: length })
const measured = { query: text(2000), above: Type.Optional(Type.Number()), below: Type.Optional(Type.Number()) }
const place = { app: Type.Optional(text(100)), environment: Type.Optional(text(100)) }
const object = <P extends Type.TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false })

/** By type; the field of that name holds the name of the step. */
const shapes = {
  check: object({ check: text(120), ...measured, otherwise: Type.Optional(text(120)) }),
  command: object({ command: text(120), ...place, run: text(4000), timeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600 })), safe: Type.Optional(Type.Boolean()) }),
  change: object({ change: text(120), ...place, act: Type.Enum(['restart', 'rollback', 'scale', 'patch']), to: Type.Optional(text(20)), process: Type.Optional(text(40)), kind: Type.Optional(text(60)), name: Type.Optional(text(253)), spec: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
  wait: object({ wait: text(120), seconds: Type.Integer({ minimum: 1, maximum: 86_400 }), until: Type.Optional(object(measured)) }),
  decision: object({ decision: text(120), text: Type.Optional(text(2000)), options: Type.Record(Type.String(), text(120)) }),
  human: object({ human: text(120), text: Type.Optional(text(2000)) }),
}

type Shapes = { [K in RunbookStepType]: Type.Static<(typeof shapes)[K]> }
export type Step = { [K in RunbookStepType]: { type: K; name: string; line: number } & Omit<Shapes[K], K> }[RunbookStepType]

const checkers = Object.fromEntries(runbookStepTypes.map((type) => [type, Compile(shapes[type] as Type.TObject)])) as unknown as Record<RunbookStepType, { Check(value: unknown): boolean; Errors(value: unknown): { instancePath: string; message: string }[] }>

/** Where a check or an option may lead beside the name of a step. */
export const destinations = ['next', 'stop', 'fail'] as const

const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*(\S*)/
const longestSteps = 60

export interface Runbook {
  steps: Step[]
  /** What is wrong with the text, with its line. */
  causes: Cause[]
}

export function readRunbook(markdown: string): Runbook {
  const steps: Step[] = []
  const causes: Cause[] = []
  for (const block of blocksOf(markdown)) {
    const read = readStep(block)
    if ('problem' in read) causes.push({ field: 'spec.markdown', message: `Line ${block.line}: ${read.problem}` })
    else steps.push(read.step)
  }
  return { steps, causes: [...causes, ...wholeCauses(steps)] }
}

interface Block {
  line: number
  text: string
}

/** Fenced code as CommonMark has it; the info string begins with the word step. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { mark: string; line: number; own: boolean; lines: string[] } | undefined
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const match = fence.exec(line)
    if (!open) {
      if (match) open = { mark: match[1]!, line: index + 1, own: match[2] === 'step', lines: [] }
    } else if (match && match[1]![0] === open.mark[0] && match[1]!.length >= open.mark.length && match[2] === '') {
      if (open.own) blocks.push({ line: open.line, text: open.lines.join('\n') })
      open = undefined
    } else open.lines.push(line)
  }
  if (open?.own) blocks.push({ line: open.line, text: open.lines.join('\n') })
  return blocks
}

function readStep({ line, text: source }: Block): { step: Step } | { problem: string } {
  let given: unknown
  try {
    given = parse(source, { maxAliasCount: 0 })
  } catch (error) {
    return { problem: `this step is no YAML: ${(error as Error).message.split('\n')[0]}` }
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { problem: 'a step is a list of fields, the first of them its type, for example check: Are there errors?' }
  const types = runbookStepTypes.filter((each) => Object.hasOwn(given as object, each))
  if (types.length !== 1) return { problem: `a step has one of ${runbookStepTypes.join(', ')}, and gives it its name.` }
  const [type] = types as [RunbookStepType]
  if (!checkers[type].Check(given)) {
    const [first] = checkers[type].Errors(given)
    return { problem: `${first!.instancePath.slice(1) || type} ${first!.message}.` }
  }
  const { [type]: name, ...rest } = given as Record<string, unknown>
  const step = { type, name, line, ...rest } as Step
  const problem = problemOf(step)
  return problem ? { problem } : { step }
}

function problemOf(step: Step): string | undefined {
  const measuring = step.type === 'check' ? step : step.type === 'wait' ? step.until : undefined
  if (measuring && (measuring.above === undefined) === (measuring.below === undefined)) return 'say above or below, one of them.'
  if (step.type === 'decision' && Object.keys(step.options).length < 2) return 'a decision has two options and more.'
  if (step.type !== 'change') return undefined
  if (step.act === 'patch') return step.kind && step.name && step.spec ? undefined : 'patch needs kind, name and spec.'
  if (!step.app) return `${step.act} needs an app.`
  return step.act === 'scale' && (!step.process || !step.to) ? 'scale needs process and to, the number of instances.' : undefined
}

function wholeCauses(steps: readonly Step[]): Cause[] {
  const cause = (line: number, message: string): Cause => ({ field: 'spec.markdown', message: `Line ${line}: ${message}` })
  if (steps.length > longestSteps) return [{ field: 'spec.markdown', message: `A runbook has at most ${longestSteps} steps.` }]
  const names = steps.map(({ name }) => name)
  return steps.flatMap((step, index) => [
    ...(names.indexOf(step.name) === index ? [] : [cause(step.line, `there is a step "${step.name}" already.`)]),
    ...(destinations.includes(step.name as never) ? [cause(step.line, `"${step.name}" has a meaning of its own and cannot be a name.`)] : []),
    ...leadsTo(step).filter((to) => !destinations.includes(to as never) && !names.includes(to)).map((to) => cause(step.line, `there is no step "${to}" to go to.`)),
  ])
}

function leadsTo(step: Step): string[] {
  if (step.type === 'check') return step.otherwise === undefined ? [] : [step.otherwise]
  return step.type === 'decision' ? Object.values(step.options) : []
}

/** `$name` in a text becomes the value; `$$` is a dollar. Undefined names stay, so that they are seen. */
export function filled<T>(value: T, parameters: Readonly<Record<string, string>>): T {
  if (typeof value === 'string') return value.replaceAll(/\$(\$|[a-z][A-Za-z0-9]*)/g, (whole, name: string) => (name === '$' ? '$' : (parameters[name] ?? whole))) as T
  if (Array.isArray(value)) return value.map((each) => filled(each as unknown, parameters)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each as unknown, parameters)])) as T
}

/** Names that steps use and nobody declared. */
export function unknownParameters(steps: readonly Step[], declared: readonly string[]): { line: number; name: string }[] {
  return steps.flatMap(({ line, ...step }) => [...JSON.stringify(step).matchAll(/\$(\$|[a-z][A-Za-z0-9]*)/g)].map(([, name]) => name!).filter((name) => name !== '$' && !declared.includes(name)).map((name) => ({ line, name })))
}
